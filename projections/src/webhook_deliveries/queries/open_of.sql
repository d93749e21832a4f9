SELECT jsonb_build_object('delivery', t.id, 'endpoint', t.endpoint_id, 'next_attempt_at', t.next_attempt_at)::text
FROM webhook_deliveries t
WHERE t.endpoint_id = $1 AND t.status IN ('pending', 'retry_scheduled') AND t.id > $2
ORDER BY t.id
LIMIT $3
