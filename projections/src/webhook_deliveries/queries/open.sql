SELECT jsonb_build_object('delivery', t.id, 'endpoint', t.endpoint_id, 'next_attempt_at', t.next_attempt_at)::text
FROM webhook_deliveries t
WHERE t.status IN ('pending', 'retry_scheduled') AND t.id > $1
ORDER BY t.id
LIMIT $2
