CREATE TABLE credits (
    id            uuid        PRIMARY KEY,
    owner_id      uuid,
    livemode      boolean     NOT NULL,
    subject_id    uuid,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    position      bigint      NOT NULL,
    period        text        NOT NULL,
    plan          text        NOT NULL,
    granted       bigint      NOT NULL,
    burned        bigint      NOT NULL,
    burned_in_all bigint      NOT NULL
);
COMMENT ON TABLE credits IS 'What owners may spend on receipts made by hand.';
COMMENT ON COLUMN credits.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN credits.owner_id IS 'The workspace.';
COMMENT ON COLUMN credits.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN credits.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN credits.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN credits.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN credits.position IS 'Position of that last event.';
COMMENT ON COLUMN credits.period IS 'The newest calendar month, in UTC, with any record: YYYY-MM.';
COMMENT ON COLUMN credits.plan IS 'The plan that granted them.';
COMMENT ON COLUMN credits.granted IS 'Granted for that month.';
COMMENT ON COLUMN credits.burned IS 'Burned in it.';
COMMENT ON COLUMN credits.burned_in_all IS 'Burned since the beginning.';
