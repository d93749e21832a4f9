SELECT asked.place, event.leaf
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[]) AS asked (place, level, first, beyond)
CROSS JOIN LATERAL (
    SELECT position, leaf FROM log.events WHERE position >= asked.first AND position < asked.beyond
) event
ORDER BY asked.place, event.position
