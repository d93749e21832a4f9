SELECT to_jsonb(t)::text FROM agent_setups t
WHERE t.status = 'pending_approval' AND t.expires_at <= $1
ORDER BY t.expires_at, t.id
LIMIT $2
