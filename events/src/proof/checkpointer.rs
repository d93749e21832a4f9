//! Signs what the log has come to, keeps what it has signed, and what witnesses signed of it.

use super::{Checkpoint, Cosignature, NoteError, NoteKey, Tree, TreeError, WitnessKey};
use crate::{
    log::{Log, ReadError},
    vault::{KeyPurpose, PublicKey, VaultError},
    vocab::{bytes::Hash32, time::Timestamp},
};
use ed25519_dalek::VerifyingKey;
use sqlx::{FromRow, PgPool, Postgres, postgres::PgArguments, query::QueryAs};
use std::sync::Arc;

/// How far a witness's clock may be ahead, in seconds.
const AHEAD: i64 = 300;

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

/// A witness's signature, as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptCosignature {
    /// Size of the checkpoint it is about.
    pub size: u64,
    /// The witness's name.
    pub witness: String,
    /// Which of its keys.
    pub key_id: [u8; 4],
    /// When it signed, by its own clock, in seconds since 1970.
    pub time: u64,
    /// The signature line, without its newline.
    pub line: String,
    /// When it came.
    pub received_at: Timestamp,
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
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The head and the stored tree say different things: one of them was altered, and neither is signed.
    #[error("the log's head at {size} events has another root than the stored tree; run hilt-replay verify")]
    Differs {
        /// Number of events.
        size: u64,
    },
}

/// Why a cosignature is not kept.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// It is no signed checkpoint, or a signature on it is wrong.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// This log has not signed that checkpoint.
    #[error("this log has not signed that checkpoint")]
    NotOurs,
    /// Nobody who is known as a witness signed it.
    #[error("no witness that this log knows has signed the checkpoint")]
    Unknown,
    /// The witness's clock is ahead.
    #[error("the cosignature by {0} is of the future")]
    Future(String),
    /// The tree heads cannot be read or written.
    #[error("the tree heads cannot be reached")]
    Database(#[from] sqlx::Error),
}

/// Signs checkpoints of one log under one name.
#[derive(Clone, Debug)]
pub struct Checkpointer {
    log: Log,
    origin: String,
    witnesses: Arc<[WitnessKey]>,
    tree: Tree,
}

#[derive(FromRow)]
struct TreeHeadRow {
    size: i64,
    root: Vec<u8>,
    note: String,
    signed_at: i64,
}

#[derive(FromRow)]
struct CosignatureRow {
    size: i64,
    witness: String,
    key_id: Vec<u8>,
    signed_at: i64,
    line: String,
    received_at: i64,
}

