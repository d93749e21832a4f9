CREATE SCHEMA IF NOT EXISTS migrations;
COMMENT ON SCHEMA migrations IS 'Which migrations this database has had.';
CREATE TABLE IF NOT EXISTS migrations.applied (
    version    integer     NOT NULL PRIMARY KEY,
    name       text        NOT NULL,
    checksum   bytea       NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE migrations.applied IS 'One row a migration.';
COMMENT ON COLUMN migrations.applied.version IS 'Number of the file.';
COMMENT ON COLUMN migrations.applied.name IS 'Name of the file.';
COMMENT ON COLUMN migrations.applied.checksum IS 'SHA-256 of the file, so that an edited one is noticed.';
COMMENT ON COLUMN migrations.applied.applied_at IS 'When it was applied.';
