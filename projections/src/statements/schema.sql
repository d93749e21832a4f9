CREATE TABLE statements (
    id               uuid        PRIMARY KEY,
    owner_id         uuid,
    livemode         boolean     NOT NULL,
    subject_id       uuid,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    position         bigint      NOT NULL,
    source           text        NOT NULL,
    account          text        NOT NULL,
    asset_code       text        NOT NULL,
    asset_decimals   integer     NOT NULL,
    asset_mint       text,
    period_start     timestamptz NOT NULL,
    period_end       timestamptz NOT NULL,
    format           text        NOT NULL,
    digest           text        NOT NULL,
    bytes            bigint      NOT NULL,
    items            bigint      NOT NULL,
    through_position bigint      NOT NULL,
    sums             jsonb       NOT NULL,
    chunks           bigint      NOT NULL,
    imported_by      text        NOT NULL
);
ALTER TABLE statements ADD CHECK (period_start < period_end);
ALTER TABLE statements ADD CHECK (
    (sums ->> 'difference')::numeric = (sums ->> 'statement_total')::numeric - (sums ->> 'ledger_total')::numeric
);
ALTER TABLE statements ADD CHECK (
    (sums ->> 'difference')::numeric
    = (sums #>> '{statement_only,statement}')::numeric - (sums #>> '{ledger_only,ledger}')::numeric
    + (sums #>> '{different,statement}')::numeric - (sums #>> '{different,ledger}')::numeric
);
COMMENT ON TABLE statements IS 'Statements of chains and of Stripe that were held against the log.';
COMMENT ON COLUMN statements.id IS 'Follows from source, account, asset, mode and digest.';
COMMENT ON COLUMN statements.owner_id IS 'Always null: statements are the platform''s.';
COMMENT ON COLUMN statements.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN statements.subject_id IS 'Always null: it holds no personal data.';
COMMENT ON COLUMN statements.created_at IS 'When it was put on record.';
COMMENT ON COLUMN statements.updated_at IS 'The same.';
COMMENT ON COLUMN statements.position IS 'Position of the event.';
COMMENT ON COLUMN statements.source IS 'Where the account is: solana_usdc or stripe.';
COMMENT ON COLUMN statements.account IS 'A wallet, or an account of Stripe''s.';
COMMENT ON COLUMN statements.asset_code IS 'The asset''s symbol, or a currency.';
COMMENT ON COLUMN statements.asset_decimals IS 'Decimals of its minor unit.';
COMMENT ON COLUMN statements.asset_mint IS 'Its mint, base58.';
COMMENT ON COLUMN statements.period_start IS 'The first moment it covers.';
COMMENT ON COLUMN statements.period_end IS 'The first moment it does not cover any more.';
COMMENT ON COLUMN statements.format IS 'How the file is written.';
COMMENT ON COLUMN statements.digest IS 'SHA-256 of the file as it was received, in hex.';
COMMENT ON COLUMN statements.bytes IS 'Its length.';
COMMENT ON COLUMN statements.items IS 'Lines of it that say that something moved.';
COMMENT ON COLUMN statements.through_position IS 'Position of the last event of the log that was taken into account.';
COMMENT ON COLUMN statements.sums IS 'What both sides come to, whole and by status, as decimal digits.';
COMMENT ON COLUMN statements.chunks IS 'Events that hold its entries.';
COMMENT ON COLUMN statements.imported_by IS 'The member of staff who brought it.';
CREATE INDEX ON statements (created_at DESC, id DESC);
