-- One statement, so that rows and checkpoint are of one moment.
WITH found AS (
    SELECT t.*
    FROM movements t
    WHERE t.amount IS NOT NULL
        AND t.source = $1
        AND t.account IS NOT DISTINCT FROM $2::text
        AND t.asset_mint IS NOT DISTINCT FROM $4::text
        AND ($4::text IS NOT NULL OR t.asset_code = $3)
        AND t.livemode = $5
        AND ((t.at >= $6 AND t.at < $7) OR t.reference = ANY($8))
    LIMIT $9
)
SELECT jsonb_build_object(
    'items', coalesce((SELECT jsonb_agg(to_jsonb(found)) FROM found), '[]'::jsonb),
    'checkpoint', (SELECT checkpoint FROM projections.slots WHERE name = 'movements' AND state = 'live')
)::text
