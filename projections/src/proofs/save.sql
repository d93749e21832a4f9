INSERT INTO proofs SELECT * FROM jsonb_populate_recordset(NULL::proofs, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    fingerprint = excluded.fingerprint, rail_id = excluded.rail_id, network = excluded.network,
    tx_signature = excluded.tx_signature, session_id = excluded.session_id, payment_id = excluded.payment_id,
    entitlement_id = excluded.entitlement_id, access_product_id = excluded.access_product_id,
    product_id = excluded.product_id, amount = excluded.amount, requirement_hash = excluded.requirement_hash,
    status = excluded.status, attempts = excluded.attempts, transfer_id = excluded.transfer_id,
    receipt_id = excluded.receipt_id
