-- Read models: everything here is a fold of the log and may be dropped and built again.
--
-- A projection owns one table. Each build of it is a slot: a schema of its own that holds that table. Readers find the live slot
-- by name and put it on the search path, so a rebuild is invisible until it is swapped in, and then visible at once and whole.

CREATE SCHEMA projections;
COMMENT ON SCHEMA projections IS 'Which builds of the read models exist, which are live, and how far each has come.';

CREATE SEQUENCE projections.slot_number AS integer;
COMMENT ON SEQUENCE projections.slot_number IS 'Makes the name of every slot new, so that a late reader of a dropped slot never reads its successor.';

CREATE TABLE projections.slots (
    slot        text PRIMARY KEY CHECK (slot ~ '^p[0-9]+_[a-z_]{1,40}_v[0-9]+$'),
    name        text NOT NULL CHECK (name ~ '^[a-z][a-z_]{0,39}$'),
    version     integer NOT NULL CHECK (version > 0),
    state       text NOT NULL CHECK (state IN ('building', 'live', 'retired', 'shadow')),
    checkpoint  bigint NOT NULL DEFAULT -1 CHECK (checkpoint >= -1),
    opened_at   timestamptz NOT NULL DEFAULT now(),
    moved_at    timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE projections.slots IS 'One row per build of a projection. The row is locked while its table changes.';
COMMENT ON COLUMN projections.slots.slot IS 'The schema that holds the table.';
COMMENT ON COLUMN projections.slots.name IS 'The projection, which is also the table''s name.';
COMMENT ON COLUMN projections.slots.version IS 'The version of the fold that writes it.';
COMMENT ON COLUMN projections.slots.state IS 'building: catching up; live: read by queries; retired: replaced, kept until the next rebuild; shadow: built to be compared.';
COMMENT ON COLUMN projections.slots.checkpoint IS 'Position of the last event applied; -1 before the first. Commits with the rows.';
COMMENT ON COLUMN projections.slots.opened_at IS 'When the build began.';
COMMENT ON COLUMN projections.slots.moved_at IS 'When the checkpoint or the state last changed.';

CREATE UNIQUE INDEX slots_one_live ON projections.slots (name) WHERE state = 'live';
COMMENT ON INDEX projections.slots_one_live IS 'A projection is read from one slot only.';

CREATE TABLE projections.subscriptions (
    name        text PRIMARY KEY CHECK (name ~ '^[a-z][a-z_]{0,39}$'),
    checkpoint  bigint NOT NULL DEFAULT -1 CHECK (checkpoint >= -1),
    moved_at    timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE projections.subscriptions IS 'How far each other reader of the log has come: the relay and the workers.';
COMMENT ON COLUMN projections.subscriptions.name IS 'Who reads.';
COMMENT ON COLUMN projections.subscriptions.checkpoint IS 'Position of the last event handled; -1 before the first.';
COMMENT ON COLUMN projections.subscriptions.moved_at IS 'When it last moved.';

CREATE TABLE projections.dead_letters (
    name        text NOT NULL,
    version     integer NOT NULL,
    position    bigint NOT NULL CHECK (position >= 0),
    event_id    uuid NOT NULL,
    event_type  text NOT NULL,
    reason      text NOT NULL,
    first_seen  timestamptz NOT NULL DEFAULT now(),
    last_seen   timestamptz NOT NULL DEFAULT now(),
    seen        integer NOT NULL DEFAULT 1,
    resolved_at timestamptz,
    PRIMARY KEY (name, version, position)
);
COMMENT ON TABLE projections.dead_letters IS 'Events that stopped a projection or a subscription. An operator reads the reason, the code is fixed, and a restart goes on from there.';
COMMENT ON COLUMN projections.dead_letters.name IS 'Which projection or subscription.';
COMMENT ON COLUMN projections.dead_letters.version IS 'The version of its code; 0 for a subscription.';
COMMENT ON COLUMN projections.dead_letters.position IS 'The event''s place in the log.';
COMMENT ON COLUMN projections.dead_letters.event_id IS 'The event.';
COMMENT ON COLUMN projections.dead_letters.event_type IS 'Its type.';
COMMENT ON COLUMN projections.dead_letters.reason IS 'The rule that it breaks; never its content.';
COMMENT ON COLUMN projections.dead_letters.first_seen IS 'When it first stopped the reader.';
COMMENT ON COLUMN projections.dead_letters.last_seen IS 'When it last did.';
COMMENT ON COLUMN projections.dead_letters.seen IS 'How often it did.';
COMMENT ON COLUMN projections.dead_letters.resolved_at IS 'When the reader got past it.';

-- The service may not create schemas. It may ask for a slot, and gets a schema of its own to build one table in.
CREATE FUNCTION projections.open_slot(of_name text, of_version integer, in_state text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    opened text := format('p%s_%s_v%s', nextval('projections.slot_number'), of_name, of_version);
BEGIN
    IF in_state NOT IN ('building', 'shadow') THEN
        RAISE EXCEPTION 'a slot opens as building or shadow, not as %', in_state;
    END IF;
    INSERT INTO projections.slots (slot, name, version, state) VALUES (opened, of_name, of_version, in_state);
    EXECUTE format('CREATE SCHEMA %I', opened);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO hilt_service', opened);
    RETURN opened;
END $$;
COMMENT ON FUNCTION projections.open_slot IS 'Opens a slot: its row and its empty schema, in which the service may create.';

CREATE FUNCTION projections.drop_slot(of_slot text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM projections.slots WHERE slot = of_slot AND state <> 'live';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', of_slot);
    RETURN true;
END $$;
COMMENT ON FUNCTION projections.drop_slot IS 'Drops a slot with its table. A live slot stays.';

REVOKE ALL ON FUNCTION projections.open_slot(text, integer, text), projections.drop_slot(text) FROM PUBLIC;

-- The service moves checkpoints; slots come and go through the functions only.
GRANT USAGE ON SCHEMA projections TO hilt_service, hilt_auditor;
GRANT SELECT, UPDATE ON projections.slots TO hilt_service;
GRANT SELECT, INSERT, UPDATE ON projections.subscriptions, projections.dead_letters TO hilt_service;
GRANT EXECUTE ON FUNCTION projections.open_slot(text, integer, text), projections.drop_slot(text) TO hilt_service;
GRANT SELECT ON projections.slots, projections.subscriptions, projections.dead_letters TO hilt_auditor;
