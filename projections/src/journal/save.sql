INSERT INTO journal SELECT * FROM jsonb_populate_recordset(NULL::journal, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    asset_symbol = excluded.asset_symbol, asset_decimals = excluded.asset_decimals, asset_mint = excluded.asset_mint,
    fee_source = excluded.fee_source, entries = excluded.entries
