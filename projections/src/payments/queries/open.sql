SELECT to_jsonb(t)::text FROM payments t
WHERE t.status IN ('PENDING_SIGNATURE', 'PENDING_CONFIRMATION') AND t.id > $1
ORDER BY t.id
LIMIT $2
