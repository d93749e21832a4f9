SELECT e.id, e.owner_id, e.livemode, e.subject_id, e.created_at, e.access_product_id, e.external_customer_id, e.email, e.wallet,
       e.rail_id, e.sandbox, e.payment_id, e.receipt_id, e.status, e.active_from, e.expires_at, s.id IS NOT NULL AS protocol,
       e.test_clock_id
FROM entitlements e
LEFT JOIN (SELECT id, entitlement_id FROM payment_sessions WHERE payment_protocol IS NOT NULL) s
       ON s.id = e.session_id AND s.entitlement_id = e.id
