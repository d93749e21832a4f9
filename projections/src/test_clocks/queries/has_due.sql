SELECT count(*) FROM (
    SELECT FROM entitlements e WHERE e.test_clock_id = $1 AND e.status = 'active' AND e.expires_at <= $2
    UNION ALL
    SELECT FROM sandbox_sessions s WHERE s.test_clock_id = $1 AND s.status = 'pending' AND s.expires_at <= $2
) due
