CREATE TABLE log.subject_keys (
    subject_id uuid   NOT NULL PRIMARY KEY,
    owner_id   uuid   NOT NULL,
    wrapped    bytea,
    created_at bigint NOT NULL,
    erased_at  bigint,
    CONSTRAINT subject_keys_erased CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
);
COMMENT ON TABLE log.subject_keys IS 'One key a person, wrapped by the master key. Destroying it erases what was sealed with it.';
COMMENT ON COLUMN log.subject_keys.subject_id IS 'The person.';
COMMENT ON COLUMN log.subject_keys.owner_id IS 'The workspace that knows the person.';
COMMENT ON COLUMN log.subject_keys.wrapped IS 'The key, encrypted; null once it is destroyed.';
COMMENT ON COLUMN log.subject_keys.created_at IS 'Microseconds since 1970.';
COMMENT ON COLUMN log.subject_keys.erased_at IS 'When the key was destroyed.';

CREATE TABLE log.subject_identities (
    owner_id   uuid  NOT NULL,
    kind       text  NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 64),
    blind      bytea NOT NULL CHECK (octet_length(blind) = 32),
    subject_id uuid  NOT NULL REFERENCES log.subject_keys (subject_id),
    PRIMARY KEY (owner_id, kind, blind)
);
CREATE INDEX subject_identities_subject ON log.subject_identities (subject_id);
COMMENT ON TABLE log.subject_identities IS 'Finds a person by an identity without storing it: a keyed hash stands for the value.';
COMMENT ON COLUMN log.subject_identities.owner_id IS 'The workspace: identities are never compared across workspaces.';
COMMENT ON COLUMN log.subject_identities.kind IS 'What kind of identity.';
COMMENT ON COLUMN log.subject_identities.blind IS 'HMAC-SHA-256 of owner, kind and value.';
COMMENT ON COLUMN log.subject_identities.subject_id IS 'The person.';

CREATE TABLE log.secrets (
    id         uuid   NOT NULL,
    kind       text   NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 64),
    wrapped    bytea  NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (id, kind)
);
COMMENT ON TABLE log.secrets IS 'Secrets that must be used again, such as those that sign webhooks, encrypted.';
COMMENT ON COLUMN log.secrets.id IS 'What it belongs to.';
COMMENT ON COLUMN log.secrets.kind IS 'What it is for.';
COMMENT ON COLUMN log.secrets.wrapped IS 'The secret, encrypted under a key derived from the master key.';
COMMENT ON COLUMN log.secrets.created_at IS 'Microseconds since 1970.';

CREATE TABLE log.signing_keys (
    kid        text   NOT NULL PRIMARY KEY,
    purpose    text   NOT NULL CHECK (purpose IN ('receipt', 'log', 'jwt')),
    public     bytea  NOT NULL CHECK (octet_length(public) = 32),
    wrapped    bytea  NOT NULL,
    created_at bigint NOT NULL,
    retired_at bigint
);
CREATE UNIQUE INDEX signing_keys_current ON log.signing_keys (purpose) WHERE retired_at IS NULL;
COMMENT ON TABLE log.signing_keys IS 'Ed25519 keys with their history: a signature of long ago is checked with the key of then.';
COMMENT ON COLUMN log.signing_keys.kid IS 'First 16 hexadecimal digits of the SHA-256 of the public key.';
COMMENT ON COLUMN log.signing_keys.purpose IS 'receipt, log (tree heads) or jwt.';
COMMENT ON COLUMN log.signing_keys.public IS 'The public key.';
COMMENT ON COLUMN log.signing_keys.wrapped IS 'The private key, encrypted.';
COMMENT ON COLUMN log.signing_keys.created_at IS 'Microseconds since 1970.';
COMMENT ON COLUMN log.signing_keys.retired_at IS 'When it stopped signing; null for the current one.';
