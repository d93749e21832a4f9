SELECT count(*) FROM entitlements t
WHERE t.owner_id = $1 AND t.livemode = $2
