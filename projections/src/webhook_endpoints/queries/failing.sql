SELECT to_jsonb(t)::text FROM webhook_endpoints t
WHERE t.status = 'active' AND t.failing_since <= $1 AND t.last_failure_at - t.failing_since >= make_interval(days => $2)
ORDER BY t.failing_since, t.id
LIMIT $3
