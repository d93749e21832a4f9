//! `jwks.json`: the receipt keys that a bundle's receipts name, as a key set (RFC 7517) of the one form that it can have.

use crate::ReceiptKeys;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The file's bytes: canonical JSON, keys by `kid`.
pub(crate) fn to_bytes(keys: &BTreeMap<String, [u8; 32]>) -> Result<Vec<u8>, serde_json::Error> {
    let key = |(kid, public): (&String, &[u8; 32])| json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": URL_SAFE_NO_PAD.encode(public) });
    serde_json_canonicalizer::to_vec(&json!({ "keys": keys.iter().map(key).collect::<Vec<Value>>() }))
}

/// The keys in `bytes`, if they are what [`to_bytes`] writes.
pub(crate) fn read(bytes: &[u8]) -> Result<ReceiptKeys, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let keys = ReceiptKeys::from_jwks(text)?;
    match to_bytes(&keys.publics()).ok().as_deref() == Some(bytes) {
        true => Ok(keys),
        false => Err("the key set has another form than a bundle's".to_owned()),
    }
}
