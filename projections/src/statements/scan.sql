SELECT t.id, to_jsonb(t)::text FROM statements t WHERE t.id > $1 ORDER BY t.id LIMIT $2
