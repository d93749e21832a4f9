SELECT kid, purpose, public, created_at, retired_at FROM log.signing_keys WHERE purpose = $1 ORDER BY created_at, kid
