WITH about AS MATERIALIZED (
    SELECT DISTINCT correlation_id, category, stream_id FROM log.events WHERE subject_id = $1
), answered AS MATERIALIZED (
    SELECT i.owner_id, i.operation, i.key
    FROM log.idempotency i JOIN log.events e USING (position)
    WHERE octet_length(i.body) > 0
      AND (e.correlation_id IN (SELECT correlation_id FROM about) OR (e.category, e.stream_id) IN (SELECT category, stream_id FROM about))
)
UPDATE log.idempotency i SET body = ''::bytea, request_hash = decode(repeat('00', 32), 'hex')
FROM answered a WHERE i.owner_id = a.owner_id AND i.operation = a.operation AND i.key = a.key
