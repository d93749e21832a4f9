INSERT INTO movements SELECT * FROM jsonb_populate_recordset(NULL::movements, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position, source = excluded.source,
    role = excluded.role, account = excluded.account, asset_code = excluded.asset_code,
    asset_decimals = excluded.asset_decimals, asset_mint = excluded.asset_mint, fee_source = excluded.fee_source,
    payment_id = excluded.payment_id, receipt_id = excluded.receipt_id, receipt_position = excluded.receipt_position, block_time = excluded.block_time,
    reference = excluded.reference, at = excluded.at, amount = excluded.amount, evidence = excluded.evidence,
    moved_position = excluded.moved_position
