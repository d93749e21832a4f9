SELECT to_jsonb(t)::text FROM statement_entries t
WHERE t.statement_id = $1 AND ($2::text IS NULL OR t.status = $2) AND t.number > $3
ORDER BY t.number
LIMIT $4
