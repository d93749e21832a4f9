SELECT t.id, to_jsonb(t)::text FROM movements t WHERE t.id > $1 ORDER BY t.id LIMIT $2
