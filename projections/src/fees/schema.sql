CREATE TABLE fees (
    id                uuid        PRIMARY KEY,
    owner_id          uuid,
    livemode          boolean     NOT NULL,
    subject_id        uuid,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    position          bigint      NOT NULL,
    session_id        uuid,
    product_id        uuid        NOT NULL,
    access_product_id uuid,
    amount            bigint      NOT NULL,
    asset_symbol      text        NOT NULL,
    asset_mint        text        NOT NULL,
    asset_decimals    smallint    NOT NULL,
    fee_bps           integer     NOT NULL,
    fee_policy        text        NOT NULL,
    tx_signature      text        NOT NULL
);
COMMENT ON TABLE fees IS 'Fees that merchants owe.';
COMMENT ON COLUMN fees.id IS 'The payment''s id.';
COMMENT ON COLUMN fees.owner_id IS 'The workspace that owes.';
COMMENT ON COLUMN fees.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN fees.subject_id IS 'Always null: it holds no personal data.';
COMMENT ON COLUMN fees.created_at IS 'When it became due.';
COMMENT ON COLUMN fees.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN fees.position IS 'Position of that last event.';
COMMENT ON COLUMN fees.session_id IS 'The session that was paid.';
COMMENT ON COLUMN fees.product_id IS 'The hosted product.';
COMMENT ON COLUMN fees.access_product_id IS 'The access product.';
COMMENT ON COLUMN fees.amount IS 'What is owed, in the asset''s minor unit.';
COMMENT ON COLUMN fees.asset_symbol IS 'The asset''s symbol.';
COMMENT ON COLUMN fees.asset_mint IS 'The asset''s mint.';
COMMENT ON COLUMN fees.asset_decimals IS 'The asset''s decimals.';
COMMENT ON COLUMN fees.fee_bps IS 'The rate, in hundredths of a percent.';
COMMENT ON COLUMN fees.fee_policy IS 'Which rule gave the rate.';
COMMENT ON COLUMN fees.tx_signature IS 'The transaction that paid the merchant.';
CREATE INDEX ON fees (owner_id, created_at DESC, id DESC);
CREATE INDEX ON fees (created_at DESC, id DESC);
