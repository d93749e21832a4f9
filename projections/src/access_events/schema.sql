CREATE TABLE access_events (
    id                uuid        PRIMARY KEY,
    owner_id          uuid,
    livemode          boolean     NOT NULL,
    subject_id        uuid,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    position          bigint      NOT NULL,
    event_id          uuid        NOT NULL,
    event             text        NOT NULL,
    product_id        uuid,
    access_product_id uuid
);
COMMENT ON TABLE access_events IS 'Events that owners are told of, in the order of the log.';
COMMENT ON COLUMN access_events.id IS 'The event''s id; for sandbox access that begins, the entitlement''s.';
COMMENT ON COLUMN access_events.owner_id IS 'The workspace.';
COMMENT ON COLUMN access_events.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN access_events.subject_id IS 'Nobody: the row holds no personal data.';
COMMENT ON COLUMN access_events.created_at IS 'When the event was recorded.';
COMMENT ON COLUMN access_events.updated_at IS 'The same: a row never changes.';
COMMENT ON COLUMN access_events.position IS 'Position of the event.';
COMMENT ON COLUMN access_events.event_id IS 'The event.';
COMMENT ON COLUMN access_events.event IS 'What subscribers call it.';
COMMENT ON COLUMN access_events.product_id IS 'The hosted product, where the event names it.';
COMMENT ON COLUMN access_events.access_product_id IS 'The access product, where the event names it.';
CREATE UNIQUE INDEX ON access_events (owner_id, livemode, position);
CREATE INDEX ON access_events (event_id);
