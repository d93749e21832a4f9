CREATE TABLE entitlements (
    id                   uuid        PRIMARY KEY,
    owner_id             uuid,
    livemode             boolean     NOT NULL,
    subject_id           uuid,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    position             bigint      NOT NULL,
    access_product_id    uuid        NOT NULL,
    product_id           uuid        NOT NULL,
    external_customer_id text,
    email                text,
    identity_type        text,
    identity_value       text,
    identity_display     text,
    wallet               text,
    rail_id              text        NOT NULL,
    sandbox              boolean     NOT NULL,
    session_id           uuid,
    sandbox_session_id   uuid,
    test_clock_id        uuid,
    payment_id           uuid,
    duration_days        integer     NOT NULL,
    status               text        NOT NULL,
    reason               text,
    paid_when_closed     boolean     NOT NULL,
    evidence             text,
    proof_id             uuid,
    receipt_id           uuid,
    membership_id        uuid,
    active_from          timestamptz,
    expires_at           timestamptz
);
COMMENT ON TABLE entitlements IS 'Entitlements.';
COMMENT ON COLUMN entitlements.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN entitlements.owner_id IS 'The workspace.';
COMMENT ON COLUMN entitlements.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN entitlements.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN entitlements.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN entitlements.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN entitlements.position IS 'Position of that last event.';
COMMENT ON COLUMN entitlements.access_product_id IS 'What it gives access to.';
COMMENT ON COLUMN entitlements.product_id IS 'The hosted product behind it.';
COMMENT ON COLUMN entitlements.external_customer_id IS 'The merchant''s id of the customer. Personal.';
COMMENT ON COLUMN entitlements.email IS 'The customer''s e-mail address. Personal.';
COMMENT ON COLUMN entitlements.identity_type IS 'Kind of platform identity. Personal.';
COMMENT ON COLUMN entitlements.identity_value IS 'The platform identity. Personal.';
COMMENT ON COLUMN entitlements.identity_display IS 'Its handle. Personal.';
COMMENT ON COLUMN entitlements.wallet IS 'The wallet that identifies the customer.';
COMMENT ON COLUMN entitlements.rail_id IS 'The rail it was paid on.';
COMMENT ON COLUMN entitlements.sandbox IS 'Whether it comes of a sandbox session; never changes.';
COMMENT ON COLUMN entitlements.session_id IS 'The live session it waits or waited for.';
COMMENT ON COLUMN entitlements.sandbox_session_id IS 'The sandbox session it waits or waited for.';
COMMENT ON COLUMN entitlements.test_clock_id IS 'The test clock whose time is its time; only sandbox entitlements have one.';
COMMENT ON COLUMN entitlements.payment_id IS 'The payment it waits or waited for.';
COMMENT ON COLUMN entitlements.duration_days IS 'How long it lasts from its activation, in days of 24 hours.';
COMMENT ON COLUMN entitlements.status IS 'pending, active, expired, revoked or failed, as recorded: the clock is the reader''s.';
COMMENT ON COLUMN entitlements.reason IS 'Why it was revoked, failed or blocked, as a stable code.';
COMMENT ON COLUMN entitlements.paid_when_closed IS 'Whether a payment came after staff had closed it: nothing was opened, and people decide.';
COMMENT ON COLUMN entitlements.evidence IS 'What its activation cites: receipt, sandbox or membership.';
COMMENT ON COLUMN entitlements.proof_id IS 'The proof that its activation cites.';
COMMENT ON COLUMN entitlements.receipt_id IS 'The receipt that its activation cites.';
COMMENT ON COLUMN entitlements.membership_id IS 'The membership that goes with it.';
COMMENT ON COLUMN entitlements.active_from IS 'When access began.';
COMMENT ON COLUMN entitlements.expires_at IS 'When access ends.';
CREATE INDEX ON entitlements (owner_id, access_product_id, external_customer_id);
CREATE INDEX ON entitlements (owner_id, access_product_id, wallet);
CREATE INDEX ON entitlements (owner_id, access_product_id, lower(email));
CREATE INDEX ON entitlements (payment_id);
CREATE INDEX ON entitlements (subject_id);
CREATE INDEX ON entitlements (created_at) WHERE paid_when_closed;
CREATE INDEX ON entitlements (status, expires_at);
CREATE INDEX ON entitlements (test_clock_id, expires_at) WHERE status = 'active' AND test_clock_id IS NOT NULL;
