SELECT request_hash, status, body, position FROM log.idempotency WHERE owner_id = $1 AND operation = $2 AND key = $3
