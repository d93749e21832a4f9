SELECT count(*) FROM api_keys t
WHERE t.owner_id = $1 AND ($2::boolean IS NULL OR t.livemode = $2)
