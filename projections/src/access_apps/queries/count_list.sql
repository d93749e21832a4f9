SELECT count(*) FROM access_apps t
WHERE t.owner_id = $1 AND t.livemode = $2
