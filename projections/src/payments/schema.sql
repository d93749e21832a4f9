CREATE TABLE payments (
    id                    uuid        PRIMARY KEY,
    owner_id              uuid,
    livemode              boolean     NOT NULL,
    subject_id            uuid,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    position              bigint      NOT NULL,
    product_id            uuid        NOT NULL,
    access_product_id     uuid,
    session_id            uuid,
    entitlement_id        uuid,
    status                text        NOT NULL,
    memo                  text        NOT NULL,
    asset_symbol          text        NOT NULL,
    asset_decimals        integer     NOT NULL,
    asset_mint            text        NOT NULL,
    amount                bigint      NOT NULL,
    merchant_amount       bigint      NOT NULL,
    fee_amount            bigint      NOT NULL,
    fee_bps               integer     NOT NULL,
    fee_policy            text        NOT NULL,
    merchant_wallet       text        NOT NULL,
    fee_wallet            text,
    payer_wallet          text,
    identity_required     boolean     NOT NULL,
    identity_type         text,
    identity_value        text,
    identity_display      text,
    billing_interval_days integer,
    grace_period_days     integer,
    tx_signature          text,
    wallet_source         text,
    slot                  bigint,
    expires_at            timestamptz NOT NULL,
    confirmed_at          timestamptz,
    failed_at             timestamptz,
    failure_reason        text,
    last_attempt          jsonb,
    membership_id         uuid,
    receipt_id            uuid
);
COMMENT ON TABLE payments IS 'Checkout payments.';
COMMENT ON COLUMN payments.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN payments.owner_id IS 'The workspace.';
COMMENT ON COLUMN payments.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN payments.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN payments.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN payments.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN payments.position IS 'Position of that last event.';
COMMENT ON COLUMN payments.product_id IS 'What is bought.';
COMMENT ON COLUMN payments.access_product_id IS 'The access product, when it is bought through one.';
COMMENT ON COLUMN payments.session_id IS 'The payment session, when there is one.';
COMMENT ON COLUMN payments.entitlement_id IS 'The entitlement that waits for it.';
COMMENT ON COLUMN payments.status IS 'PENDING_SIGNATURE, PENDING_CONFIRMATION, CONFIRMED, FAILED or EXPIRED.';
COMMENT ON COLUMN payments.memo IS 'Ties a transaction to it.';
COMMENT ON COLUMN payments.asset_symbol IS 'What is paid with.';
COMMENT ON COLUMN payments.asset_decimals IS 'Decimals of its minor unit.';
COMMENT ON COLUMN payments.asset_mint IS 'Its mint, base58.';
COMMENT ON COLUMN payments.amount IS 'Gross, in minor units.';
COMMENT ON COLUMN payments.merchant_amount IS 'The merchant''s part, in minor units.';
COMMENT ON COLUMN payments.fee_amount IS 'Hilt''s fee, in minor units.';
COMMENT ON COLUMN payments.fee_bps IS 'The rate, in basis points.';
COMMENT ON COLUMN payments.fee_policy IS 'Where the rate came from.';
COMMENT ON COLUMN payments.merchant_wallet IS 'Where the merchant''s part goes, base58.';
COMMENT ON COLUMN payments.fee_wallet IS 'Where the fee goes, base58.';
COMMENT ON COLUMN payments.payer_wallet IS 'Who pays or paid, base58.';
COMMENT ON COLUMN payments.identity_required IS 'Whether it settles only with a verified identity.';
COMMENT ON COLUMN payments.identity_type IS 'Kind of the buyer''s identity, as he said it. Personal.';
COMMENT ON COLUMN payments.identity_value IS 'The identity. Personal.';
COMMENT ON COLUMN payments.identity_display IS 'Its handle. Personal.';
COMMENT ON COLUMN payments.billing_interval_days IS 'Length of the membership period it buys, in days.';
COMMENT ON COLUMN payments.grace_period_days IS 'Days of grace after that period.';
COMMENT ON COLUMN payments.tx_signature IS 'The transaction, base58.';
COMMENT ON COLUMN payments.wallet_source IS 'Which kind of wallet announced it.';
COMMENT ON COLUMN payments.slot IS 'Slot of the settled transaction.';
COMMENT ON COLUMN payments.expires_at IS 'Until when it can be paid.';
COMMENT ON COLUMN payments.confirmed_at IS 'When it was confirmed.';
COMMENT ON COLUMN payments.failed_at IS 'When it failed.';
COMMENT ON COLUMN payments.failure_reason IS 'Why it failed, as a stable code.';
COMMENT ON COLUMN payments.last_attempt IS 'What the last look at the chain found.';
COMMENT ON COLUMN payments.membership_id IS 'The membership that it began or renewed.';
COMMENT ON COLUMN payments.receipt_id IS 'Its receipt.';
CREATE INDEX ON payments (owner_id, livemode, created_at DESC, id DESC);
CREATE INDEX ON payments (product_id, created_at DESC, id DESC);
CREATE INDEX ON payments (memo);
CREATE INDEX ON payments (tx_signature);
CREATE INDEX ON payments (status, expires_at);
CREATE INDEX ON payments (subject_id);
