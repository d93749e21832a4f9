//! A receipt as the API and the public page show it: whole for its merchant, without private notes for everyone else.

use crate::{
    http::{
        problem::{Code, Problem},
        rejection,
    },
    state::Settings,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use events::{
    clock::Clock,
    vault::{KeyPurpose, PublicKey, Vault},
    vocab::{
        bytes::{Hash32, Signature64},
        event::ReceiptCreated,
        id::{MembershipId, OwnerId, PaymentId, ReceiptId},
        time::Timestamp,
    },
};
use projections::{
    Reader, payments,
    receipts::{self, Receipt},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A receipt.
#[derive(Serialize, ToSchema)]
pub struct FullReceipt {
    #[schema(value_type = String, format = Uuid)]
    receipt_id: ReceiptId,
    /// What is hashed and signed, in its RFC 8785 form.
    #[schema(value_type = Object)]
    receipt_json: Value,
    /// SHA-256 of the canonical form, hex.
    #[schema(value_type = String)]
    receipt_hash: Hash32,
    /// Ed25519 over the canonical form, base64.
    #[schema(value_type = String)]
    ed25519_sig: Signature64,
    /// Which key of `/.well-known/jwks.json` signed.
    kid: String,
    schema_version: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    verify_url: String,
    /// What it cost; 0 for a receipt of a checkout.
    credits_burned: u32,
    /// `checkout` or `merchant_submitted`.
    source: &'static str,
    /// Whether Hilt saw the transaction final on chain.
    chain_verified: bool,
    /// Null on a receipt made by hand.
    #[schema(value_type = Option<String>, format = Uuid)]
    payment_id: Option<PaymentId>,
    /// The membership that the payment began or renewed.
    #[schema(value_type = Option<String>, format = Uuid)]
    membership_id: Option<MembershipId>,
    invoice_metadata: InvoiceMetadata,
    /// How often the link to the proof was sent by mail.
    proofs_sent: u32,
}

/// What the merchant noted for the invoice. It is no part of what is signed.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct InvoiceMetadata {
    pub invoice_number: Option<String>,
    pub buyer_name: Option<String>,
    pub buyer_email: Option<String>,
    pub billing_reference: Option<String>,
    pub notes: Option<String>,
}

/// What anyone may see of it (Q-8).
#[derive(Clone, Serialize, ToSchema)]
pub struct PublicInvoiceMetadata {
    pub invoice_number: Option<String>,
    pub buyer_name: Option<String>,
    pub billing_reference: Option<String>,
}

/// A receipt for anyone.
#[derive(Serialize, ToSchema)]
pub struct PublicReceipt {
    #[schema(value_type = String, format = Uuid)]
    pub receipt_id: ReceiptId,
    /// What is hashed and signed, in its RFC 8785 form.
    #[schema(value_type = Object)]
    pub receipt_json: Value,
    /// As issued.
    #[schema(value_type = String)]
    pub receipt_hash: Hash32,
    /// As issued.
    #[schema(value_type = String)]
    pub ed25519_sig: Signature64,
    pub kid: String,
    pub schema_version: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    pub verify_url: String,
    /// The proof that the receipt is in the log.
    pub proof_url: String,
    /// `checkout` or `merchant_submitted`.
    pub source: &'static str,
    /// Whether Hilt saw the transaction final on chain.
    pub chain_verified: bool,
    pub verification: Verdict,
    pub invoice_metadata: PublicInvoiceMetadata,
}

/// What verification found.
#[derive(Serialize, ToSchema)]
pub struct Verdict {
    #[schema(value_type = String, format = Uuid)]
    pub receipt_id: ReceiptId,
    /// Hash and signature both hold.
    pub valid: bool,
    pub hash_valid: bool,
    pub signature_valid: bool,
    /// As issued.
    #[schema(value_type = String)]
    pub receipt_hash: Hash32,
    /// As issued.
    #[schema(value_type = String)]
    pub ed25519_sig: Signature64,
    pub kid: String,
    /// The key of that `kid`, base64; null when there is none.
    pub public_key: Option<String>,
    pub schema_version: String,
    #[schema(value_type = String, format = DateTime)]
    pub verified_at: Timestamp,
}

/// An owner's receipt, whole; another owner's is not found.
pub async fn full(reader: &Reader, settings: &Settings, owner: OwnerId, id: ReceiptId) -> Result<FullReceipt, Problem> {
    let receipt = receipts::find(reader, owner, id).await.map_err(rejection::query)?;
    let receipt = receipt.ok_or_else(|| Problem::of(Code::ReceiptNotFound))?;
    let membership_id = match receipt.payment_id {
        Some(payment) => payments::find(reader, owner, payment).await.map_err(rejection::query)?.and_then(|row| row.membership_id),
        None => None,
    };
    Ok(FullReceipt {
        receipt_id: id,
        receipt_json: parsed(&receipt.receipt_json)?,
        receipt_hash: receipt.receipt_hash,
        ed25519_sig: receipt.ed25519_sig,
        verify_url: settings.verify_url(id),
        created_at: receipt.issued_at,
        credits_burned: receipt.credits_burned,
        source: receipt.source.as_str(),
        chain_verified: receipt.chain_verified,
        payment_id: receipt.payment_id,
        membership_id,
        proofs_sent: receipt.proofs_sent,
        kid: receipt.kid,
        schema_version: receipt.schema_version,
        invoice_metadata: InvoiceMetadata {
            invoice_number: receipt.invoice_number,
            buyer_name: receipt.buyer_name,
            buyer_email: receipt.buyer_email,
            billing_reference: receipt.billing_reference,
            notes: receipt.notes,
        },
    })
}

/// A receipt that has just been made by hand.
pub fn fresh(settings: &Settings, created: &ReceiptCreated) -> Result<FullReceipt, Problem> {
    Ok(FullReceipt {
        receipt_id: created.receipt_id,
        receipt_json: parsed(&created.receipt_json)?,
        receipt_hash: created.receipt_hash,
        ed25519_sig: created.ed25519_sig,
        kid: created.kid.clone(),
        schema_version: created.receipt_schema.clone(),
        created_at: created.created_at,
        verify_url: settings.verify_url(created.receipt_id),
        credits_burned: created.credits_burned,
        source: created.source.as_str(),
        chain_verified: created.chain_verified,
        payment_id: created.payment_id,
        membership_id: None,
        invoice_metadata: InvoiceMetadata::default(),
        proofs_sent: 0,
    })
}

/// What anyone may see of a receipt, with its verification of this moment (RT-040): what `/r/{receipt_id}` shows.
pub async fn public(reader: &Reader, vault: &Vault, clock: &Clock, settings: &Settings, id: ReceiptId) -> Result<PublicReceipt, Problem> {
    let receipt = receipts::find_public(reader, id).await.map_err(rejection::query)?;
    let receipt = receipt.ok_or_else(|| Problem::of(Code::ReceiptNotFound))?;
    let verification = verdict(vault, clock, &receipt).await?;
    // Altered bytes may be no JSON any more; the verdict says that they do not hold.
    let receipt_json = serde_json::from_str(&receipt.receipt_json).unwrap_or(Value::Null);
    Ok(PublicReceipt {
        receipt_id: id,
        receipt_json,
        receipt_hash: receipt.receipt_hash,
        ed25519_sig: receipt.ed25519_sig,
        kid: receipt.kid,
        schema_version: receipt.schema_version,
        created_at: receipt.issued_at,
        verify_url: settings.verify_url(id),
        proof_url: settings.proof_url(id),
        source: receipt.source.as_str(),
        chain_verified: receipt.chain_verified,
        verification,
        invoice_metadata: PublicInvoiceMetadata {
            invoice_number: receipt.invoice_number,
            buyer_name: receipt.buyer_name,
            billing_reference: receipt.billing_reference,
        },
    })
}

/// Whether a receipt holds, computed from its stored bytes.
pub async fn verdict(vault: &Vault, clock: &Clock, receipt: &Receipt) -> Result<Verdict, Problem> {
    let keys = vault.public_keys(KeyPurpose::Receipt).await.map_err(|error| rejection::read(&error))?;
    let key = keys.into_iter().find(|key| key.kid == receipt.kid);
    let (hash_valid, signature_valid) = judge(&receipt.receipt_json, &receipt.receipt_hash, &receipt.ed25519_sig, key.as_ref());
    Ok(Verdict {
        receipt_id: receipt.meta.id.into(),
        valid: hash_valid && signature_valid,
        hash_valid,
        signature_valid,
        receipt_hash: receipt.receipt_hash,
        ed25519_sig: receipt.ed25519_sig,
        kid: receipt.kid.clone(),
        public_key: key.map(|key| STANDARD.encode(key.public)),
        schema_version: receipt.schema_version.clone(),
        verified_at: clock.now(),
    })
}

fn parsed(json: &str) -> Result<Value, Problem> {
    serde_json::from_str(json).map_err(|error| Problem::internal(&error, "show a receipt"))
}

/// Whether the hash and the signature are those of `json`, byte for byte.
fn judge(json: &str, hash: &Hash32, signature: &Signature64, key: Option<&PublicKey>) -> (bool, bool) {
    let key = key.and_then(|key| VerifyingKey::from_bytes(&key.public).ok());
    let signature = Signature::from_bytes(&signature.0);
    (Hash32::of(json) == *hash, key.is_some_and(|key| key.verify_strict(json.as_bytes(), &signature).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    #[test]
    fn a_changed_receipt_is_not_valid() {
        let signing = SigningKey::from_bytes(&[9; 32]);
        let key = PublicKey {
            kid: "k".into(),
            purpose: KeyPurpose::Receipt,
            public: signing.verifying_key().to_bytes(),
            created_at: Timestamp::from_micros(0),
            retired_at: Some(Timestamp::from_micros(1)),
        };
        let json = r#"{"amount_raw":25000000}"#;
        let (hash, signature) = (Hash32::of(json), Signature64(signing.sign(json.as_bytes()).to_bytes()));
        assert_eq!(judge(json, &hash, &signature, Some(&key)), (true, true));
        let changed = r#"{"amount_raw":25000001}"#;
        assert_eq!(judge(changed, &hash, &signature, Some(&key)), (false, false));
        assert_eq!(judge(changed, &Hash32::of(changed), &signature, Some(&key)), (true, false));
        assert_eq!(judge(json, &hash, &signature, None), (true, false), "a key that was never published proves nothing");
    }
}
