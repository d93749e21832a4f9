//! `GET /.well-known/jwks.json`: the keys that receipts and COSE Receipts are signed with, retired ones included, so that old ones
//! verify.

use crate::{
    http::{answers, problem::Problem, rejection},
    state::State,
};
use axum::{Json, extract::State as Part, http::header, response::IntoResponse};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use events::{
    vault::{KeyPurpose, PublicKey, Vault},
    vocab::time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(jwks))
}

/// A key set (RFC 7517).
#[derive(Serialize, ToSchema)]
struct KeySet {
    /// By purpose, the oldest first.
    keys: Vec<Key>,
}

/// An Ed25519 public key (RFC 8037).
#[derive(Serialize, ToSchema)]
struct Key {
    /// `OKP`.
    kty: &'static str,
    /// `Ed25519`.
    crv: &'static str,
    /// What a receipt names it by.
    kid: String,
    /// The public key, base64url without padding.
    x: String,
    /// `EdDSA`.
    alg: &'static str,
    /// `sig`.
    #[serde(rename = "use")]
    use_: &'static str,
    /// What it signs: `receipt` for receipts, `cose_receipt` for proofs of inclusion in the log as COSE Receipts. Each key signs one
    /// kind of thing only.
    purpose: &'static str,
    /// When it began to sign.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it stopped; null for the key that signs now.
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
}

impl From<PublicKey> for Key {
    fn from(key: PublicKey) -> Self {
        Key {
            kty: "OKP",
            crv: "Ed25519",
            kid: key.kid,
            x: URL_SAFE_NO_PAD.encode(key.public),
            alg: "EdDSA",
            use_: "sig",
            purpose: key.purpose.as_str(),
            created_at: key.created_at,
            retired_at: key.retired_at,
        }
    }
}

/// Public keys of receipts
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "receipts", operation_id = "jwks",
    responses((status = 200, description = "The key set", body = KeySet), answers::Anyone))]
async fn jwks(Part(vault): Part<Vault>) -> Result<impl IntoResponse, Problem> {
    let mut keys = Vec::new();
    for purpose in [KeyPurpose::Receipt, KeyPurpose::CoseReceipt] {
        // The first key is made before anything is signed with it, so that a verifier never meets a key it could not have known.
        vault.signer(purpose).await.map_err(|error| rejection::read(&error))?;
        keys.extend(vault.public_keys(purpose).await.map_err(|error| rejection::read(&error))?.into_iter().map(Key::from));
    }
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(KeySet { keys })))
}
