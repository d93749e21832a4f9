//! That a receipt is in the log: its event, the entry that binds it, and the way from there to a signed checkpoint.

use crate::http::{
    problem::{Code, Problem},
    rejection,
};
use events::{
    leaf,
    log::Log,
    proof::{Checkpointer, CoseReceipt, TreeHead, tlog_proof},
    vault::{KeyPurpose, Vault},
    vocab::{
        bytes::Hash32,
        event::{Event, ReceiptCreated},
        id::ReceiptId,
        stream::{Category, Recorded, StreamId},
    },
};

/// A receipt's place in the log.
pub struct Proven {
    /// The event that made it.
    pub event: Recorded,
    /// What that event says.
    pub created: ReceiptCreated,
    /// The bytes whose hash, after a zero byte, is the leaf.
    pub entry: Vec<u8>,
    /// The checkpoint.
    pub head: TreeHead,
    /// Its note with the signatures of witnesses.
    pub note: String,
    /// The hashes that lead from the leaf to the checkpoint's root, lowest first.
    pub path: Vec<Hash32>,
}

impl Proven {
    /// Proves the receipt of that id by the newest checkpoint that covers it and that a witness signed, else by the newest, which is
    /// signed now if none covers it yet.
    pub async fn of(log: &Log, checkpointer: &Checkpointer, id: ReceiptId) -> Result<Self, Problem> {
        let missing = || Problem::of(Code::ReceiptNotFound);
        let stream = log.read_stream(StreamId::new(Category::Receipt, id), 0).await.map_err(|error| rejection::read(&error))?;
        let event = stream.into_iter().next().ok_or_else(missing)?;
        let decoded = event.decode().map_err(|error| Problem::internal(&error, "read a receipt's event"))?;
        let Event::ReceiptCreated(created) = decoded else { return Err(missing()) };
        let entry = leaf::entry(&event.envelope, &event.prev_leaf, &event.payload, event.sealed.as_deref());
        let entry = entry.map_err(|error| Problem::internal(&error, "write an entry"))?;
        let head = checkpointer.proving(event.position).await.map_err(|error| rejection::read(&error))?;
        let path = checkpointer.tree().inclusion(event.position, head.size).await.map_err(|error| rejection::read(&error))?;
        let note = checkpointer.cosigned(&head).await.map_err(|error| rejection::read(&error))?;
        Ok(Proven { event, created, entry, head, note, path })
    }

    /// As text (C2SP `tlog-proof`).
    pub fn text(&self) -> String {
        tlog_proof(self.event.position, &self.path, &self.note)
    }

    /// As a COSE Receipt (RFC 9942).
    pub async fn cose(&self, vault: &Vault, origin: &str) -> Result<Vec<u8>, Problem> {
        let signer = vault.signer(KeyPurpose::CoseReceipt).await.map_err(|error| rejection::read(&error))?;
        let receipt = CoseReceipt {
            issuer: origin,
            subject: &format!("receipt/{}", self.created.receipt_id),
            issued_at: self.head.signed_at,
            size: self.head.size,
            root: &self.head.root,
            index: self.event.position,
            path: &self.path,
        };
        Ok(receipt.sign(&signer))
    }
}
