//! Receipts, as anyone can check them: canonical JSON, its hash, an Ed25519 signature by a published key.

use super::canonical::{self, Seen};
use crate::class::BreakClass;
use ed25519_dalek::{Signature, VerifyingKey};
use events::vocab::{bytes::Hash32, event::ReceiptCreated};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Published receipt keys by `kid`, current and retired.
#[derive(Clone, Debug, Default)]
pub struct ReceiptKeys(HashMap<String, VerifyingKey>);

impl ReceiptKeys {
    /// Adds a key; `false` when the bytes are no Ed25519 public key.
    pub fn insert(&mut self, kid: String, public: &[u8; 32]) -> bool {
        VerifyingKey::from_bytes(public).map(|key| self.0.insert(kid, key)).is_ok()
    }
    /// The public keys by `kid`.
    pub(crate) fn publics(&self) -> BTreeMap<String, [u8; 32]> {
        self.0.iter().map(|(kid, key)| (kid.clone(), key.to_bytes())).collect()
    }
    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The keys of a JWKS document (RFC 7517, `kty: OKP, crv: Ed25519`); other keys in it are passed over.
    pub fn from_jwks(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| format!("the JWKS is not JSON: {error}"))?;
        let listed = document["keys"].as_array().ok_or("the JWKS has no keys")?;
        let mut keys = ReceiptKeys::default();
        for key in listed.iter().filter(|key| key["kty"] == "OKP" && key["crv"] == "Ed25519") {
            let (kid, x) = (key["kid"].as_str().ok_or("a key has no kid")?, key["x"].as_str().ok_or("a key has no x")?);
            if !public_of(x).is_some_and(|public| keys.insert(kid.to_owned(), &public)) {
                return Err(format!("key {kid} is not an Ed25519 public key"));
            }
        }
        Ok(keys)
    }
}

fn public_of(x: &str) -> Option<[u8; 32]> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(x).ok()?.try_into().ok()
}

/// In this order: the hash, the signature, then that the JSON is canonical and says what the event says.
pub(crate) fn check(receipt: &ReceiptCreated, keys: &ReceiptKeys) -> Result<(), (BreakClass, String)> {
    let bytes = receipt.receipt_json.as_bytes();
    let computed = Hash32::of(bytes);
    if computed != receipt.receipt_hash {
        let detail = format!("the receipt's JSON hashes to {computed}, the receipt says {}", receipt.receipt_hash);
        return Err((BreakClass::ReceiptHashMismatch, detail));
    }
    let unsigned = |detail: String| (BreakClass::ReceiptSignatureInvalid, detail);
    let key = keys.0.get(&receipt.kid).ok_or_else(|| unsigned(format!("key {} is not published", receipt.kid)))?;
    key.verify_strict(bytes, &Signature::from_bytes(&receipt.ed25519_sig.0))
        .map_err(|_| unsigned(format!("the signature is not key {}'s", receipt.kid)))?;
    content(receipt).map_err(|detail| (BreakClass::ReceiptContentMismatch, detail.to_owned()))
}

fn content(receipt: &ReceiptCreated) -> Result<(), &'static str> {
    let text = receipt.receipt_json.as_str();
    let is_canonical = match canonical::look(text) {
        Seen::Canonical => true,
        Seen::Not => false,
        Seen::Unknown => {
            let json: Value = serde_json::from_str(text).map_err(|_| NOT_JSON)?;
            serde_json_canonicalizer::to_vec(&json).ok().as_deref() == Some(text.as_bytes())
        }
    };
    if !is_canonical {
        return Err("the receipt is not canonical JSON (RFC 8785)");
    }
    let says: Says = serde_json::from_str(text).map_err(|_| "the receipt's JSON does not say what a receipt says")?;
    let same = [
        (says.receipt_id == receipt.receipt_id.to_string(), "the receipt's JSON names another receipt_id"),
        (says.transaction.tx_sig == receipt.tx_signature.to_string(), "the receipt's JSON names another transaction.tx_sig"),
        (says.transaction.amount_raw == receipt.amount.units(), "the receipt's JSON names another transaction.amount_raw"),
    ];
    match same.into_iter().find(|(same, _)| !same) {
        Some((_, detail)) => Err(detail),
        None => Ok(()),
    }
}

const NOT_JSON: &str = "the receipt is not JSON";

/// What a receipt's JSON and its event both say.
#[derive(Deserialize)]
struct Says {
    receipt_id: String,
    transaction: Transaction,
}

#[derive(Deserialize)]
struct Transaction {
    tx_sig: String,
    amount_raw: u64,
}
