SELECT to_jsonb(t)::text FROM payments t
WHERE t.id = $1
