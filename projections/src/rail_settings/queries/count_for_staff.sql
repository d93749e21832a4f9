SELECT count(*) FROM rail_settings t
WHERE ($1::text IS NULL OR t.status = $1) AND ($2::text IS NULL OR t.rail_id = $2) AND ($3::uuid IS NULL OR t.owner_id = $3)
