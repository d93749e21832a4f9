INSERT INTO sandbox_sessions SELECT * FROM jsonb_populate_recordset(NULL::sandbox_sessions, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    access_product_id = excluded.access_product_id, product_id = excluded.product_id, entitlement_id = excluded.entitlement_id,
    external_customer_id = excluded.external_customer_id, email = excluded.email, wallet = excluded.wallet,
    rail_id = excluded.rail_id, test_clock_id = excluded.test_clock_id, status = excluded.status,
    expires_at = excluded.expires_at, confirmed_at = excluded.confirmed_at, rejected_proofs = excluded.rejected_proofs
