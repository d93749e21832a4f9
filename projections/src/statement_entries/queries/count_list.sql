SELECT count(*) FROM statement_entries t WHERE t.statement_id = $1 AND ($2::text IS NULL OR t.status = $2)
