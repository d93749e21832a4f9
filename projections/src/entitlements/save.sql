INSERT INTO entitlements SELECT * FROM jsonb_populate_recordset(NULL::entitlements, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    access_product_id = excluded.access_product_id, product_id = excluded.product_id,
    external_customer_id = excluded.external_customer_id, email = excluded.email,
    identity_type = excluded.identity_type, identity_value = excluded.identity_value,
    identity_display = excluded.identity_display, wallet = excluded.wallet, rail_id = excluded.rail_id,
    sandbox = excluded.sandbox, session_id = excluded.session_id, sandbox_session_id = excluded.sandbox_session_id,
    test_clock_id = excluded.test_clock_id,
    payment_id = excluded.payment_id, duration_days = excluded.duration_days, status = excluded.status,
    reason = excluded.reason, paid_when_closed = excluded.paid_when_closed, evidence = excluded.evidence, proof_id = excluded.proof_id,
    receipt_id = excluded.receipt_id, membership_id = excluded.membership_id, active_from = excluded.active_from,
    expires_at = excluded.expires_at
