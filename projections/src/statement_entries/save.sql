INSERT INTO statement_entries SELECT * FROM jsonb_populate_recordset(NULL::statement_entries, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    statement_id = excluded.statement_id, number = excluded.number, reference = excluded.reference, status = excluded.status,
    at = excluded.at, statement_amount = excluded.statement_amount, ledger_amount = excluded.ledger_amount,
    items = excluded.items, legs = excluded.legs
