SELECT to_jsonb(t)::text FROM payments t
WHERE t.owner_id = $1 AND t.id = $2
