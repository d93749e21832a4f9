CREATE TABLE movements (
    id               uuid        PRIMARY KEY,
    owner_id         uuid,
    livemode         boolean     NOT NULL,
    subject_id       uuid,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    position         bigint      NOT NULL,
    source           text        NOT NULL,
    role             text        NOT NULL,
    account          text,
    asset_code       text        NOT NULL,
    asset_decimals   integer     NOT NULL,
    asset_mint       text,
    fee_source       text,
    payment_id       uuid,
    receipt_id       uuid,
    receipt_position bigint,
    block_time       timestamptz,
    reference        text,
    at               timestamptz,
    amount           bigint,
    evidence         uuid,
    moved_position   bigint
);
COMMENT ON TABLE movements IS 'What has reached accounts outside, by the log: the log''s side of a statement.';
COMMENT ON COLUMN movements.id IS 'Follows from the payment and the side, or from the owner and the invoice.';
COMMENT ON COLUMN movements.owner_id IS 'The workspace.';
COMMENT ON COLUMN movements.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN movements.subject_id IS 'Always null: it holds no personal data.';
COMMENT ON COLUMN movements.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN movements.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN movements.position IS 'Position of that last event.';
COMMENT ON COLUMN movements.source IS 'Where the account is: solana_usdc or stripe.';
COMMENT ON COLUMN movements.role IS 'Whose side: merchant, fee or invoice.';
COMMENT ON COLUMN movements.account IS 'The wallet; null at Stripe, where a deployment has one account.';
COMMENT ON COLUMN movements.asset_code IS 'The asset''s symbol, or a currency.';
COMMENT ON COLUMN movements.asset_decimals IS 'Decimals of its minor unit.';
COMMENT ON COLUMN movements.asset_mint IS 'Its mint, base58.';
COMMENT ON COLUMN movements.fee_source IS 'Who sends the fee of the payment.';
COMMENT ON COLUMN movements.payment_id IS 'The payment.';
COMMENT ON COLUMN movements.receipt_id IS 'Its receipt.';
COMMENT ON COLUMN movements.receipt_position IS 'Position of the receipt''s event.';
COMMENT ON COLUMN movements.block_time IS 'When its block was, as a passed look at the chain has shown.';
COMMENT ON COLUMN movements.reference IS 'What both sides call it, once it has moved.';
COMMENT ON COLUMN movements.at IS 'When it moved.';
COMMENT ON COLUMN movements.amount IS 'How much, in the minor unit; null before it has moved.';
COMMENT ON COLUMN movements.evidence IS 'The event that says so.';
COMMENT ON COLUMN movements.moved_position IS 'Position of that event.';
CREATE INDEX ON movements (source, account, at) WHERE amount IS NOT NULL;
CREATE INDEX ON movements (reference) WHERE amount IS NOT NULL;
