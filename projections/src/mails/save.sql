INSERT INTO mails SELECT * FROM jsonb_populate_recordset(NULL::mails, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    kind = excluded.kind, receipt_id = excluded.receipt_id, membership_id = excluded.membership_id,
    status = excluded.status, attempts = excluded.attempts, last_error = excluded.last_error,
    next_attempt_at = excluded.next_attempt_at
