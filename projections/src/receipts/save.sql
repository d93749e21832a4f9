INSERT INTO receipts SELECT * FROM jsonb_populate_recordset(NULL::receipts, $1::jsonb)
ON CONFLICT (id) DO UPDATE SET
    owner_id = excluded.owner_id, livemode = excluded.livemode, subject_id = excluded.subject_id,
    created_at = excluded.created_at, updated_at = excluded.updated_at, position = excluded.position,
    payment_id = excluded.payment_id, product_id = excluded.product_id, access_product_id = excluded.access_product_id,
    amount = excluded.amount, tx_signature = excluded.tx_signature, wallet = excluded.wallet,
    receipt_json = excluded.receipt_json, receipt_hash = excluded.receipt_hash, ed25519_sig = excluded.ed25519_sig,
    kid = excluded.kid, schema_version = excluded.schema_version, credits_burned = excluded.credits_burned,
    issued_at = excluded.issued_at, event_id = excluded.event_id,
    source = excluded.source, chain_verified = excluded.chain_verified, invoice_number = excluded.invoice_number,
    buyer_name = excluded.buyer_name, buyer_email = excluded.buyer_email, billing_reference = excluded.billing_reference,
    notes = excluded.notes, proofs_sent = excluded.proofs_sent, proof_sent_at = excluded.proof_sent_at
