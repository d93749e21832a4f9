//! The keys that the log's checkpoints may be signed with.

use crate::class::{Doing, Failure};
use ed25519_dalek::VerifyingKey;
use events::{
    proof::{Checkpoint, NoteKey},
    vault::KeyPurpose,
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
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(include_str!("sql/public_keys.sql"))
            .bind(KeyPurpose::Log.as_str())
            .fetch_all(connection)
            .await
            .doing("reading the log's published keys (give the key with --vkey if this role may not)")?;
        let key = |public: Vec<u8>| VerifyingKey::from_bytes(&public.try_into().ok()?).ok();
        let keys: Option<Vec<_>> = rows.into_iter().map(|(_, public)| key(public)).collect();
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
