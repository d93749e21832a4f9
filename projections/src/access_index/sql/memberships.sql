SELECT m.id, m.owner_id, m.livemode, m.subject_id, m.created_at, m.product_id, m.latest_payment_id, p.receipt_id, m.term_start_at,
       m.current_period_end_at, m.grace_end_at, m.grace_period_days, m.recorded_status, m.revoked_at IS NOT NULL AS revoked,
       ARRAY(SELECT (happened->>'start_at')::timestamptz FROM jsonb_array_elements(m.history) happened WHERE happened ? 'start_at')
           AS starts
FROM memberships m
LEFT JOIN payments p ON p.id = m.latest_payment_id
