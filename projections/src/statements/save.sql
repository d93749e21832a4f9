INSERT INTO statements SELECT * FROM jsonb_populate_recordset(NULL::statements, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position, source = excluded.source,
    account = excluded.account, asset_code = excluded.asset_code, asset_decimals = excluded.asset_decimals,
    asset_mint = excluded.asset_mint, period_start = excluded.period_start, period_end = excluded.period_end,
    format = excluded.format, digest = excluded.digest, bytes = excluded.bytes, items = excluded.items,
    through_position = excluded.through_position, sums = excluded.sums, chunks = excluded.chunks,
    imported_by = excluded.imported_by
