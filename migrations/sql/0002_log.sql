CREATE SCHEMA log;
COMMENT ON SCHEMA log IS 'The record: events in one order, and what commits together with them. Everything else is derived from it.';

CREATE TABLE log.events (
    position       bigint   NOT NULL PRIMARY KEY CHECK (position >= 0),
    version        bigint   NOT NULL CHECK (version >= 0),
    recorded_at    bigint   NOT NULL CHECK (recorded_at >= 0),
    stream_id      uuid     NOT NULL,
    event_id       uuid     NOT NULL,
    owner_id       uuid,
    correlation_id uuid     NOT NULL,
    causation_id   uuid,
    subject_id     uuid,
    schema_version smallint NOT NULL CHECK (schema_version > 0),
    livemode       boolean  NOT NULL,
    category       text     NOT NULL CHECK (octet_length(category) BETWEEN 1 AND 64),
    event_type     text     NOT NULL CHECK (octet_length(event_type) BETWEEN 1 AND 128),
    actor          text     NOT NULL CHECK (octet_length(actor) BETWEEN 1 AND 512),
    request_id     text     CHECK (octet_length(request_id) BETWEEN 1 AND 512),
    prev_leaf      bytea    NOT NULL CHECK (octet_length(prev_leaf) = 32),
    leaf           bytea    NOT NULL CHECK (octet_length(leaf) = 32),
    payload        bytea    NOT NULL CHECK (octet_length(payload) > 0),
    sealed         bytea    CHECK (octet_length(sealed) >= 40),
    CONSTRAINT events_event_id UNIQUE (event_id),
    CONSTRAINT events_stream_version UNIQUE (stream_id, category, version),
    CONSTRAINT events_sealed_for_someone CHECK ((sealed IS NULL) = (subject_id IS NULL))
);
-- Bytes are hashed and sent as they are: compressing them would cost time on both sides of every read.
ALTER TABLE log.events ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE log.events ALTER COLUMN sealed SET STORAGE EXTERNAL;

COMMENT ON TABLE log.events IS 'Every fact, once, in commit order. Append-only by trigger and by role.';
COMMENT ON COLUMN log.events.position IS 'Place in the whole log: 0-based, without gaps, equal to the index of the leaf in the proof tree.';
COMMENT ON COLUMN log.events.version IS 'Place in the stream: 0-based, without gaps.';
COMMENT ON COLUMN log.events.recorded_at IS 'When the log accepted it: microseconds since 1970-01-01T00:00:00Z, never less than at the position before.';
COMMENT ON COLUMN log.events.stream_id IS 'The aggregate; with category it names the stream.';
COMMENT ON COLUMN log.events.event_id IS 'Identity: UUIDv7, or derived from its cause by a worker.';
COMMENT ON COLUMN log.events.owner_id IS 'The workspace; null for events of the platform.';
COMMENT ON COLUMN log.events.correlation_id IS 'The business transaction: every event of one payment shares it.';
COMMENT ON COLUMN log.events.causation_id IS 'The event that led to this one.';
COMMENT ON COLUMN log.events.subject_id IS 'The person whose key seals the personal part; null when there is none.';
COMMENT ON COLUMN log.events.schema_version IS 'The schema the payload was written with; it is upcast on read and never rewritten.';
COMMENT ON COLUMN log.events.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN log.events.category IS 'The kind of aggregate.';
COMMENT ON COLUMN log.events.event_type IS 'What happened: aggregate.past_tense.';
COMMENT ON COLUMN log.events.actor IS 'Who caused it, as kind:id; opaque ids only, never a name or an address.';
COMMENT ON COLUMN log.events.request_id IS 'The HTTP request that caused it.';
COMMENT ON COLUMN log.events.prev_leaf IS 'Leaf of the stream''s previous event, zero at version 0: lets a stream prove that it is complete.';
COMMENT ON COLUMN log.events.leaf IS 'SHA-256 of 0x00 and the entry, which binds every other column except position.';
COMMENT ON COLUMN log.events.payload IS 'MessagePack in named-field form, hashed as stored. Never personal data, never a secret.';
COMMENT ON COLUMN log.events.sealed IS 'Personal part: 24-byte nonce, then XChaCha20-Poly1305 under the subject''s key with the event id as associated data.';

