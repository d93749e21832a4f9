INSERT INTO workspace_billing SELECT * FROM jsonb_populate_recordset(NULL::workspace_billing, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    customer_id = excluded.customer_id, checkout_session_id = excluded.checkout_session_id,
    checkout_started_at = excluded.checkout_started_at, subscription = excluded.subscription,
    invoices = excluded.invoices, synced_at = excluded.synced_at
