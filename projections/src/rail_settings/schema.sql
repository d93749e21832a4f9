CREATE TABLE rail_settings (
    id             uuid        PRIMARY KEY,
    owner_id       uuid,
    livemode       boolean     NOT NULL,
    subject_id     uuid,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    position       bigint      NOT NULL,
    rail_id        text        NOT NULL,
    mode           text        NOT NULL,
    enabled        boolean     NOT NULL,
    payout_address text,
    label          text,
    fee_collection jsonb,
    status         text        NOT NULL,
    review_since   timestamptz,
    rejected_because text,
    fee_status     text        NOT NULL
);
COMMENT ON TABLE rail_settings IS 'Settings of a merchant for one rail and mode.';
COMMENT ON COLUMN rail_settings.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN rail_settings.owner_id IS 'The workspace.';
COMMENT ON COLUMN rail_settings.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN rail_settings.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN rail_settings.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN rail_settings.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN rail_settings.position IS 'Position of that last event.';
COMMENT ON COLUMN rail_settings.rail_id IS 'The rail.';
COMMENT ON COLUMN rail_settings.mode IS 'live or sandbox.';
COMMENT ON COLUMN rail_settings.enabled IS 'Whether the merchant wants it.';
COMMENT ON COLUMN rail_settings.payout_address IS 'Where money goes, in the rail''s notation.';
COMMENT ON COLUMN rail_settings.label IS 'The merchant''s words for it.';
COMMENT ON COLUMN rail_settings.fee_collection IS 'How the fee is collected on EVM rails.';
COMMENT ON COLUMN rail_settings.status IS 'saved, pending_review, verified or rejected.';
COMMENT ON COLUMN rail_settings.review_since IS 'Since when it waits for its review.';
COMMENT ON COLUMN rail_settings.rejected_because IS 'Why it was rejected.';
COMMENT ON COLUMN rail_settings.fee_status IS 'not_configured, pending_verification, active or revoked.';
CREATE INDEX ON rail_settings (owner_id, mode, rail_id);
CREATE INDEX ON rail_settings (created_at, id);
