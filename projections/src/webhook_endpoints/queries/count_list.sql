SELECT count(*) FROM webhook_endpoints t
WHERE t.owner_id = $1 AND t.livemode = $2
