CREATE TABLE identity_sessions (
    id          uuid        PRIMARY KEY,
    owner_id    uuid,
    livemode    boolean     NOT NULL,
    subject_id  uuid,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    position    bigint      NOT NULL,
    product_id  uuid        NOT NULL,
    wallet      text        NOT NULL,
    status      text        NOT NULL,
    expires_at  timestamptz NOT NULL,
    verified_at timestamptz,
    payment_id  uuid
);
COMMENT ON TABLE identity_sessions IS 'Proofs that a wallet pays for an identity.';
COMMENT ON COLUMN identity_sessions.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN identity_sessions.owner_id IS 'The workspace.';
COMMENT ON COLUMN identity_sessions.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN identity_sessions.subject_id IS 'Whose identity it is.';
COMMENT ON COLUMN identity_sessions.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN identity_sessions.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN identity_sessions.position IS 'Position of that last event.';
COMMENT ON COLUMN identity_sessions.product_id IS 'The product that will be bought.';
COMMENT ON COLUMN identity_sessions.wallet IS 'The wallet that signs, base58.';
COMMENT ON COLUMN identity_sessions.status IS 'pending, verified, consumed or expired.';
COMMENT ON COLUMN identity_sessions.expires_at IS 'When the time for signing is over.';
COMMENT ON COLUMN identity_sessions.verified_at IS 'When the wallet signed.';
COMMENT ON COLUMN identity_sessions.payment_id IS 'The payment that used it up.';
CREATE INDEX ON identity_sessions (product_id, wallet) WHERE status = 'verified';
CREATE INDEX ON identity_sessions (expires_at) WHERE status = 'pending';
