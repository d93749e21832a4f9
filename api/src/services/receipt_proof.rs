//! That a receipt is in the log.

use super::included::Included;
use crate::http::{
    problem::{Code, Problem},
    rejection,
};
use events::{
    log::Log,
    proof::{Checkpointer, CoseReceipt},
    vault::{KeyPurpose, Vault},
    vocab::{
        event::{Event, ReceiptCreated},
        id::ReceiptId,
        stream::{Category, StreamId},
    },
};

/// A receipt's place in the log.
pub struct Proven {
    /// The event that made it, and its place.
    pub included: Included,
    /// What that event says.
    pub created: ReceiptCreated,
}

impl Proven {
    /// Proves the receipt of that id.
    pub async fn of(log: &Log, checkpointer: &Checkpointer, id: ReceiptId) -> Result<Self, Problem> {
        let missing = || Problem::of(Code::ReceiptNotFound);
        let stream = log.read_stream(StreamId::new(Category::Receipt, id), 0).await.map_err(|error| rejection::read(&error))?;
        let event = stream.into_iter().next().ok_or_else(missing)?;
        let decoded = event.decode().map_err(|error| Problem::internal(&error, "read a receipt's event"))?;
        let Event::ReceiptCreated(created) = decoded else { return Err(missing()) };
        Ok(Proven { included: Included::of(checkpointer, event).await?, created })
    }

    /// As a COSE Receipt (RFC 9942).
    pub async fn cose(&self, vault: &Vault, origin: &str) -> Result<Vec<u8>, Problem> {
        let signer = vault.signer(KeyPurpose::CoseReceipt).await.map_err(|error| rejection::read(&error))?;
        let included = &self.included;
        let receipt = CoseReceipt {
            issuer: origin,
            subject: &format!("receipt/{}", self.created.receipt_id),
            issued_at: included.head.signed_at,
            size: included.head.size,
            root: &included.head.root,
            index: included.event.position,
            path: &included.path,
        };
        Ok(receipt.sign(&signer))
    }
}
