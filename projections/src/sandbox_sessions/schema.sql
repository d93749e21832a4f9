CREATE TABLE sandbox_sessions (
    id                   uuid        PRIMARY KEY,
    owner_id             uuid,
    livemode             boolean     NOT NULL,
    subject_id           uuid,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    position             bigint      NOT NULL,
    access_product_id    uuid        NOT NULL,
    product_id           uuid        NOT NULL,
    entitlement_id       uuid        NOT NULL,
    external_customer_id text,
    email                text,
    wallet               text,
    rail_id              text        NOT NULL,
    test_clock_id        uuid,
    status               text        NOT NULL,
    expires_at           timestamptz NOT NULL,
    confirmed_at         timestamptz,
    rejected_proofs      bigint      NOT NULL
);
COMMENT ON TABLE sandbox_sessions IS 'Sessions that move no money.';
COMMENT ON COLUMN sandbox_sessions.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN sandbox_sessions.owner_id IS 'The workspace.';
COMMENT ON COLUMN sandbox_sessions.livemode IS 'Always false.';
COMMENT ON COLUMN sandbox_sessions.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN sandbox_sessions.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN sandbox_sessions.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN sandbox_sessions.position IS 'Position of that last event.';
COMMENT ON COLUMN sandbox_sessions.access_product_id IS 'What is tried out.';
COMMENT ON COLUMN sandbox_sessions.product_id IS 'The hosted product behind it.';
COMMENT ON COLUMN sandbox_sessions.entitlement_id IS 'What it activates.';
COMMENT ON COLUMN sandbox_sessions.external_customer_id IS 'The merchant''s id of the customer. Personal.';
COMMENT ON COLUMN sandbox_sessions.email IS 'The customer''s e-mail address. Personal.';
COMMENT ON COLUMN sandbox_sessions.wallet IS 'The wallet that identifies the customer.';
COMMENT ON COLUMN sandbox_sessions.rail_id IS 'The rail that is tried out.';
COMMENT ON COLUMN sandbox_sessions.test_clock_id IS 'The test clock whose time is its time.';
COMMENT ON COLUMN sandbox_sessions.status IS 'pending, confirmed or expired, as recorded.';
COMMENT ON COLUMN sandbox_sessions.expires_at IS 'When its proof is too late.';
COMMENT ON COLUMN sandbox_sessions.confirmed_at IS 'When the proof came.';
COMMENT ON COLUMN sandbox_sessions.rejected_proofs IS 'Wrong and late proofs so far.';
CREATE INDEX ON sandbox_sessions (owner_id, created_at DESC, id DESC);
CREATE INDEX ON sandbox_sessions (expires_at) WHERE status = 'pending' AND test_clock_id IS NULL;
CREATE INDEX ON sandbox_sessions (test_clock_id, expires_at) WHERE status = 'pending' AND test_clock_id IS NOT NULL;
CREATE INDEX ON sandbox_sessions (subject_id);
