CREATE TABLE api_keys (
    id              uuid        PRIMARY KEY,
    owner_id        uuid,
    livemode        boolean     NOT NULL,
    subject_id      uuid,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    position        bigint      NOT NULL,
    label           text        NOT NULL,
    prefix          text        NOT NULL,
    scopes          jsonb       NOT NULL,
    sandbox_capable boolean     NOT NULL,
    status          text        NOT NULL,
    works_until     timestamptz,
    rotated_from    uuid,
    rotated_to      uuid,
    revoked_at      timestamptz
);
COMMENT ON TABLE api_keys IS 'API keys, without their hashes.';
COMMENT ON COLUMN api_keys.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN api_keys.owner_id IS 'The workspace.';
COMMENT ON COLUMN api_keys.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN api_keys.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN api_keys.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN api_keys.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN api_keys.position IS 'Position of that last event.';
COMMENT ON COLUMN api_keys.label IS 'The owner''s words for it.';
COMMENT ON COLUMN api_keys.prefix IS 'Its first characters, to recognise it by.';
COMMENT ON COLUMN api_keys.scopes IS 'What it may do.';
COMMENT ON COLUMN api_keys.sandbox_capable IS 'Whether a live key may also use the sandbox.';
COMMENT ON COLUMN api_keys.status IS 'active or revoked.';
COMMENT ON COLUMN api_keys.works_until IS 'When it stops working by itself: its own end, or that of the overlap with its successor.';
COMMENT ON COLUMN api_keys.rotated_from IS 'The key that it took the place of.';
COMMENT ON COLUMN api_keys.rotated_to IS 'The key that took its place.';
COMMENT ON COLUMN api_keys.revoked_at IS 'When it was revoked.';
CREATE INDEX ON api_keys (owner_id, created_at DESC, id DESC);
