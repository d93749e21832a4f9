SELECT 0::smallint AS list, wanted.ordinal, last.version AS number, NULL::bigint AS moment, NULL::uuid AS id, NULL::text AS category,
       NULL::smallint AS status, last.leaf AS bytes, NULL::bytea AS body
FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS wanted (category, stream_id, ordinal)
CROSS JOIN LATERAL (
    SELECT version, leaf FROM log.events
    WHERE events.stream_id = wanted.stream_id AND events.category = wanted.category
    ORDER BY version DESC LIMIT 1
) last
UNION ALL
SELECT 1::smallint, wanted.ordinal, held.position, NULL, held.stream_id, held.category, NULL, NULL, NULL
FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS wanted (scope, key, ordinal)
CROSS JOIN LATERAL (
    SELECT position, stream_id, category FROM log.claims
    WHERE claims.scope = wanted.scope AND claims.key = wanted.key
    LIMIT 1
) held
UNION ALL
SELECT 2::smallint, wanted.ordinal, given.position, NULL, NULL, NULL, given.status, given.request_hash, given.body
FROM unnest($5::uuid[], $6::text[], $7::text[]) WITH ORDINALITY AS wanted (owner_id, operation, key, ordinal)
CROSS JOIN LATERAL (
    SELECT position, status, request_hash, body FROM log.idempotency
    WHERE idempotency.owner_id = wanted.owner_id AND idempotency.operation = wanted.operation AND idempotency.key = wanted.key
    LIMIT 1
) given
UNION ALL
SELECT 3::smallint, wanted.ordinal, there.position, there.recorded_at, NULL, NULL, NULL, NULL, NULL
FROM unnest($8::uuid[]) WITH ORDINALITY AS wanted (event_id, ordinal)
CROSS JOIN LATERAL (
    SELECT position, recorded_at FROM log.events
    WHERE events.event_id = wanted.event_id
    LIMIT 1
) there
