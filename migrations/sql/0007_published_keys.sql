-- What anyone may see of the signing keys, so that an auditor checks receipts and tree heads without asking the service.
GRANT SELECT (kid, purpose, public, created_at, retired_at) ON log.signing_keys TO hilt_auditor;