CREATE TABLE log.head (
    singleton     boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (singleton),
    next_position bigint  NOT NULL CHECK (next_position >= 0),
    epoch         bigint  NOT NULL CHECK (epoch >= 0),
    recorded_at   bigint  NOT NULL CHECK (recorded_at >= 0),
    frontier      bytea   NOT NULL CHECK (octet_length(frontier) % 32 = 0)
) WITH (fillfactor = 10);
INSERT INTO log.head (next_position, epoch, recorded_at, frontier) VALUES (0, 0, 0, '');

COMMENT ON TABLE log.head IS 'One row: where the log ends. Every batch of appends swaps it, so that writers follow one another without gaps.';
COMMENT ON COLUMN log.head.singleton IS 'Always true: there is one row.';
COMMENT ON COLUMN log.head.next_position IS 'The position the next event gets; the number of events there are.';
COMMENT ON COLUMN log.head.epoch IS 'Counts batches and fences. A statement that names an older one writes nothing.';
COMMENT ON COLUMN log.head.recorded_at IS 'Time of the last event, so that time never runs backwards in the log.';
COMMENT ON COLUMN log.head.frontier IS 'Roots of the perfect subtrees of the proof tree, largest first, 32 bytes each.';

CREATE TABLE log.claims (
    scope     text   NOT NULL,
    key       text   NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 1024),
    category  text   NOT NULL,
    stream_id uuid   NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (scope, key)
);
COMMENT ON TABLE log.claims IS 'Values that are unique across streams. They follow from the events and can be rebuilt from them.';
COMMENT ON COLUMN log.claims.scope IS 'What kind of value.';
COMMENT ON COLUMN log.claims.key IS 'The value, with what limits it in front.';
COMMENT ON COLUMN log.claims.category IS 'Category of the stream that holds it.';
COMMENT ON COLUMN log.claims.stream_id IS 'The stream that holds it.';
COMMENT ON COLUMN log.claims.position IS 'Position of the event that took it.';

CREATE TABLE log.idempotency (
    owner_id     uuid     NOT NULL,
    operation    text     NOT NULL CHECK (octet_length(operation) BETWEEN 1 AND 255),
    key          text     NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
    request_hash bytea    NOT NULL CHECK (octet_length(request_hash) = 32),
    status       smallint NOT NULL CHECK (status BETWEEN 100 AND 599),
    body         bytea    NOT NULL,
    position     bigint   NOT NULL,
    created_at   bigint   NOT NULL,
    PRIMARY KEY (owner_id, operation, key)
);
CREATE INDEX idempotency_age ON log.idempotency USING brin (created_at);
COMMENT ON TABLE log.idempotency IS 'Answers given under an Idempotency-Key, committed with the events they answer for.';
COMMENT ON COLUMN log.idempotency.owner_id IS 'Whose key.';
COMMENT ON COLUMN log.idempotency.operation IS 'Method and route template.';
COMMENT ON COLUMN log.idempotency.key IS 'The caller''s key.';
COMMENT ON COLUMN log.idempotency.request_hash IS 'SHA-256 of the canonical request.';
COMMENT ON COLUMN log.idempotency.status IS 'HTTP status of the answer.';
COMMENT ON COLUMN log.idempotency.body IS 'Body of the answer; sealed where it holds personal data.';
COMMENT ON COLUMN log.idempotency.position IS 'Position of the last event that committed with it.';
COMMENT ON COLUMN log.idempotency.created_at IS 'Microseconds since 1970; answers older than 30 days are pruned.';
