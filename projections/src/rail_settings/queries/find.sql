SELECT to_jsonb(t)::text FROM rail_settings t
WHERE t.owner_id = $1 AND t.mode = $2 AND t.rail_id = $3
