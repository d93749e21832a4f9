SELECT size, witness, key_id, signed_at, line, received_at
FROM log.cosignatures
WHERE size = ANY ($1)
ORDER BY size DESC, received_at, witness, key_id
