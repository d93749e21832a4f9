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
WHERE m.owner_id = $1
  AND ($3::boolean IS NULL OR m.livemode = $3)
  AND ($4::uuid IS NULL OR m.product_id = $4 OR m.access_product_id = $4)
  AND ($5::text IS NULL OR v.status = $5)
  AND ($6::text IS NULL OR v.platform = upper($6))
  AND ($7::text IS NULL OR m.wallet ILIKE $7 OR m.latest_tx_signature ILIKE $7 OR e.identity_display ILIKE $7
       OR e.identity_value ILIKE $7 OR e.external_customer_id ILIKE $7 OR e.email ILIKE $7)
  AND ($8::timestamptz IS NULL OR (m.created_at, m.id) < ($8, $9))
ORDER BY m.created_at DESC, m.id DESC
LIMIT $10 OFFSET $11
