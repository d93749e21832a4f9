INSERT INTO deliveries SELECT * FROM jsonb_populate_recordset(NULL::deliveries, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    payment_id = excluded.payment_id, product_id = excluded.product_id, access_product_id = excluded.access_product_id,
    membership_id = excluded.membership_id, delivery_type = excluded.delivery_type, mode = excluded.mode,
    status = excluded.status, attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
    last_error = excluded.last_error, sent_at = excluded.sent_at, history = excluded.history,
    withdrawal_status = excluded.withdrawal_status, withdrawal_due_at = excluded.withdrawal_due_at,
    withdrawal_error = excluded.withdrawal_error, withdrawn_at = excluded.withdrawn_at
