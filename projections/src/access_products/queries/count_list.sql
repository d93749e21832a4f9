SELECT count(*) FROM access_products t
WHERE t.owner_id = $1 AND t.livemode = $2
