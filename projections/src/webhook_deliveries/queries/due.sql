SELECT to_jsonb(t)::text FROM webhook_deliveries t
WHERE t.status = 'pending' OR (t.status = 'retry_scheduled' AND t.next_attempt_at <= $1)
ORDER BY t.next_attempt_at NULLS FIRST, t.created_at, t.id
LIMIT $2
