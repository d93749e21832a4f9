CREATE TABLE deliveries (
    id                uuid        PRIMARY KEY,
    owner_id          uuid,
    livemode          boolean     NOT NULL,
    subject_id        uuid,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    position          bigint      NOT NULL,
    payment_id        uuid        NOT NULL,
    product_id        uuid        NOT NULL,
    access_product_id uuid,
    membership_id     uuid,
    delivery_type     text        NOT NULL,
    mode              text        NOT NULL,
    status            text        NOT NULL,
    attempts          integer     NOT NULL,
    next_attempt_at   timestamptz,
    last_error        text,
    sent_at           timestamptz,
    history           jsonb       NOT NULL,
    withdrawal_status text,
    withdrawal_due_at timestamptz,
    withdrawal_error  text,
    withdrawn_at      timestamptz
);
COMMENT ON TABLE deliveries IS 'What payments bought, and whether it is handed over.';
COMMENT ON COLUMN deliveries.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN deliveries.owner_id IS 'The workspace.';
COMMENT ON COLUMN deliveries.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN deliveries.subject_id IS 'Who gets it. The row holds nothing personal.';
COMMENT ON COLUMN deliveries.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN deliveries.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN deliveries.position IS 'Position of that last event.';
COMMENT ON COLUMN deliveries.payment_id IS 'The payment that bought it.';
COMMENT ON COLUMN deliveries.product_id IS 'The product.';
COMMENT ON COLUMN deliveries.access_product_id IS 'The access product, when one was bought.';
COMMENT ON COLUMN deliveries.membership_id IS 'The membership that the payment began or renewed.';
COMMENT ON COLUMN deliveries.delivery_type IS 'REDIRECT, DISCORD_INVITE or TELEGRAM_INVITE.';
COMMENT ON COLUMN deliveries.mode IS 'static_value, telegram_bot or discord_bot, as of the last request or attempt.';
COMMENT ON COLUMN deliveries.status IS 'PENDING, SENT, FAILED, RETRY_SCHEDULED or MANUAL_REVIEW.';
COMMENT ON COLUMN deliveries.attempts IS 'How many attempts were made.';
COMMENT ON COLUMN deliveries.next_attempt_at IS 'When the next one is due, while one is scheduled.';
COMMENT ON COLUMN deliveries.last_error IS 'Why the last attempt failed, as a stable code; null once it is handed over.';
COMMENT ON COLUMN deliveries.sent_at IS 'When it was handed over last.';
COMMENT ON COLUMN deliveries.history IS 'Every attempt, in order.';
COMMENT ON COLUMN deliveries.withdrawal_status IS 'PENDING, DONE, RETRY_SCHEDULED or MANUAL_REVIEW, once the membership has ended; null while nothing is taken back.';
COMMENT ON COLUMN deliveries.withdrawal_due_at IS 'When the next attempt to take it back is due, while one is.';
COMMENT ON COLUMN deliveries.withdrawal_error IS 'Why the last one failed, as a stable code.';
COMMENT ON COLUMN deliveries.withdrawn_at IS 'When the member was found to be out.';
CREATE INDEX ON deliveries (mode, next_attempt_at, id) WHERE status IN ('PENDING', 'RETRY_SCHEDULED');
CREATE INDEX ON deliveries (mode, withdrawal_due_at, id) WHERE withdrawal_due_at IS NOT NULL;
CREATE INDEX ON deliveries (owner_id, livemode, status, created_at DESC, id DESC);
CREATE INDEX ON deliveries (membership_id, created_at DESC);
