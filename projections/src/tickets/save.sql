INSERT INTO tickets SELECT * FROM jsonb_populate_recordset(NULL::tickets, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    subject_ids = excluded.subject_ids, public_id = excluded.public_id, status = excluded.status,
    category = excluded.category, subject = excluded.subject, context = excluded.context, messages = excluded.messages