fn decoding(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

impl TryFrom<TreeHeadRow> for TreeHead {
    type Error = sqlx::Error;
    fn try_from(row: TreeHeadRow) -> Result<Self, sqlx::Error> {
        Ok(TreeHead {
            size: u64::try_from(row.size).map_err(decoding)?,
            root: Hash32::try_from(row.root.as_slice()).map_err(decoding)?,
            note: row.note,
            signed_at: Timestamp::from_micros(row.signed_at),
        })
    }
}

impl TryFrom<CosignatureRow> for KeptCosignature {
    type Error = sqlx::Error;
    fn try_from(row: CosignatureRow) -> Result<Self, sqlx::Error> {
        Ok(KeptCosignature {
            size: u64::try_from(row.size).map_err(decoding)?,
            witness: row.witness,
            key_id: row.key_id.try_into().map_err(|_| decoding("a key id is 4 bytes"))?,
            time: u64::try_from(row.signed_at).map_err(decoding)?,
            line: row.line,
            received_at: Timestamp::from_micros(row.received_at),
        })
    }
}

impl TreeHead {
    /// The newest one kept in the database of `pool`.
    pub async fn newest(pool: &PgPool) -> Result<Option<Self>, sqlx::Error> {
        one(pool, sqlx::query_as(include_str!("sql/latest_tree_head.sql"))).await
    }

    /// Its note with the signatures of witnesses, in the order in which they came.
    pub async fn cosigned(&self, pool: &PgPool) -> Result<String, sqlx::Error> {
        let lines = KeptCosignature::of(pool, &[self.size]).await?;
        Ok(lines.iter().fold(self.note.clone(), |note, kept| format!("{note}{}\n", kept.line)))
    }
}

impl KeptCosignature {
    /// What witnesses signed of the checkpoints of these sizes, in the order in which it came.
    pub async fn of(pool: &PgPool, sizes: &[u64]) -> Result<Vec<Self>, sqlx::Error> {
        let sizes: Vec<i64> = sizes.iter().map(|size| integer(*size)).collect();
        let query = sqlx::query_as::<_, CosignatureRow>(include_str!("sql/cosignatures_of.sql")).bind(sizes);
        query.fetch_all(pool).await?.into_iter().map(KeptCosignature::try_from).collect()
    }
}

impl Checkpointer {
    /// Signs for `log` under the name `origin`.
    pub fn new(log: Log, origin: &str) -> Self {
        let tree = Tree::new(log.pool().clone());
        Checkpointer { log, origin: origin.to_owned(), witnesses: Arc::default(), tree }
    }

    /// Keeps what these witnesses sign, and nobody else.
    pub fn with_witnesses(mut self, witnesses: Vec<WitnessKey>) -> Self {
        self.witnesses = witnesses.into();
        self
    }

    /// The name it signs under.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The witnesses whose signatures are kept.
    pub fn witnesses(&self) -> &[WitnessKey] {
        &self.witnesses
    }

    /// The tree it signs.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The key to check its checkpoints with, in the note format's own form.
    pub async fn vkey(&self) -> Result<NoteKey, VaultError> {
        let signer = self.log.vault().signer(KeyPurpose::Log).await?;
        Ok(NoteKey::new(&self.origin, signer.public()))
    }

    /// Every key that checkpoints are or were signed with, oldest first.
    pub async fn vkeys(&self) -> Result<Vec<(NoteKey, PublicKey)>, VaultError> {
        self.vkey().await?;
        let keys = self.log.vault().public_keys(KeyPurpose::Log).await?;
        let named = |key: PublicKey| Some((NoteKey::new(&self.origin, VerifyingKey::from_bytes(&key.public).ok()?), key));
        Ok(keys.into_iter().filter_map(named).collect())
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
        // Whoever has the checkpoint may ask for every tile of its tree; and what is published has to lead to what is signed.
        self.tree.fill(checkpoint.size).await?;
        if self.tree.root(checkpoint.size).await? != checkpoint.root {
            return Err(CheckpointError::Differs { size: checkpoint.size });
        }
        let signer = self.log.vault().signer(KeyPurpose::Log).await?;
        sqlx::query(include_str!("sql/keep_tree_head.sql"))
            .bind(integer(checkpoint.size))
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
        TreeHead::newest(self.log.pool()).await
    }

    /// The smallest one kept that covers `position`.
    pub async fn covering(&self, position: u64) -> Result<Option<TreeHead>, sqlx::Error> {
        one(self.log.pool(), sqlx::query_as(include_str!("sql/covering_tree_head.sql")).bind(integer(position))).await
    }

    /// The one of that size.
    pub async fn of_size(&self, size: u64) -> Result<Option<TreeHead>, sqlx::Error> {
        one(self.log.pool(), sqlx::query_as(include_str!("sql/tree_head_of_size.sql")).bind(integer(size))).await
    }

    /// At most `limit` of them that are smaller than `before`, the newest first.
    pub async fn before(&self, before: u64, limit: u32) -> Result<Vec<TreeHead>, sqlx::Error> {
        let query =
            sqlx::query_as::<_, TreeHeadRow>(include_str!("sql/tree_heads_before.sql")).bind(integer(before)).bind(i64::from(limit));
        query.fetch_all(self.log.pool()).await?.into_iter().map(TreeHead::try_from).collect()
    }

    /// The checkpoint that proves the most of the event at `position`: the newest that covers it and that a witness signed, else the
    /// newest that covers it, signed now if there is none.
    pub async fn proving(&self, position: u64) -> Result<TreeHead, CheckpointError> {
        let cosigned = one(self.log.pool(), sqlx::query_as(include_str!("sql/cosigned_tree_head.sql")).bind(integer(position))).await?;
        match (cosigned, self.latest().await?) {
            (Some(cosigned), _) => Ok(cosigned),
            (None, Some(latest)) if latest.size > position => Ok(latest),
            (None, _) => self.sign().await,
        }
    }

    /// What witnesses signed of the checkpoints of these sizes, in the order in which it came.
    pub async fn cosignatures(&self, sizes: &[u64]) -> Result<Vec<KeptCosignature>, sqlx::Error> {
        KeptCosignature::of(self.log.pool(), sizes).await
    }

    /// The note of a checkpoint with the signatures of its witnesses.
    pub async fn cosigned(&self, head: &TreeHead) -> Result<String, sqlx::Error> {
        head.cosigned(self.log.pool()).await
    }

    /// Keeps the signatures of known witnesses on `note`, which is a checkpoint that this log has signed. One signature of each key is
    /// kept for a checkpoint: what is there already stays. Returns those on the note, and whether each is new.
    pub async fn keep_cosignatures(&self, note: &str) -> Result<Vec<(Cosignature, bool)>, CosignError> {
        let (body, _) = super::note::SignatureLine::all(note)?;
        let checkpoint: Checkpoint = body.parse()?;
        let head = self.of_size(checkpoint.size).await?.ok_or(CosignError::NotOurs)?;
        // Byte for byte: what a witness signs is the text.
        if head.note.strip_prefix(&body).is_none_or(|rest| !rest.starts_with('\n')) {
            return Err(CosignError::NotOurs);
        }
        let found: Vec<Option<Cosignature>> = self.witnesses.iter().map(|key| key.cosignature(note)).collect::<Result<_, _>>()?;
        let found: Vec<Cosignature> = found.into_iter().flatten().collect();
        if found.is_empty() {
            return Err(CosignError::Unknown);
        }
        let now = self.log.clock().now();
        let latest = u64::try_from(now.plus_seconds(AHEAD).seconds()).unwrap_or(0);
        if let Some(early) = found.iter().find(|cosignature| cosignature.time > latest) {
            return Err(CosignError::Future(early.witness.name().to_owned()));
        }
        let mut kept = Vec::with_capacity(found.len());
        for cosignature in found {
            let done = sqlx::query(include_str!("sql/keep_cosignature.sql"))
                .bind(integer(head.size))
                .bind(cosignature.witness.name())
                .bind(cosignature.witness.id().as_slice())
                .bind(integer(cosignature.time))
                .bind(&cosignature.line)
                .bind(now.micros())
                .execute(self.log.pool())
                .await?;
            kept.push((cosignature, done.rows_affected() > 0));
        }
        Ok(kept)
    }
}

async fn one(pool: &PgPool, query: QueryAs<'_, Postgres, TreeHeadRow, PgArguments>) -> Result<Option<TreeHead>, sqlx::Error> {
    query.fetch_optional(pool).await?.map(TreeHead::try_from).transpose()
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
