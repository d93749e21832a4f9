-- Rebuilding that proves itself: builds that can be resumed and looked at before they go live, what each swap replaced, and a
-- journal whose entries balance.

ALTER TABLE projections.slots DROP CONSTRAINT slots_state_check;
ALTER TABLE projections.slots ADD CONSTRAINT slots_state_check
    CHECK (state IN ('building', 'live', 'retired', 'shadow', 'candidate'));
COMMENT ON COLUMN projections.slots.state IS 'building: catching up; live: read by queries; retired: replaced, kept until the next rebuild; shadow: built to be compared; candidate: built beside the live one, resumed after a kill, swapped in when an operator says so.';

CREATE OR REPLACE FUNCTION projections.open_slot(of_name text, of_version integer, in_state text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    opened text := format('p%s_%s_v%s', nextval('projections.slot_number'), of_name, of_version);
BEGIN
    IF in_state NOT IN ('building', 'shadow', 'candidate') THEN
        RAISE EXCEPTION 'a slot opens as building, shadow or candidate, not as %', in_state;
    END IF;
    INSERT INTO projections.slots (slot, name, version, state) VALUES (opened, of_name, of_version, in_state);
    EXECUTE format('CREATE SCHEMA %I', opened);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO hilt_service', opened);
    RETURN opened;
END $$;

CREATE TABLE projections.swaps (
    id             uuid        NOT NULL PRIMARY KEY,
    name           text        NOT NULL CHECK (name ~ '^[a-z][a-z_]{0,39}$'),
    version_before integer     NOT NULL CHECK (version_before > 0),
    version_after  integer     NOT NULL CHECK (version_after > 0),
    checkpoint     bigint      NOT NULL CHECK (checkpoint >= -1),
    rows_before    bigint      NOT NULL CHECK (rows_before >= 0),
    rows_after     bigint      NOT NULL CHECK (rows_after >= 0),
    root_before    bytea       NOT NULL CHECK (octet_length(root_before) = 32),
    root_after     bytea       NOT NULL CHECK (octet_length(root_after) = 32),
    differences    bigint      NOT NULL CHECK (differences >= 0),
    swapped_at     timestamptz NOT NULL DEFAULT now(),
    certified_in   uuid
);
COMMENT ON TABLE projections.swaps IS 'Builds that an operator compared with the live one and put in its place. A recovery certificate says what these rows say, and then the log binds it.';
COMMENT ON COLUMN projections.swaps.id IS 'Which swap.';
COMMENT ON COLUMN projections.swaps.name IS 'The projection.';
COMMENT ON COLUMN projections.swaps.version_before IS 'The version of the fold that had written the replaced build.';
COMMENT ON COLUMN projections.swaps.version_after IS 'The version of the fold that wrote the new one.';
COMMENT ON COLUMN projections.swaps.checkpoint IS 'Position of the last event in both when they were compared; -1 before the first.';
COMMENT ON COLUMN projections.swaps.rows_before IS 'Rows of the replaced build.';
COMMENT ON COLUMN projections.swaps.rows_after IS 'Rows of the new one.';
COMMENT ON COLUMN projections.swaps.root_before IS 'Root over the rows of the replaced build.';
COMMENT ON COLUMN projections.swaps.root_after IS 'Root over the rows of the new one.';
COMMENT ON COLUMN projections.swaps.differences IS 'Rows that were missing, that no event had made, or that differed.';
COMMENT ON COLUMN projections.swaps.swapped_at IS 'When.';
COMMENT ON COLUMN projections.swaps.certified_in IS 'The recovery whose certificate holds it; null until there is one.';

GRANT SELECT, INSERT, UPDATE (certified_in) ON projections.swaps TO hilt_service;
GRANT SELECT ON projections.swaps TO hilt_auditor;

CREATE FUNCTION projections.balanced(entries jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(bool_and(entry.balanced), true)
    FROM (
        SELECT sum((posting ->> 'debit')::numeric) = sum((posting ->> 'credit')::numeric)
               AND bool_and((posting ->> 'debit')::numeric >= 0 AND (posting ->> 'credit')::numeric >= 0) AS balanced
        FROM jsonb_array_elements(entries) WITH ORDINALITY AS one (entry, number)
        CROSS JOIN LATERAL jsonb_array_elements(entry -> 'postings') AS posting
        GROUP BY number
    ) entry
$$;
COMMENT ON FUNCTION projections.balanced IS 'Whether in every entry of a journal the debits are the credits, and no amount is negative.';

-- The newest attestation of the read models is looked for regularly.
CREATE INDEX events_attestations ON log.events (position) WHERE category = 'state';

-- Whoever holds the tables against the log also asks which migrations made them.
GRANT USAGE ON SCHEMA migrations TO hilt_service, hilt_auditor;
GRANT SELECT ON migrations.applied TO hilt_service, hilt_auditor;
