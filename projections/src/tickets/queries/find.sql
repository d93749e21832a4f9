SELECT to_jsonb(t)::text FROM tickets t
WHERE t.owner_id = $1 AND t.public_id = $2
