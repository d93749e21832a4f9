CREATE TABLE proofs (
    id                uuid        PRIMARY KEY,
    owner_id          uuid,
    livemode          boolean     NOT NULL,
    subject_id        uuid,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    position          bigint      NOT NULL,
    fingerprint       text        NOT NULL,
    rail_id           text        NOT NULL,
    network           text        NOT NULL,
    tx_signature      text,
    session_id        uuid,
    payment_id        uuid        NOT NULL,
    entitlement_id    uuid,
    access_product_id uuid,
    product_id        uuid        NOT NULL,
    amount            bigint      NOT NULL,
    requirement_hash  text,
    status            text        NOT NULL,
    attempts          jsonb       NOT NULL,
    transfer_id       text,
    receipt_id        uuid
);
COMMENT ON TABLE proofs IS 'Payment proofs.';
COMMENT ON COLUMN proofs.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN proofs.owner_id IS 'The workspace.';
COMMENT ON COLUMN proofs.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN proofs.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN proofs.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN proofs.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN proofs.position IS 'Position of that last event.';
COMMENT ON COLUMN proofs.fingerprint IS 'SHA-256 of the canonical proof, hex.';
COMMENT ON COLUMN proofs.rail_id IS 'The rail.';
COMMENT ON COLUMN proofs.network IS 'CAIP-2.';
COMMENT ON COLUMN proofs.tx_signature IS 'The transaction, base58, where there is one.';
COMMENT ON COLUMN proofs.session_id IS 'The session it pays.';
COMMENT ON COLUMN proofs.payment_id IS 'The payment it pays.';
COMMENT ON COLUMN proofs.entitlement_id IS 'The entitlement that waits for it.';
COMMENT ON COLUMN proofs.access_product_id IS 'The access product.';
COMMENT ON COLUMN proofs.product_id IS 'The hosted product.';
COMMENT ON COLUMN proofs.amount IS 'Gross, in minor units.';
COMMENT ON COLUMN proofs.requirement_hash IS 'Of the requirement it is for, hex.';
COMMENT ON COLUMN proofs.status IS 'recorded, verified, verification_failed, settled or receipt_mapped.';
COMMENT ON COLUMN proofs.attempts IS 'Every look at the chain, in order.';
COMMENT ON COLUMN proofs.transfer_id IS 'The settled transfer.';
COMMENT ON COLUMN proofs.receipt_id IS 'Its receipt.';
CREATE INDEX ON proofs (owner_id, livemode, rail_id, fingerprint);
CREATE INDEX ON proofs (session_id);
CREATE INDEX ON proofs (payment_id);
