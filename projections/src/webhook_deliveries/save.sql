INSERT INTO webhook_deliveries SELECT * FROM jsonb_populate_recordset(NULL::webhook_deliveries, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    endpoint_id = excluded.endpoint_id, event = excluded.event, source_event = excluded.source_event,
    source_position = excluded.source_position, body = excluded.body, body_hash = excluded.body_hash,
    status = excluded.status, attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
    dead_letter_reason = excluded.dead_letter_reason
