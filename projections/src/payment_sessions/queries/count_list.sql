SELECT count(*) FROM payment_sessions t
WHERE t.owner_id = $1 AND t.livemode = $2
