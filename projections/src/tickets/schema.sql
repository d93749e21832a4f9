CREATE TABLE tickets (
    id          uuid        PRIMARY KEY,
    owner_id    uuid,
    livemode    boolean     NOT NULL,
    subject_id  uuid,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    position    bigint      NOT NULL,
    subject_ids uuid[]      NOT NULL,
    public_id   text        NOT NULL,
    status      text        NOT NULL,
    category    text        NOT NULL,
    subject     text,
    context     jsonb       NOT NULL,
    messages    jsonb       NOT NULL
);
COMMENT ON TABLE tickets IS 'Support tickets.';
COMMENT ON COLUMN tickets.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN tickets.owner_id IS 'The workspace.';
COMMENT ON COLUMN tickets.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN tickets.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN tickets.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN tickets.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN tickets.position IS 'Position of that last event.';
COMMENT ON COLUMN tickets.subject_ids IS 'Everyone whose personal data the row holds.';
COMMENT ON COLUMN tickets.public_id IS 'Its public name.';
COMMENT ON COLUMN tickets.status IS 'OPEN, WAITING_ON_MERCHANT or CLOSED.';
COMMENT ON COLUMN tickets.category IS 'What it is about.';
COMMENT ON COLUMN tickets.subject IS 'Subject line. Personal.';
COMMENT ON COLUMN tickets.context IS 'What it is linked to.';
COMMENT ON COLUMN tickets.messages IS 'Every message, in order; texts are personal.';
CREATE INDEX ON tickets (owner_id, created_at DESC, id DESC);
CREATE INDEX ON tickets (public_id);
CREATE INDEX ON tickets USING gin (subject_ids);
