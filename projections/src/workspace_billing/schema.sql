CREATE TABLE workspace_billing (
    id                  uuid        PRIMARY KEY,
    owner_id            uuid,
    livemode            boolean     NOT NULL,
    subject_id          uuid,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    position            bigint      NOT NULL,
    customer_id         text,
    checkout_session_id text,
    checkout_started_at timestamptz,
    subscription        jsonb,
    invoices            jsonb       NOT NULL,
    synced_at           timestamptz
);
COMMENT ON TABLE workspace_billing IS 'Merchants'' own subscriptions of Hilt, as Stripe keeps them.';
COMMENT ON COLUMN workspace_billing.id IS 'The row''s id, which is the owner''s.';
COMMENT ON COLUMN workspace_billing.owner_id IS 'The workspace.';
COMMENT ON COLUMN workspace_billing.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN workspace_billing.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN workspace_billing.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN workspace_billing.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN workspace_billing.position IS 'Position of that last event.';
COMMENT ON COLUMN workspace_billing.customer_id IS 'Stripe''s customer; null when Stripe knows none.';
COMMENT ON COLUMN workspace_billing.checkout_session_id IS 'The checkout session that was opened last.';
COMMENT ON COLUMN workspace_billing.checkout_started_at IS 'When it was.';
COMMENT ON COLUMN workspace_billing.subscription IS 'The subscription that counts, as Stripe last told it.';
COMMENT ON COLUMN workspace_billing.invoices IS 'The newest invoices, newest first.';
COMMENT ON COLUMN workspace_billing.synced_at IS 'When Stripe last told something new.';
