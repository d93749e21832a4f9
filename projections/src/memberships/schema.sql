CREATE TABLE memberships (
    id                            uuid        PRIMARY KEY,
    owner_id                      uuid,
    livemode                      boolean     NOT NULL,
    subject_id                    uuid,
    created_at                    timestamptz NOT NULL,
    updated_at                    timestamptz NOT NULL,
    position                      bigint      NOT NULL,
    product_id                    uuid        NOT NULL,
    access_product_id             uuid,
    platform                      text,
    wallet                        text        NOT NULL,
    external_customer_id          text,
    email                         text,
    identity_type                 text,
    identity_value                text,
    identity_display              text,
    platform_display              text,
    notes                         text,
    latest_payment_id             uuid        NOT NULL,
    latest_tx_signature           text        NOT NULL,
    term_start_at                 timestamptz NOT NULL,
    current_period_end_at         timestamptz NOT NULL,
    grace_end_at                  timestamptz NOT NULL,
    grace_period_days             integer     NOT NULL,
    renewal_reminder_offsets_days jsonb       NOT NULL,
    recorded_status               text        NOT NULL,
    revoked_at                    timestamptz,
    revoke_reason                 text,
    cancel_at_period_end          boolean     NOT NULL,
    reminded_offset_days          integer,
    next_due_at                   timestamptz,
    history                       jsonb       NOT NULL
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
COMMENT ON COLUMN memberships.platform IS 'Where the member gets in: TELEGRAM, DISCORD or CUSTOM.';
COMMENT ON COLUMN memberships.wallet IS 'Who paid last, base58.';
COMMENT ON COLUMN memberships.external_customer_id IS 'The merchant''s id of the member. Personal.';
COMMENT ON COLUMN memberships.email IS 'The member''s e-mail address. Personal.';
COMMENT ON COLUMN memberships.identity_type IS 'Kind of platform identity. Personal.';
COMMENT ON COLUMN memberships.identity_value IS 'The platform identity, as verified. Personal.';
COMMENT ON COLUMN memberships.identity_display IS 'Its handle, as it came. Personal.';
COMMENT ON COLUMN memberships.platform_display IS 'Its handle or label, as the merchant corrected it. Personal.';
COMMENT ON COLUMN memberships.notes IS 'The merchant''s notes, which only he sees. Personal.';
COMMENT ON COLUMN memberships.latest_payment_id IS 'The last payment.';
COMMENT ON COLUMN memberships.latest_tx_signature IS 'Its transaction, base58.';
COMMENT ON COLUMN memberships.term_start_at IS 'Start of the last stretch of time that was paid or given; ahead when it was paid early.';
COMMENT ON COLUMN memberships.current_period_end_at IS 'Until when it is paid; grace comes after it.';
COMMENT ON COLUMN memberships.grace_end_at IS 'When grace is over.';
COMMENT ON COLUMN memberships.grace_period_days IS 'Days of grace.';
COMMENT ON COLUMN memberships.renewal_reminder_offsets_days IS 'Days before the end at which the member is reminded.';
COMMENT ON COLUMN memberships.recorded_status IS 'ACTIVE, GRACE, EXPIRED or REVOKED as recorded: the clock is the reader''s.';
COMMENT ON COLUMN memberships.revoked_at IS 'When the merchant ended it.';
COMMENT ON COLUMN memberships.revoke_reason IS 'Why, as a code.';
COMMENT ON COLUMN memberships.cancel_at_period_end IS 'Whether the member has said that he will not go on.';
COMMENT ON COLUMN memberships.reminded_offset_days IS 'The last reminder of this term: days before its end.';
COMMENT ON COLUMN memberships.next_due_at IS 'When the clock next changes something that goes on record; null when nothing is left.';
COMMENT ON COLUMN memberships.history IS 'What happened, in order; notes in it are personal.';
CREATE INDEX ON memberships (owner_id, livemode, created_at DESC, id DESC);
CREATE INDEX ON memberships (owner_id, livemode, current_period_end_at);
CREATE INDEX ON memberships (owner_id, livemode, updated_at);
CREATE INDEX ON memberships (owner_id, wallet);
CREATE INDEX ON memberships (owner_id, lower(ltrim(identity_value, '@')));
CREATE INDEX ON memberships (owner_id, lower(ltrim(identity_display, '@')));
CREATE INDEX ON memberships (owner_id, lower(ltrim(platform_display, '@')));
CREATE INDEX ON memberships (owner_id, external_customer_id);
CREATE INDEX ON memberships (owner_id, lower(email));
CREATE INDEX ON memberships (subject_id);
CREATE INDEX ON memberships (next_due_at, id) WHERE next_due_at IS NOT NULL;
CREATE INDEX ON memberships USING gin (history jsonb_path_ops);
