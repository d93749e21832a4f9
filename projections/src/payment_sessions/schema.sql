CREATE TABLE payment_sessions (
    id                   uuid        PRIMARY KEY,
    owner_id             uuid,
    livemode             boolean     NOT NULL,
    subject_id           uuid,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    position             bigint      NOT NULL,
    app_id               uuid        NOT NULL,
    access_product_id    uuid        NOT NULL,
    product_id           uuid        NOT NULL,
    payment_id           uuid        NOT NULL,
    entitlement_id       uuid        NOT NULL,
    external_customer_id text,
    email                text,
    metadata             text,
    wallet               text,
    rail_id              text        NOT NULL,
    payment_protocol     text,
    amount               bigint      NOT NULL,
    status               text        NOT NULL,
    failure_reason       text,
    expires_at           timestamptz NOT NULL,
    requirement          jsonb,
    resource             text,
    proof_id             uuid,
    tx_signature         text,
    receipt_id           uuid,
    stages               jsonb       NOT NULL
);
COMMENT ON TABLE payment_sessions IS 'Live payment sessions.';
COMMENT ON COLUMN payment_sessions.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN payment_sessions.owner_id IS 'The workspace.';
COMMENT ON COLUMN payment_sessions.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN payment_sessions.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN payment_sessions.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN payment_sessions.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN payment_sessions.position IS 'Position of that last event.';
COMMENT ON COLUMN payment_sessions.app_id IS 'Its app.';
COMMENT ON COLUMN payment_sessions.access_product_id IS 'What is bought.';
COMMENT ON COLUMN payment_sessions.product_id IS 'The hosted product behind it.';
COMMENT ON COLUMN payment_sessions.payment_id IS 'The payment behind it.';
COMMENT ON COLUMN payment_sessions.entitlement_id IS 'The entitlement that waits for it.';
COMMENT ON COLUMN payment_sessions.external_customer_id IS 'The merchant''s id of the customer. Personal.';
COMMENT ON COLUMN payment_sessions.email IS 'The customer''s e-mail address. Personal.';
COMMENT ON COLUMN payment_sessions.metadata IS 'The caller''s metadata, JSON text. Personal.';
COMMENT ON COLUMN payment_sessions.wallet IS 'The wallet that identifies the customer.';
COMMENT ON COLUMN payment_sessions.rail_id IS 'The rail it settles on.';
COMMENT ON COLUMN payment_sessions.payment_protocol IS 'The protocol around the rail.';
COMMENT ON COLUMN payment_sessions.amount IS 'Gross, in minor units.';
COMMENT ON COLUMN payment_sessions.status IS 'pending, confirmed, expired or failed.';
COMMENT ON COLUMN payment_sessions.failure_reason IS 'Why it failed, as a stable code.';
COMMENT ON COLUMN payment_sessions.expires_at IS 'Until when it can be paid.';
COMMENT ON COLUMN payment_sessions.requirement IS 'What must be paid.';
COMMENT ON COLUMN payment_sessions.resource IS 'What an x402 payment opens. Personal.';
COMMENT ON COLUMN payment_sessions.proof_id IS 'The proof that counts.';
COMMENT ON COLUMN payment_sessions.tx_signature IS 'Its transaction, base58.';
COMMENT ON COLUMN payment_sessions.receipt_id IS 'Its receipt.';
COMMENT ON COLUMN payment_sessions.stages IS 'The stages reached, each with the event that reached it.';
CREATE INDEX ON payment_sessions (owner_id, livemode, created_at DESC, id DESC);
CREATE INDEX ON payment_sessions (payment_id);
CREATE INDEX ON payment_sessions (subject_id);
CREATE INDEX ON payment_sessions (status, expires_at);
