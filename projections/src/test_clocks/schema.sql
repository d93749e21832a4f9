CREATE TABLE test_clocks (
    id          uuid        PRIMARY KEY,
    owner_id    uuid,
    livemode    boolean     NOT NULL,
    subject_id  uuid,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    position    bigint      NOT NULL,
    name        text,
    frozen_time timestamptz NOT NULL,
    deleted     boolean     NOT NULL
);
COMMENT ON TABLE test_clocks IS 'Clocks of the sandbox.';
COMMENT ON COLUMN test_clocks.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN test_clocks.owner_id IS 'The workspace.';
COMMENT ON COLUMN test_clocks.livemode IS 'Always false.';
COMMENT ON COLUMN test_clocks.subject_id IS 'Always null: it holds no personal data.';
COMMENT ON COLUMN test_clocks.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN test_clocks.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN test_clocks.position IS 'Position of that last event.';
COMMENT ON COLUMN test_clocks.name IS 'The owner''s words for it.';
COMMENT ON COLUMN test_clocks.frozen_time IS 'The time it shows.';
COMMENT ON COLUMN test_clocks.deleted IS 'Whether it is no more.';
CREATE INDEX ON test_clocks (owner_id, created_at DESC, id DESC) WHERE NOT deleted;
