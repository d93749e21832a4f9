SELECT kid, public FROM log.signing_keys WHERE purpose = $1 ORDER BY created_at
