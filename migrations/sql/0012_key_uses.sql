CREATE TABLE log.api_key_uses (
    key_id       uuid   NOT NULL PRIMARY KEY,
    last_used_at bigint NOT NULL
);
COMMENT ON TABLE log.api_key_uses IS 'When each API key was last used, to the minute. A note for its owner, not a record: it follows from no event and no read model folds it.';
COMMENT ON COLUMN log.api_key_uses.key_id IS 'The key.';
COMMENT ON COLUMN log.api_key_uses.last_used_at IS 'Microseconds since 1970; written at most once a minute and key.';

GRANT SELECT, INSERT, UPDATE ON log.api_key_uses TO hilt_service;
