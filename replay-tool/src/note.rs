//! The keys that the log's checkpoints may be signed with.

use crate::class::{Break, BreakClass, Doing, Failure};
use ed25519_dalek::VerifyingKey;
use events::{
    proof::{Checkpoint, NoteKey},
    vault::KeyPurpose,
    vocab::bytes::Hash32,
};
use sqlx::PgConnection;

/// The keys that a checkpoint may be signed with.
pub(crate) enum LogKeys {
    /// The auditor's own.
    Given(NoteKey),
    /// Those in the database, current and retired, under whatever name the checkpoint has.
    Published(Vec<VerifyingKey>),
}

impl LogKeys {
    /// The key that the auditor brought, in the note format's own form.
    pub fn given(vkey: &str) -> Result<Self, String> {
        vkey.parse().map(LogKeys::Given).map_err(|error: events::vocab::bytes::Malformed| error.to_string())
    }

    /// The keys that the database publishes.
    pub async fn published(connection: &mut PgConnection) -> Result<Self, Failure> {
        let published = public_keys(connection, KeyPurpose::Log).await?;
        let keys: Option<Vec<_>> = published.iter().map(|(_, public)| VerifyingKey::from_bytes(public).ok()).collect();
        keys.map(LogKeys::Published).ok_or(Failure::Unreadable("a published key of the log is not an Ed25519 public key"))
    }

    /// Where they came from.
    pub fn source(&self) -> &'static str {
        match self {
            LogKeys::Given(_) => "given",
            LogKeys::Published(_) => "database",
        }
    }

    /// The checkpoint in `note`, if the log signed it.
    pub fn open(&self, note: &str) -> Result<Checkpoint, String> {
        match self {
            LogKeys::Given(key) => Checkpoint::open(note, key).map_err(|error| error.to_string()),
            LogKeys::Published(keys) => {
                let origin = note.lines().next().unwrap_or_default();
                let opened = keys.iter().find_map(|public| Checkpoint::open(note, &NoteKey::new(origin, *public)).ok());
                opened.ok_or_else(|| "no published key of the log signed it".to_owned())
            }
        }
    }
}

/// The keys that the database publishes for a purpose, current and retired, each under the fingerprint that names it.
pub(crate) async fn public_keys(connection: &mut PgConnection, purpose: KeyPurpose) -> Result<Vec<(String, [u8; 32])>, Failure> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(include_str!("sql/public_keys.sql"))
        .bind(purpose.as_str())
        .fetch_all(connection)
        .await
        .doing("reading the published keys (give them with --vkey and --jwks if this role may not)")?;
    rows.into_iter()
        .map(|(kid, public)| -> Result<_, Failure> {
            let fingerprint = Hash32::of(&public).to_string();
            let mismatch = || Break::at(BreakClass::KeyMismatch, 0, format!("the {} key {kid} has another fingerprint", purpose.as_str()));
            let public = public.try_into().ok().filter(|_| fingerprint.get(..16) == Some(kid.as_str())).ok_or_else(mismatch)?;
            Ok((kid, public))
        })
        .collect()
}
