SELECT count(*) FROM payments t
WHERE t.owner_id = $1 AND t.livemode = $2 AND ($3::text IS NULL OR t.status = $3)
