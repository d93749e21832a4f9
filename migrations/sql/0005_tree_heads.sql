CREATE TABLE log.tree_heads (
    size      bigint NOT NULL PRIMARY KEY CHECK (size >= 0),
    root      bytea  NOT NULL CHECK (octet_length(root) = 32),
    note      text   NOT NULL,
    signed_at bigint NOT NULL
);
COMMENT ON TABLE log.tree_heads IS 'Signed checkpoints: what the log has promised. Append-only.';
COMMENT ON COLUMN log.tree_heads.size IS 'Number of events it covers.';
COMMENT ON COLUMN log.tree_heads.root IS 'RFC 6962 root of their leaves.';
COMMENT ON COLUMN log.tree_heads.note IS 'The signed note, C2SP tlog-checkpoint.';
COMMENT ON COLUMN log.tree_heads.signed_at IS 'Microseconds since 1970.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.tree_heads
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
ALTER TABLE log.tree_heads ENABLE ALWAYS TRIGGER append_only;
