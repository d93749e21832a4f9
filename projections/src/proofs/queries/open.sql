SELECT to_jsonb(t)::text FROM proofs t
WHERE t.livemode AND t.status = 'recorded' AND t.id > $1
ORDER BY t.id
LIMIT $2
