CREATE TABLE webhook_deliveries (
    id                 uuid        PRIMARY KEY,
    owner_id           uuid,
    livemode           boolean     NOT NULL,
    subject_id         uuid,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    position           bigint      NOT NULL,
    endpoint_id        uuid        NOT NULL,
    event              text        NOT NULL,
    source_event       uuid        NOT NULL,
    source_position    bigint      NOT NULL,
    body               text,
    body_hash          text        NOT NULL,
    status             text        NOT NULL,
    attempts           jsonb       NOT NULL,
    next_attempt_at    timestamptz,
    dead_letter_reason text
);
COMMENT ON TABLE webhook_deliveries IS 'Webhook deliveries, one per event and endpoint.';
COMMENT ON COLUMN webhook_deliveries.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN webhook_deliveries.owner_id IS 'The workspace.';
COMMENT ON COLUMN webhook_deliveries.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN webhook_deliveries.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN webhook_deliveries.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN webhook_deliveries.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN webhook_deliveries.position IS 'Position of that last event.';
COMMENT ON COLUMN webhook_deliveries.endpoint_id IS 'The receiver.';
COMMENT ON COLUMN webhook_deliveries.event IS 'What it tells of.';
COMMENT ON COLUMN webhook_deliveries.source_event IS 'The event it tells of; also the webhook-id.';
COMMENT ON COLUMN webhook_deliveries.source_position IS 'Position of that event.';
COMMENT ON COLUMN webhook_deliveries.body IS 'The body, byte for byte. Personal.';
COMMENT ON COLUMN webhook_deliveries.body_hash IS 'SHA-256 of the body, hex.';
COMMENT ON COLUMN webhook_deliveries.status IS 'pending, retry_scheduled, delivered or dead_lettered.';
COMMENT ON COLUMN webhook_deliveries.attempts IS 'Every attempt, in order.';
COMMENT ON COLUMN webhook_deliveries.next_attempt_at IS 'When it is tried again.';
COMMENT ON COLUMN webhook_deliveries.dead_letter_reason IS 'Why it is not tried any more.';
CREATE INDEX ON webhook_deliveries (owner_id, livemode, created_at DESC, id DESC);
CREATE INDEX ON webhook_deliveries (status, next_attempt_at);
CREATE INDEX ON webhook_deliveries (endpoint_id, created_at DESC, id DESC);
CREATE INDEX ON webhook_deliveries (status, created_at DESC, id DESC);
CREATE INDEX ON webhook_deliveries (endpoint_id, id) WHERE status IN ('pending', 'retry_scheduled');
CREATE INDEX ON webhook_deliveries (source_event);
CREATE INDEX ON webhook_deliveries (subject_id);
