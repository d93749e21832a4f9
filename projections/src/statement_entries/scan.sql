SELECT t.id, to_jsonb(t)::text FROM statement_entries t WHERE t.id > $1 ORDER BY t.id LIMIT $2
