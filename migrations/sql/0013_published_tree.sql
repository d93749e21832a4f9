CREATE TABLE log.tree_nodes (
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
    index bigint   NOT NULL CHECK (index >= 0),
    hash  bytea    NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, index)
);
COMMENT ON TABLE log.tree_nodes IS 'Roots of the proof tree''s full tiles, so that tiles and proofs do not hash millions of leaves. They follow from the leaves. Append-only.';
COMMENT ON COLUMN log.tree_nodes.level IS 'Level of the C2SP tile whose hash it is: the root of 256 to the power of level leaves.';
COMMENT ON COLUMN log.tree_nodes.index IS 'Place in its level, from 0 without gaps.';
COMMENT ON COLUMN log.tree_nodes.hash IS 'RFC 6962 hash.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.tree_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
ALTER TABLE log.tree_nodes ENABLE ALWAYS TRIGGER append_only;

CREATE TABLE log.cosignatures (
    size        bigint NOT NULL,
    witness     text   NOT NULL CHECK (octet_length(witness) BETWEEN 1 AND 255),
    key_id      bytea  NOT NULL CHECK (octet_length(key_id) = 4),
    signed_at   bigint NOT NULL CHECK (signed_at > 0),
    line        text   NOT NULL CHECK (octet_length(line) BETWEEN 1 AND 512),
    received_at bigint NOT NULL,
    PRIMARY KEY (size, witness, key_id)
);
COMMENT ON TABLE log.cosignatures IS 'What witnesses have signed of the checkpoints: that they saw the log grow and never change. Append-only.';
COMMENT ON COLUMN log.cosignatures.size IS 'The checkpoint that it is about.';
COMMENT ON COLUMN log.cosignatures.witness IS 'The name that the witness signs under.';
COMMENT ON COLUMN log.cosignatures.key_id IS 'Which of its keys, as the note format counts.';
COMMENT ON COLUMN log.cosignatures.signed_at IS 'When the witness says that it signed: seconds since 1970, part of what is signed.';
COMMENT ON COLUMN log.cosignatures.line IS 'The signature line, C2SP tlog-cosignature version 1, without its newline.';
COMMENT ON COLUMN log.cosignatures.received_at IS 'Microseconds since 1970.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.cosignatures
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
ALTER TABLE log.cosignatures ENABLE ALWAYS TRIGGER append_only;

-- No foreign key: a checkpoint never goes away, and one would stand in the way of what refuses to truncate checkpoints.
CREATE FUNCTION log.refuse_unsigned_size() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM log.tree_heads WHERE size = NEW.size) THEN
        RAISE EXCEPTION 'there is no checkpoint of % events to cosign', NEW.size
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION log.refuse_unsigned_size() IS 'Keeps cosignatures to checkpoints that were signed.';

CREATE TRIGGER of_a_checkpoint BEFORE INSERT ON log.cosignatures
    FOR EACH ROW EXECUTE FUNCTION log.refuse_unsigned_size();
ALTER TABLE log.cosignatures ENABLE ALWAYS TRIGGER of_a_checkpoint;

GRANT SELECT, INSERT ON log.tree_nodes, log.cosignatures TO hilt_service;
GRANT SELECT ON log.tree_nodes, log.cosignatures TO hilt_auditor;

-- COSE Receipts are signed by a key of their own.
ALTER TABLE log.signing_keys DROP CONSTRAINT signing_keys_purpose_check;
ALTER TABLE log.signing_keys ADD CONSTRAINT signing_keys_purpose_check
    CHECK (purpose IN ('receipt', 'log', 'jwt', 'handoff', 'fee_payer', 'cose_receipt'));
COMMENT ON COLUMN log.signing_keys.purpose IS 'receipt, log (tree heads), jwt, handoff (tokens of buyers who are known before checkout), fee_payer (a Solana wallet that pays network fees) or cose_receipt (inclusion proofs as COSE Receipts).';

-- Finds the events of a business transaction. Its ids are made in the order of time, as positions are, so that an index of block
-- ranges is small and costs appends next to nothing; several ranges each, since a late event of an old transaction is far from it.
CREATE INDEX events_correlation ON log.events USING brin (correlation_id uuid_minmax_multi_ops)
    WITH (pages_per_range = 32, autosummarize = on);
