CREATE TABLE approvals (
    id                uuid        PRIMARY KEY,
    owner_id          uuid,
    livemode          boolean     NOT NULL,
    subject_id        uuid,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    position          bigint      NOT NULL,
    action            text        NOT NULL,
    target            uuid        NOT NULL,
    subject           jsonb       NOT NULL,
    status            text        NOT NULL,
    requested_by      text        NOT NULL,
    requested_because text        NOT NULL,
    requested_kid     text,
    decided_by        text,
    decided_because   text,
    decided_kid       text,
    decided_at        timestamptz,
    applied_by        text,
    applied_event     uuid,
    applied_at        timestamptz
);
COMMENT ON TABLE approvals IS 'What one member of staff asks for and another approves.';
COMMENT ON COLUMN approvals.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN approvals.owner_id IS 'The workspace; none, for it is the platforms.';
COMMENT ON COLUMN approvals.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN approvals.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN approvals.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN approvals.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN approvals.position IS 'Position of that last event.';
COMMENT ON COLUMN approvals.action IS 'What is to be done.';
COMMENT ON COLUMN approvals.target IS 'To what.';
COMMENT ON COLUMN approvals.subject IS 'What is to be approved, as it was when it was asked for.';
COMMENT ON COLUMN approvals.status IS 'pending, approved, rejected or applied.';
COMMENT ON COLUMN approvals.requested_by IS 'The member of staff who asked.';
COMMENT ON COLUMN approvals.requested_because IS 'Why.';
COMMENT ON COLUMN approvals.requested_kid IS 'Which key of his signed it; none where he has no key.';
COMMENT ON COLUMN approvals.decided_by IS 'The other who agreed or did not.';
COMMENT ON COLUMN approvals.decided_because IS 'Why.';
COMMENT ON COLUMN approvals.decided_kid IS 'Which key of his signed it; none where he has no key.';
COMMENT ON COLUMN approvals.decided_at IS 'When.';
COMMENT ON COLUMN approvals.applied_by IS 'Who had it take effect.';
COMMENT ON COLUMN approvals.applied_event IS 'The event that it permitted.';
COMMENT ON COLUMN approvals.applied_at IS 'When.';
CREATE INDEX ON approvals (status, created_at, id);
CREATE INDEX ON approvals (created_at, id);
