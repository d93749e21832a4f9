CREATE TABLE mails (
    id              uuid        PRIMARY KEY,
    owner_id        uuid,
    livemode        boolean     NOT NULL,
    subject_id      uuid,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    position        bigint      NOT NULL,
    kind            text        NOT NULL,
    receipt_id      uuid,
    membership_id   uuid,
    status          text        NOT NULL,
    attempts        integer     NOT NULL,
    last_error      text,
    next_attempt_at timestamptz
);
COMMENT ON TABLE mails IS 'Mails to buyers, without addresses and texts.';
COMMENT ON COLUMN mails.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN mails.owner_id IS 'The workspace.';
COMMENT ON COLUMN mails.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN mails.subject_id IS 'Whose key seals what it says.';
COMMENT ON COLUMN mails.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN mails.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN mails.position IS 'Position of that last event.';
COMMENT ON COLUMN mails.kind IS 'What it is about.';
COMMENT ON COLUMN mails.receipt_id IS 'The receipt that it is about.';
COMMENT ON COLUMN mails.membership_id IS 'The membership that it is about.';
COMMENT ON COLUMN mails.status IS 'QUEUED, SENT or FAILED.';
COMMENT ON COLUMN mails.attempts IS 'How often it was tried.';
COMMENT ON COLUMN mails.last_error IS 'Why the last attempt failed, as a stable code.';
COMMENT ON COLUMN mails.next_attempt_at IS 'When it is tried next; null once it is sent or given up.';
CREATE INDEX ON mails (next_attempt_at, id) WHERE status = 'QUEUED';
