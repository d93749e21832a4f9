INSERT INTO log.cosignatures (size, witness, key_id, signed_at, line, received_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
