SELECT to_jsonb(t)::text FROM sandbox_sessions t
WHERE t.owner_id = $1 AND t.id = $2
