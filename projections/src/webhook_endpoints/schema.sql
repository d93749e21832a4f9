CREATE TABLE webhook_endpoints (
    id                uuid        PRIMARY KEY,
    owner_id          uuid,
    livemode          boolean     NOT NULL,
    subject_id        uuid,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    position          bigint      NOT NULL,
    label             text,
    url               text        NOT NULL,
    subscribed_events jsonb       NOT NULL,
    product_ids       jsonb       NOT NULL,
    status            text        NOT NULL,
    disabled_reason   text,
    previous_secret_valid_until timestamptz,
    failing_since     timestamptz,
    last_failure_at   timestamptz,
    last_success_at   timestamptz
);
COMMENT ON TABLE webhook_endpoints IS 'Webhook receivers.';
COMMENT ON COLUMN webhook_endpoints.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN webhook_endpoints.owner_id IS 'The workspace.';
COMMENT ON COLUMN webhook_endpoints.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN webhook_endpoints.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN webhook_endpoints.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN webhook_endpoints.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN webhook_endpoints.position IS 'Position of that last event.';
COMMENT ON COLUMN webhook_endpoints.label IS 'The merchant''s words for it.';
COMMENT ON COLUMN webhook_endpoints.url IS 'Where to call.';
COMMENT ON COLUMN webhook_endpoints.subscribed_events IS 'Of what to tell.';
COMMENT ON COLUMN webhook_endpoints.product_ids IS 'Of which products; empty means all.';
COMMENT ON COLUMN webhook_endpoints.status IS 'active, paused or disabled.';
COMMENT ON COLUMN webhook_endpoints.disabled_reason IS 'Why it is disabled.';
COMMENT ON COLUMN webhook_endpoints.previous_secret_valid_until IS 'Until when the secret before the present one signs too.';
COMMENT ON COLUMN webhook_endpoints.failing_since IS 'The first failed attempt since the last one that succeeded.';
COMMENT ON COLUMN webhook_endpoints.last_failure_at IS 'The last attempt that failed.';
COMMENT ON COLUMN webhook_endpoints.last_success_at IS 'The last attempt that succeeded.';
CREATE INDEX ON webhook_endpoints (owner_id, livemode, status);
CREATE INDEX ON webhook_endpoints (failing_since) WHERE status = 'active' AND failing_since IS NOT NULL;
