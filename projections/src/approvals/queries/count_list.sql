SELECT count(*) FROM approvals t WHERE $1::text IS NULL OR t.status = $1
