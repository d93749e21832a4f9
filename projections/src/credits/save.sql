INSERT INTO credits SELECT * FROM jsonb_populate_recordset(NULL::credits, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    period = excluded.period, plan = excluded.plan, granted = excluded.granted,
    burned = excluded.burned, burned_in_all = excluded.burned_in_all
