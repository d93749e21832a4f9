SELECT to_jsonb(t)::text FROM proofs t
WHERE t.owner_id = $1 AND t.payment_id = $2
ORDER BY t.created_at, t.id
