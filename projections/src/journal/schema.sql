CREATE TABLE journal (
    id             uuid        PRIMARY KEY,
    owner_id       uuid,
    livemode       boolean     NOT NULL,
    subject_id     uuid,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    position       bigint      NOT NULL,
    asset_symbol   text        NOT NULL,
    asset_decimals integer     NOT NULL,
    asset_mint     text        NOT NULL,
    fee_source     text        NOT NULL,
    entries        jsonb       NOT NULL CHECK (projections.balanced(entries))
);
COMMENT ON TABLE journal IS 'Double entry: what each payment has moved between buyer, merchant, fee and receivable.';
COMMENT ON COLUMN journal.id IS 'The row''s id, which is the payment''s.';
COMMENT ON COLUMN journal.owner_id IS 'The workspace.';
COMMENT ON COLUMN journal.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN journal.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN journal.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN journal.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN journal.position IS 'Position of that last event.';
COMMENT ON COLUMN journal.asset_symbol IS 'What is paid with.';
COMMENT ON COLUMN journal.asset_decimals IS 'Decimals of its minor unit.';
COMMENT ON COLUMN journal.asset_mint IS 'Its mint, base58.';
COMMENT ON COLUMN journal.fee_source IS 'Who sends the fee: buyer_transfer or merchant_receivable.';
COMMENT ON COLUMN journal.entries IS 'One entry for each event that moved money: its postings, whose debits are its credits. None before the payment settles.';
CREATE INDEX ON journal (owner_id, livemode);
