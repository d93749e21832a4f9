INSERT INTO memberships SELECT * FROM jsonb_populate_recordset(NULL::memberships, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    product_id = excluded.product_id, access_product_id = excluded.access_product_id, platform = excluded.platform,
    wallet = excluded.wallet, external_customer_id = excluded.external_customer_id, email = excluded.email,
    identity_type = excluded.identity_type, identity_value = excluded.identity_value,
    identity_display = excluded.identity_display, platform_display = excluded.platform_display, notes = excluded.notes,
    latest_payment_id = excluded.latest_payment_id, latest_tx_signature = excluded.latest_tx_signature,
    term_start_at = excluded.term_start_at, current_period_end_at = excluded.current_period_end_at,
    grace_end_at = excluded.grace_end_at, grace_period_days = excluded.grace_period_days,
    renewal_reminder_offsets_days = excluded.renewal_reminder_offsets_days, recorded_status = excluded.recorded_status,
    revoked_at = excluded.revoked_at, revoke_reason = excluded.revoke_reason,
    cancel_at_period_end = excluded.cancel_at_period_end, reminded_offset_days = excluded.reminded_offset_days,
    next_due_at = excluded.next_due_at, history = excluded.history
