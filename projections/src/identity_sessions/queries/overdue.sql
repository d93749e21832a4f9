SELECT to_jsonb(t)::text FROM identity_sessions t
WHERE t.status = 'pending' AND t.expires_at <= $1
ORDER BY t.expires_at, t.id
LIMIT $2
