SELECT to_jsonb(t)::text FROM identity_sessions t
WHERE t.status = 'verified' AND t.product_id = $1 AND t.wallet = $2 AND t.verified_at > $3
ORDER BY t.verified_at DESC, t.id
LIMIT $4
