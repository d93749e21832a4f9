GRANT USAGE ON SCHEMA log TO hilt_service, hilt_auditor;

-- The service appends and reads; what it may change is what is not a record.
GRANT SELECT, INSERT ON log.events, log.tree_heads TO hilt_service;
GRANT SELECT, UPDATE ON log.head TO hilt_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON log.claims TO hilt_service;
GRANT SELECT, INSERT, DELETE ON log.idempotency TO hilt_service;
GRANT SELECT, INSERT, UPDATE ON log.subject_keys TO hilt_service;
GRANT SELECT, INSERT, DELETE ON log.subject_identities, log.secrets TO hilt_service;
GRANT UPDATE (wrapped, created_at) ON log.secrets TO hilt_service;
GRANT SELECT, INSERT, UPDATE (retired_at) ON log.signing_keys TO hilt_service;

-- An auditor sees the record and its proofs, and no key.
GRANT SELECT ON log.events, log.head, log.claims, log.tree_heads TO hilt_auditor;
