SELECT to_jsonb(t)::text FROM access_apps t
WHERE t.owner_id = $1 AND t.id = $2
