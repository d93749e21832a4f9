SELECT count(*) FROM tickets t
WHERE t.owner_id = $1 AND ($2::text IS NULL OR t.status = $2)
