-- Customers of one product, each with an active entitlement, as the fold would have made the rows.
INSERT INTO entitlements (
    id, owner_id, livemode, subject_id, created_at, updated_at, position, access_product_id, product_id, external_customer_id, email,
    rail_id, sandbox, session_id, payment_id, duration_days, status, paid_when_closed, evidence, proof_id, receipt_id,
    active_from, expires_at
)
SELECT gen_random_uuid(), $1, true, gen_random_uuid(), now(), now(), 0, $2, $3, 'cust_' || n, 'buyer.' || n || '@example.com',
       'solana_usdc', false, gen_random_uuid(), gen_random_uuid(), 30, 'active', false, 'receipt', gen_random_uuid(), gen_random_uuid(),
       now(), now() + interval '30 days'
FROM generate_series(1, $4::bigint) n
