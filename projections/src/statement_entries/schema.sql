CREATE TABLE statement_entries (
    id               uuid        PRIMARY KEY,
    owner_id         uuid,
    livemode         boolean     NOT NULL,
    subject_id       uuid,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    position         bigint      NOT NULL,
    statement_id     uuid        NOT NULL,
    number           bigint      NOT NULL,
    reference        text        NOT NULL,
    status           text        NOT NULL,
    at               timestamptz NOT NULL,
    statement_amount text,
    ledger_amount    text,
    items            jsonb       NOT NULL,
    legs             jsonb       NOT NULL
);
ALTER TABLE statement_entries ADD CHECK ((status = 'matched') = coalesce(statement_amount = ledger_amount, false));
ALTER TABLE statement_entries ADD CHECK ((status = 'statement_only') = (ledger_amount IS NULL));
ALTER TABLE statement_entries ADD CHECK ((status = 'ledger_only') = (statement_amount IS NULL));
COMMENT ON TABLE statement_entries IS 'What became of each transaction of a statement.';
COMMENT ON COLUMN statement_entries.id IS 'Follows from the statement and the reference.';
COMMENT ON COLUMN statement_entries.owner_id IS 'Always null: statements are the platform''s.';
COMMENT ON COLUMN statement_entries.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN statement_entries.subject_id IS 'Always null: it holds no personal data.';
COMMENT ON COLUMN statement_entries.created_at IS 'When it was put on record.';
COMMENT ON COLUMN statement_entries.updated_at IS 'The same.';
COMMENT ON COLUMN statement_entries.position IS 'Position of the event.';
COMMENT ON COLUMN statement_entries.statement_id IS 'The statement.';
COMMENT ON COLUMN statement_entries.number IS 'Its number in the statement, from 1.';
COMMENT ON COLUMN statement_entries.reference IS 'What both sides call it: a transaction''s signature, an invoice''s id, or the line''s own id.';
COMMENT ON COLUMN statement_entries.status IS 'matched, different, statement_only or ledger_only.';
COMMENT ON COLUMN statement_entries.at IS 'When it happened.';
COMMENT ON COLUMN statement_entries.statement_amount IS 'What the statement says, in minor units, as decimal digits; null where it says nothing.';
COMMENT ON COLUMN statement_entries.ledger_amount IS 'What the log says, likewise.';
COMMENT ON COLUMN statement_entries.items IS 'Lines of the statement.';
COMMENT ON COLUMN statement_entries.legs IS 'Payments and invoices of the log.';
CREATE UNIQUE INDEX ON statement_entries (statement_id, number);
CREATE INDEX ON statement_entries (statement_id, status, number);
