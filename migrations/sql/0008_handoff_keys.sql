-- Handoff tokens are signed by a key of their own.
ALTER TABLE log.signing_keys DROP CONSTRAINT signing_keys_purpose_check;
ALTER TABLE log.signing_keys ADD CONSTRAINT signing_keys_purpose_check CHECK (purpose IN ('receipt', 'log', 'jwt', 'handoff'));
COMMENT ON COLUMN log.signing_keys.purpose IS 'receipt, log (tree heads), jwt or handoff (tokens of buyers who are known before checkout).';
