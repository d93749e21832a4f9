SELECT to_jsonb(t)::text FROM products t
WHERE t.owner_id = $1 AND t.id = $2
