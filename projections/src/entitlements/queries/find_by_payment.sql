SELECT to_jsonb(t)::text FROM entitlements t
WHERE t.owner_id = $1 AND t.payment_id = $2
