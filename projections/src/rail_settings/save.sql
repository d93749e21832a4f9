INSERT INTO rail_settings SELECT * FROM jsonb_populate_recordset(NULL::rail_settings, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    rail_id = excluded.rail_id, mode = excluded.mode, enabled = excluded.enabled,
    payout_address = excluded.payout_address, label = excluded.label, fee_collection = excluded.fee_collection,
    status = excluded.status, review_since = excluded.review_since,
    rejected_because = excluded.rejected_because, fee_status = excluded.fee_status
