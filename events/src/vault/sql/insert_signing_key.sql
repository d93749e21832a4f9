INSERT INTO log.signing_keys (kid, purpose, public, wrapped, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
