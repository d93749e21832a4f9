CREATE TABLE access_apps (
    id              uuid        PRIMARY KEY,
    owner_id        uuid,
    livemode        boolean     NOT NULL,
    subject_id      uuid,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    position        bigint      NOT NULL,
    name            text        NOT NULL,
    external_app_id text        NOT NULL,
    default_rail    text        NOT NULL
);
COMMENT ON TABLE access_apps IS 'Access apps.';
COMMENT ON COLUMN access_apps.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN access_apps.owner_id IS 'The workspace.';
COMMENT ON COLUMN access_apps.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN access_apps.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN access_apps.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN access_apps.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN access_apps.position IS 'Position of that last event.';
COMMENT ON COLUMN access_apps.name IS 'Its name.';
COMMENT ON COLUMN access_apps.external_app_id IS 'The merchant''s own id of it.';
COMMENT ON COLUMN access_apps.default_rail IS 'Rail of products that name none.';
CREATE INDEX ON access_apps (owner_id, livemode, external_app_id);
