-- Answers that are stored for an Idempotency-Key are emptied when the person that they were about is erased.

GRANT UPDATE (body, request_hash) ON log.idempotency TO hilt_service;
COMMENT ON COLUMN log.idempotency.body IS 'Body of the answer, sealed; empty once the person that it was about is erased.';
COMMENT ON COLUMN log.idempotency.request_hash IS 'SHA-256 of the canonical request; zero once the person that it was about is erased.';
