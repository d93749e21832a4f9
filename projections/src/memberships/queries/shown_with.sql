-- What stands in other tables and is shown beside memberships.
SELECT jsonb_build_object(
    'id', m.id,
    'product_title', p.title,
    'delivery_type', p.delivery_type,
    'slug', p.slug,
    'receipt_id', pay.receipt_id,
    'delivery', CASE WHEN d.id IS NULL THEN NULL ELSE jsonb_build_object(
        'status', d.status, 'attempts', d.attempts, 'last_error', d.last_error,
        'next_attempt_at', d.next_attempt_at, 'mode', d.mode,
        'withdrawal_status', d.withdrawal_status, 'withdrawal_error', d.withdrawal_error,
        'withdrawal_due_at', d.withdrawal_due_at, 'withdrawn_at', d.withdrawn_at) END)::text
FROM memberships m
LEFT JOIN products p ON p.id = m.product_id
LEFT JOIN payments pay ON pay.id = m.latest_payment_id
LEFT JOIN LATERAL (
    SELECT * FROM deliveries d WHERE d.membership_id = m.id AND d.payment_id = m.latest_payment_id LIMIT 1
) d ON true
WHERE m.id = ANY($1)
