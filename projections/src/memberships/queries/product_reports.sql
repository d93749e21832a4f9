-- $4 is now, $5 the end of the window ahead, $6 the beginning of the window behind.
SELECT jsonb_build_object(
    'product_id', s.product_id,
    'title', p.title,
    'amount_minor_units', p.amount,
    'asset', p.asset_symbol,
    'billing_interval_days', p.membership #> '{terms,billing_interval_days}',
    'active', s.active,
    'grace', s.grace,
    'expired', s.expired,
    'revoked', s.revoked,
    'expiring', s.expiring,
    'cancelling', s.cancelling,
    'renewed', s.renewed,
    'lapsed', s.lapsed)::text
FROM (
    SELECT
        m.product_id,
        count(*) FILTER (WHERE v.status = 'ACTIVE') AS active,
        count(*) FILTER (WHERE v.status = 'GRACE') AS grace,
        count(*) FILTER (WHERE v.status = 'EXPIRED') AS expired,
        count(*) FILTER (WHERE v.status = 'REVOKED') AS revoked,
        count(*) FILTER (WHERE v.status = 'ACTIVE' AND m.current_period_end_at <= $5) AS expiring,
        count(*) FILTER (WHERE v.status IN ('ACTIVE', 'GRACE') AND m.cancel_at_period_end) AS cancelling,
        coalesce(sum(v.renewed), 0) AS renewed,
        count(*) FILTER (WHERE v.status = 'EXPIRED' AND m.grace_end_at >= $6) AS lapsed
    FROM memberships m
    CROSS JOIN LATERAL (
        SELECT
            CASE
                WHEN m.recorded_status = 'REVOKED' THEN 'REVOKED'
                WHEN $4 < m.current_period_end_at THEN 'ACTIVE'
                WHEN $4 < m.grace_end_at THEN 'GRACE'
                ELSE 'EXPIRED'
            END AS status,
            (SELECT count(*) FROM jsonb_array_elements(m.history) h
             WHERE h ->> 'event' = 'membership.renewed' AND (h ->> 'at')::timestamptz >= $6) AS renewed
    ) v
    WHERE m.owner_id = $1 AND m.livemode = $2 AND ($3::uuid IS NULL OR m.product_id = $3 OR m.access_product_id = $3)
    GROUP BY m.product_id
) s
LEFT JOIN products p ON p.id = s.product_id
ORDER BY s.expiring DESC, s.active DESC, s.product_id
