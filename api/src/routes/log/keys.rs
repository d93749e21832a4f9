//! The keys that proofs are checked with.

use crate::{
    http::{answers, problem::Problem, rejection},
    state::State,
};
use axum::{Json, extract::State as Part, http::header, response::IntoResponse};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::{
    proof::Checkpointer,
    vault::{KeyPurpose, PublicKey, Vault},
    vocab::time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(keys))
}

/// Keys of the log.
#[derive(Serialize, ToSchema)]
struct ProofKeys {
    /// The name that checkpoints are signed under.
    origin: String,
    /// Keys of checkpoints and of statements about histories, oldest first.
    checkpoint_keys: Vec<ProofKey>,
    /// Keys of COSE Receipts, oldest first.
    cose_receipt_keys: Vec<ProofKey>,
    /// Witnesses whose signatures this deployment collects.
    witnesses: Vec<KnownWitness>,
}

/// An Ed25519 public key.
#[derive(Serialize, ToSchema)]
struct ProofKey {
    kid: String,
    /// In the form of C2SP signed notes; null for keys that sign no notes.
    vkey: Option<String>,
    /// For openssl and its like.
    pem: String,
    /// When it began to sign.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it stopped; null for the key that signs now.
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
}

/// A witness.
#[derive(Serialize, ToSchema)]
struct KnownWitness {
    name: String,
    /// In the form of C2SP signed notes, type 04.
    vkey: String,
}

impl ProofKey {
    fn new(key: PublicKey, vkey: Option<String>) -> Self {
        ProofKey { pem: pem(&key.public), kid: key.kid, vkey, created_at: key.created_at, retired_at: key.retired_at }
    }
}

/// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410): a fixed prefix, then the key.
fn pem(public: &[u8; 32]) -> String {
    const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    let encoded = STANDARD.encode([PREFIX.as_slice(), public].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n")
}

/// Keys of the log
///
/// What checkpoints and COSE Receipts are signed with, and whose signatures are collected. A key that comes from the server that it
/// checks proves little: keep your own copy, and compare it with what others have.
#[utoipa::path(get, path = "/v1/log/keys", tag = "log", operation_id = "log_keys",
    responses((status = 200, description = "The keys", body = ProofKeys), answers::Anyone))]
async fn keys(Part(checkpointer): Part<Checkpointer>, Part(vault): Part<Vault>) -> Result<impl IntoResponse, Problem> {
    let failed = |error| rejection::read(&error);
    // The first key of each kind is made before anything is signed with it.
    vault.signer(KeyPurpose::CoseReceipt).await.map_err(failed)?;
    let cose = vault.public_keys(KeyPurpose::CoseReceipt).await.map_err(failed)?;
    let checkpoints = checkpointer.vkeys().await.map_err(failed)?;
    let keys = ProofKeys {
        origin: checkpointer.origin().to_owned(),
        checkpoint_keys: checkpoints.into_iter().map(|(vkey, key)| ProofKey::new(key, Some(vkey.to_string()))).collect(),
        cose_receipt_keys: cose.into_iter().map(|key| ProofKey::new(key, None)).collect(),
        witnesses: checkpointer
            .witnesses()
            .iter()
            .map(|witness| KnownWitness { name: witness.name().to_owned(), vkey: witness.to_string() })
            .collect(),
    };
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(keys)))
}
