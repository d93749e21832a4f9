UPDATE log.signing_keys SET retired_at = $2 WHERE purpose = $1 AND retired_at IS NULL
