INSERT INTO test_clocks SELECT * FROM jsonb_populate_recordset(NULL::test_clocks, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    name = excluded.name, frozen_time = excluded.frozen_time, deleted = excluded.deleted
