CREATE TABLE workspaces (
    id         uuid        PRIMARY KEY,
    owner_id   uuid,
    livemode   boolean     NOT NULL,
    subject_id uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    position   bigint      NOT NULL,
    profile    jsonb
);
COMMENT ON TABLE workspaces IS 'How workspaces show themselves to buyers.';
COMMENT ON COLUMN workspaces.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN workspaces.owner_id IS 'The workspace.';
COMMENT ON COLUMN workspaces.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN workspaces.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN workspaces.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN workspaces.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN workspaces.position IS 'Position of that last event.';
COMMENT ON COLUMN workspaces.profile IS 'The profile, as saved; null after the merchant is erased. Personal.';
CREATE INDEX ON workspaces (owner_id, position DESC);
