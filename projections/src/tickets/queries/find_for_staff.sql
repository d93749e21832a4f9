SELECT to_jsonb(t)::text FROM tickets t
WHERE t.public_id = $1
