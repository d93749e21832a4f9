SELECT to_jsonb(t)::text FROM entitlements t
WHERE t.status = 'active' AND t.test_clock_id = $1 AND t.expires_at <= $2
ORDER BY t.expires_at, t.id
LIMIT $3
