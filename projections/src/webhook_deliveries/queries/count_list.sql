SELECT count(*) FROM webhook_deliveries t
WHERE t.owner_id = $1 AND t.livemode = $2 AND ($3::text IS NULL OR t.status = $3)
