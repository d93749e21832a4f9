INSERT INTO fees SELECT * FROM jsonb_populate_recordset(NULL::fees, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    session_id = excluded.session_id, product_id = excluded.product_id, access_product_id = excluded.access_product_id,
    amount = excluded.amount, asset_symbol = excluded.asset_symbol, asset_mint = excluded.asset_mint,
    asset_decimals = excluded.asset_decimals, fee_bps = excluded.fee_bps, fee_policy = excluded.fee_policy,
    tx_signature = excluded.tx_signature
