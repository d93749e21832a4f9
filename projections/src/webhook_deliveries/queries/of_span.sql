SELECT jsonb_build_object('delivery', t.id, 'endpoint', t.endpoint_id, 'next_attempt_at', t.next_attempt_at)::text
FROM webhook_deliveries t
WHERE t.endpoint_id = $1 AND t.created_at >= $2 AND t.created_at < $3 AND t.id > $4
  AND ($5 = 'all' OR t.status IN ('dead_lettered', 'retry_scheduled'))
ORDER BY t.id
LIMIT $6
