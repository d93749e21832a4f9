SELECT created_at FROM log.idempotency
WHERE owner_id = $1 AND operation = $2 AND key = $3 AND request_hash = $4 AND created_at = $5
