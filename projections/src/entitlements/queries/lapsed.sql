SELECT to_jsonb(t)::text FROM entitlements t
WHERE t.status = 'active' AND t.test_clock_id IS NULL AND t.expires_at <= $1
ORDER BY t.expires_at, t.id
LIMIT $2
