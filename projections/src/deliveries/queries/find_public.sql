SELECT to_jsonb(t)::text FROM deliveries t
WHERE t.id = $1
