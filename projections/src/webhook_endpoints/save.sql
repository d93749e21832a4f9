INSERT INTO webhook_endpoints SELECT * FROM jsonb_populate_recordset(NULL::webhook_endpoints, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    label = excluded.label, url = excluded.url, subscribed_events = excluded.subscribed_events,
    product_ids = excluded.product_ids, status = excluded.status, disabled_reason = excluded.disabled_reason,
    previous_secret_valid_until = excluded.previous_secret_valid_until, failing_since = excluded.failing_since,
    last_failure_at = excluded.last_failure_at, last_success_at = excluded.last_success_at
