CREATE TABLE memberships (
    id                      uuid        PRIMARY KEY,
    owner_id                uuid,
    livemode                boolean     NOT NULL,
    subject_id              uuid,
    created_at              timestamptz NOT NULL,
    updated_at              timestamptz NOT NULL,
    position                bigint      NOT NULL,
    product_id              uuid        NOT NULL,
    access_product_id       uuid,
    wallet                  text        NOT NULL,
    latest_payment_id       uuid        NOT NULL,
    latest_tx_signature     text        NOT NULL,
    current_period_start_at timestamptz NOT NULL,
    current_period_end_at   timestamptz NOT NULL,
    history                 jsonb       NOT NULL
);
COMMENT ON TABLE memberships IS 'Memberships.';
COMMENT ON COLUMN memberships.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN memberships.owner_id IS 'The workspace.';
COMMENT ON COLUMN memberships.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN memberships.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN memberships.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN memberships.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN memberships.position IS 'Position of that last event.';
COMMENT ON COLUMN memberships.product_id IS 'Of which product.';
COMMENT ON COLUMN memberships.access_product_id IS 'Of which access product.';
COMMENT ON COLUMN memberships.wallet IS 'Who paid last, base58.';
COMMENT ON COLUMN memberships.latest_payment_id IS 'The payment of the current period.';
COMMENT ON COLUMN memberships.latest_tx_signature IS 'Its transaction, base58.';
COMMENT ON COLUMN memberships.current_period_start_at IS 'Start of the current period.';
COMMENT ON COLUMN memberships.current_period_end_at IS 'End of the current period; grace comes after it.';
COMMENT ON COLUMN memberships.history IS 'Every period, in order.';
CREATE INDEX ON memberships (owner_id, livemode, created_at DESC, id DESC);
CREATE INDEX ON memberships (owner_id, wallet);
CREATE INDEX ON memberships (owner_id, latest_tx_signature);
CREATE INDEX ON memberships (subject_id);
CREATE INDEX ON memberships (latest_payment_id);
