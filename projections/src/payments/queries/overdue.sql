SELECT to_jsonb(t)::text FROM payments t
WHERE t.status = 'PENDING_SIGNATURE' AND t.expires_at <= $1
ORDER BY t.expires_at, t.id
LIMIT $2
