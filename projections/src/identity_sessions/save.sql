INSERT INTO identity_sessions SELECT * FROM jsonb_populate_recordset(NULL::identity_sessions, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    product_id = excluded.product_id, wallet = excluded.wallet, status = excluded.status,
    expires_at = excluded.expires_at, verified_at = excluded.verified_at, payment_id = excluded.payment_id
