CREATE TABLE receipts (
    id                uuid        PRIMARY KEY,
    owner_id          uuid,
    livemode          boolean     NOT NULL,
    subject_id        uuid,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    position          bigint      NOT NULL,
    payment_id        uuid,
    product_id        uuid,
    access_product_id uuid,
    amount            bigint      NOT NULL,
    tx_signature      text        NOT NULL,
    wallet            text        NOT NULL,
    receipt_json      text        NOT NULL,
    receipt_hash      text        NOT NULL,
    ed25519_sig       text        NOT NULL,
    kid               text        NOT NULL,
    schema_version    text        NOT NULL,
    credits_burned    integer     NOT NULL,
    issued_at         timestamptz NOT NULL,
    event_id          uuid        NOT NULL,
    source            text        NOT NULL,
    chain_verified    boolean     NOT NULL,
    invoice_number    text,
    buyer_name        text,
    buyer_email       text,
    billing_reference text,
    notes             text,
    proofs_sent       integer     NOT NULL,
    proof_sent_at     timestamptz
);
COMMENT ON TABLE receipts IS 'Signed receipts.';
COMMENT ON COLUMN receipts.id IS 'The row''s id, which is the aggregate''s.';
COMMENT ON COLUMN receipts.owner_id IS 'The workspace.';
COMMENT ON COLUMN receipts.livemode IS 'Whether it concerns real money.';
COMMENT ON COLUMN receipts.subject_id IS 'Whose personal data the row holds.';
COMMENT ON COLUMN receipts.created_at IS 'When its first event was recorded.';
COMMENT ON COLUMN receipts.updated_at IS 'When the last event that touched it was.';
COMMENT ON COLUMN receipts.position IS 'Position of that last event.';
COMMENT ON COLUMN receipts.payment_id IS 'The payment it is of.';
COMMENT ON COLUMN receipts.product_id IS 'The product.';
COMMENT ON COLUMN receipts.access_product_id IS 'The access product.';
COMMENT ON COLUMN receipts.amount IS 'Gross, in minor units.';
COMMENT ON COLUMN receipts.tx_signature IS 'The transaction, base58.';
COMMENT ON COLUMN receipts.wallet IS 'Who paid, base58.';
COMMENT ON COLUMN receipts.receipt_json IS 'RFC 8785 canonical JSON: the bytes that are hashed and signed.';
COMMENT ON COLUMN receipts.receipt_hash IS 'SHA-256 of them, hex.';
COMMENT ON COLUMN receipts.ed25519_sig IS 'Signature of them, base64.';
COMMENT ON COLUMN receipts.kid IS 'Which published key signed.';
COMMENT ON COLUMN receipts.schema_version IS 'Version of the receipt''s form.';
COMMENT ON COLUMN receipts.credits_burned IS 'What it cost in credits.';
COMMENT ON COLUMN receipts.issued_at IS 'When it was signed.';
COMMENT ON COLUMN receipts.event_id IS 'Its event, of which the log can prove that it holds it.';
COMMENT ON COLUMN receipts.source IS 'Who says that the transaction happened: checkout or merchant_submitted.';
COMMENT ON COLUMN receipts.chain_verified IS 'Whether Hilt saw it final on chain.';
COMMENT ON COLUMN receipts.invoice_number IS 'The merchant''s invoice number. Personal.';
COMMENT ON COLUMN receipts.buyer_name IS 'Name on the invoice. Personal.';
COMMENT ON COLUMN receipts.buyer_email IS 'Where the proof is sent. Personal.';
COMMENT ON COLUMN receipts.billing_reference IS 'The buyer''s own reference. Personal.';
COMMENT ON COLUMN receipts.notes IS 'The merchant''s notes. Personal.';
COMMENT ON COLUMN receipts.proofs_sent IS 'How often the link to the proof was sent by mail.';
COMMENT ON COLUMN receipts.proof_sent_at IS 'When it was last.';
CREATE INDEX ON receipts (owner_id, livemode, created_at DESC, id DESC);
CREATE INDEX ON receipts (owner_id, tx_signature);
CREATE INDEX ON receipts (payment_id);
CREATE INDEX ON receipts (owner_id, wallet);
CREATE INDEX ON receipts (subject_id);
