INSERT INTO memberships SELECT * FROM jsonb_populate_recordset(NULL::memberships, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    product_id = excluded.product_id, access_product_id = excluded.access_product_id, wallet = excluded.wallet,
    latest_payment_id = excluded.latest_payment_id, latest_tx_signature = excluded.latest_tx_signature,
    current_period_start_at = excluded.current_period_start_at, current_period_end_at = excluded.current_period_end_at,
    history = excluded.history
