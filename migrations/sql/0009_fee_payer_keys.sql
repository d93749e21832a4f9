-- The service pays the network's fee of x402 payments from a wallet of its own.
ALTER TABLE log.signing_keys DROP CONSTRAINT signing_keys_purpose_check;
ALTER TABLE log.signing_keys ADD CONSTRAINT signing_keys_purpose_check CHECK (purpose IN ('receipt', 'log', 'jwt', 'handoff', 'fee_payer'));
COMMENT ON COLUMN log.signing_keys.purpose IS 'receipt, log (tree heads), jwt, handoff (tokens of buyers who are known before checkout) or fee_payer (a Solana wallet that pays network fees).';
