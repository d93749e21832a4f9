SELECT to_jsonb(t)::text FROM approvals t
WHERE t.status = 'pending'
ORDER BY t.created_at, t.id
LIMIT 1
