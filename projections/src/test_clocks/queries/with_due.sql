SELECT to_jsonb(t)::text FROM test_clocks t
WHERE EXISTS (SELECT FROM entitlements e WHERE e.test_clock_id = t.id AND e.status = 'active' AND e.expires_at <= t.frozen_time)
   OR EXISTS (SELECT FROM sandbox_sessions s WHERE s.test_clock_id = t.id AND s.status = 'pending' AND s.expires_at <= t.frozen_time)
ORDER BY t.id
LIMIT $1
