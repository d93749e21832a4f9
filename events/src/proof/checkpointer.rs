//! Signs what the log has come to, and keeps what it has signed.

use super::{Checkpoint, NoteKey};
use crate::{
    log::{Log, ReadError},
    vault::{KeyPurpose, VaultError},
    vocab::{bytes::Hash32, time::Timestamp},
};
use sqlx::FromRow;

/// A signed checkpoint, as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeHead {
    /// Number of events it covers.
    pub size: u64,
    /// Their root.
    pub root: Hash32,
    /// The signed note.
    pub note: String,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// Why there is no signed checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The signing key cannot be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The tree heads cannot be read or written.
    #[error("the tree heads cannot be reached")]
    Database(#[from] sqlx::Error),
}

/// Signs checkpoints of one log under one name.
#[derive(Clone, Debug)]
pub struct Checkpointer {
    log: Log,
    origin: String,
}

#[derive(FromRow)]
struct TreeHeadRow {
    size: i64,
    root: Vec<u8>,
    note: String,
    signed_at: i64,
}

impl TryFrom<TreeHeadRow> for TreeHead {
    type Error = sqlx::Error;
    fn try_from(row: TreeHeadRow) -> Result<Self, sqlx::Error> {
        Ok(TreeHead {
            size: u64::try_from(row.size).map_err(|error| sqlx::Error::Decode(error.into()))?,
            root: Hash32::try_from(row.root.as_slice()).map_err(|error| sqlx::Error::Decode(error.into()))?,
            note: row.note,
            signed_at: Timestamp::from_micros(row.signed_at),
        })
    }
}

impl Checkpointer {
    /// Signs for `log` under the name `origin`.
    pub fn new(log: Log, origin: &str) -> Self {
        Checkpointer { log, origin: origin.to_owned() }
    }

    /// The key to check its checkpoints with, in the note format's own form.
    pub async fn vkey(&self) -> Result<NoteKey, VaultError> {
        let signer = self.log.vault().signer(KeyPurpose::Log).await?;
        Ok(NoteKey::new(&self.origin, signer.public()))
    }

    /// The signed checkpoint of the log as it is now: the one kept, if nothing was appended since.
    pub async fn sign(&self) -> Result<TreeHead, CheckpointError> {
        let head = self.log.head().await?;
        if let Some(latest) = self.latest().await?
            && latest.size >= head.next_position
        {
            return Ok(latest);
        }
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: head.next_position, root: head.frontier.root() };
        let signer = self.log.vault().signer(KeyPurpose::Log).await?;
        sqlx::query(include_str!("sql/keep_tree_head.sql"))
            .bind(i64::try_from(checkpoint.size).unwrap_or(i64::MAX))
            .bind(checkpoint.root.0.as_slice())
            .bind(checkpoint.sign(&signer))
            .bind(self.log.clock().now().micros())
            .execute(self.log.pool())
            .await?;
        // Another process may have signed the same or a larger size meanwhile: what is kept is what counts.
        Ok(self.latest().await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// The newest one kept.
    pub async fn latest(&self) -> Result<Option<TreeHead>, sqlx::Error> {
        let row: Option<TreeHeadRow> = sqlx::query_as(include_str!("sql/latest_tree_head.sql")).fetch_optional(self.log.pool()).await?;
        row.map(TreeHead::try_from).transpose()
    }

    /// The smallest one kept that covers `position`.
    pub async fn covering(&self, position: u64) -> Result<Option<TreeHead>, sqlx::Error> {
        let row: Option<TreeHeadRow> = sqlx::query_as(include_str!("sql/covering_tree_head.sql"))
            .bind(i64::try_from(position).unwrap_or(i64::MAX))
            .fetch_optional(self.log.pool())
            .await?;
        row.map(TreeHead::try_from).transpose()
    }
}
