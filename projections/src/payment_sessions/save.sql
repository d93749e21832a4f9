INSERT INTO payment_sessions SELECT * FROM jsonb_populate_recordset(NULL::payment_sessions, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    app_id = excluded.app_id, access_product_id = excluded.access_product_id, product_id = excluded.product_id,
    payment_id = excluded.payment_id, entitlement_id = excluded.entitlement_id,
    external_customer_id = excluded.external_customer_id, email = excluded.email, metadata = excluded.metadata,
    wallet = excluded.wallet, rail_id = excluded.rail_id, payment_protocol = excluded.payment_protocol,
    amount = excluded.amount, status = excluded.status, failure_reason = excluded.failure_reason,
    expires_at = excluded.expires_at, requirement = excluded.requirement, resource = excluded.resource, proof_id = excluded.proof_id,
    tx_signature = excluded.tx_signature, receipt_id = excluded.receipt_id, stages = excluded.stages
