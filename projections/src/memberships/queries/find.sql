SELECT (to_jsonb(m) || jsonb_build_object(
    'product_title', p.title,
    'delivery_type', p.delivery_type,
    'receipt_id', pay.receipt_id,
    'external_customer_id', e.external_customer_id,
    'email', e.email,
    'identity_type', e.identity_type,
    'identity_value', e.identity_value,
    'identity_display', e.identity_display,
    'platform', v.platform,
    'status', v.status))::text
FROM memberships m
LEFT JOIN products p ON p.id = m.product_id
LEFT JOIN payments pay ON pay.id = m.latest_payment_id
LEFT JOIN LATERAL (
    SELECT * FROM entitlements e WHERE e.payment_id = m.latest_payment_id ORDER BY e.created_at DESC, e.id DESC LIMIT 1
) e ON true
CROSS JOIN LATERAL (
    SELECT
        coalesce(
            upper(split_part(e.identity_type, '_', 1)),
            CASE p.delivery_type WHEN 'TELEGRAM_INVITE' THEN 'TELEGRAM' WHEN 'DISCORD_INVITE' THEN 'DISCORD' END
        ) AS platform,
        CASE
            WHEN $2 < m.current_period_end_at THEN 'ACTIVE'
            WHEN $2 < m.current_period_end_at + make_interval(days => coalesce(pay.grace_period_days, 0)) THEN 'GRACE'
            ELSE 'EXPIRED'
        END AS status
) v
WHERE m.owner_id = $1 AND m.id = $3
