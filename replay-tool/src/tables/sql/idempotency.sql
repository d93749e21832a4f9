SELECT format('the answer to %s under a key of workspace %s stands at position %s, which the log does not have', i.operation, i.owner_id, i.position)
FROM log.idempotency i
WHERE (i.position < 0 OR i.position >= greatest((SELECT next_position FROM log.head), 1))
  AND $1::integer[] IS NOT NULL AND $2::bytea[] IS NOT NULL
LIMIT 1
