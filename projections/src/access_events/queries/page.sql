-- One statement, so that rows and checkpoint are of one moment: what is not here yet is behind the checkpoint. Only the next $8 rows
-- are looked through, so that a filter that few rows pass costs no more.
WITH head AS (
    SELECT checkpoint FROM projections.slots WHERE name = 'access_events' AND state = 'live'
), looked AS (
    SELECT t.event_id, t.event, t.position, t.product_id, t.access_product_id
    FROM access_events t
    WHERE t.owner_id = $1 AND t.livemode = $2 AND t.position > $3
    ORDER BY t.position
    LIMIT $8
), found AS (
    SELECT l.event_id, l.position
    FROM looked l
    WHERE ($4::text IS NULL OR l.event = $4)
      AND ($5::uuid IS NULL OR l.product_id = $5 OR l.access_product_id = $6)
    ORDER BY l.position
    LIMIT $7
), told AS (
    SELECT f.event_id, f.position, before.position AS previous
    FROM found f
    LEFT JOIN LATERAL (
        SELECT p.position FROM access_events p
        WHERE p.owner_id = $1 AND p.livemode = $2 AND p.position < f.position
        ORDER BY p.position DESC LIMIT 1
    ) before ON true
)
SELECT jsonb_build_object(
    'items', coalesce((SELECT jsonb_agg(to_jsonb(told) ORDER BY told.position) FROM told), '[]'::jsonb),
    'checkpoint', (SELECT checkpoint FROM head),
    'looked_at', (SELECT count(*) FROM looked),
    'looked_to', (SELECT max(l.position) FROM looked l),
    'last', (
        SELECT p.position FROM access_events p WHERE p.owner_id = $1 AND p.livemode = $2 ORDER BY p.position DESC LIMIT 1
    )
)::text
