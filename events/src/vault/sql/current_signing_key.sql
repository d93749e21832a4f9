SELECT kid, wrapped FROM log.signing_keys WHERE purpose = $1 AND retired_at IS NULL
