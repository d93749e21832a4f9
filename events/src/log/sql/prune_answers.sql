DELETE FROM log.idempotency WHERE created_at < $1
