INSERT INTO approvals SELECT * FROM jsonb_populate_recordset(NULL::approvals, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    action = excluded.action, target = excluded.target, subject = excluded.subject, status = excluded.status,
    requested_by = excluded.requested_by, requested_because = excluded.requested_because, requested_kid = excluded.requested_kid,
    decided_by = excluded.decided_by, decided_because = excluded.decided_because, decided_kid = excluded.decided_kid,
    decided_at = excluded.decided_at,
    applied_by = excluded.applied_by, applied_event = excluded.applied_event, applied_at = excluded.applied_at
