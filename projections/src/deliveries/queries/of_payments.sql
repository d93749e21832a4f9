SELECT to_jsonb(t)::text FROM deliveries t
WHERE t.owner_id = $1 AND t.id = ANY($2)
