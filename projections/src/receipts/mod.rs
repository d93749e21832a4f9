//! Signed receipts (OBJ-09): RT-038, RT-039, RT-044.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    bytes::{Hash32, Signature64, SolanaAddress, TxSignature},
    event::{Event, EventType},
    id::{AccessProductId, EventId, PaymentId, ProductId},
    money::Minor,
    time::Timestamp,
    words::ReceiptSource,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Receipts;

/// A row of `receipts`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Who says that the transaction happened.
    pub source: ReceiptSource,
    /// Whether Hilt saw it final on chain.
    pub chain_verified: bool,
    /// The payment it is of; none, if it was made by hand.
    pub payment_id: Option<PaymentId>,
    /// The product.
    pub product_id: Option<ProductId>,
    /// The access product.
    pub access_product_id: Option<AccessProductId>,
    /// Gross, in minor units.
    pub amount: Minor,
    /// The transaction, base58.
    pub tx_signature: TxSignature,
    /// Who paid, base58.
    pub wallet: SolanaAddress,
    /// RFC 8785 canonical JSON: the bytes that are hashed and signed.
    pub receipt_json: String,
    /// SHA-256 of them, hex.
    pub receipt_hash: Hash32,
    /// Signature of them, base64.
    pub ed25519_sig: Signature64,
    /// Which published key signed.
    pub kid: String,
    /// Version of the receipt's form.
    pub schema_version: String,
    /// What it cost in credits.
    pub credits_burned: u32,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Its event, of which the log can prove that it holds it.
    pub event_id: EventId,
    /// The merchant's invoice number. Personal.
    pub invoice_number: Option<String>,
    /// Name on the invoice. Personal.
    pub buyer_name: Option<String>,
    /// Where the proof is sent. Personal.
    pub buyer_email: Option<String>,
    /// The buyer's own reference. Personal.
    pub billing_reference: Option<String>,
    /// The merchant's notes. Personal.
    pub notes: Option<String>,
    /// How often the link to the proof was sent by mail.
    pub proofs_sent: u32,
    /// When it was last.
    pub proof_sent_at: Option<Timestamp>,
}

/// What a merchant notes for the invoice beside name, address and notes, which have fields of their own (RT-042). Sealed as JSON.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct InvoiceReferences {
    /// The merchant's invoice number.
    #[serde(default)]
    pub invoice_number: Option<String>,
    /// The buyer's own reference.
    #[serde(default)]
    pub billing_reference: Option<String>,
}

impl InvoiceReferences {
    /// As sealed in [`Personal::metadata`].
    ///
    /// [`Personal::metadata`]: events::vocab::personal::Personal
    pub fn of(metadata: Option<&str>) -> Self {
        metadata.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }
}

impl Row for Receipt {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Receipts {
    const NAME: &'static str = "receipts";
    const VERSION: i32 = 3;
    const PERSONAL: bool = true;
    const PERSONAL_FIELDS: &'static [&'static str] = &["invoice_number", "buyer_name", "buyer_email", "billing_reference", "notes"];
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Receipt;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::ReceiptCreated(e) => Keys::row(e.receipt_id),
            Event::ReceiptInvoiceMetadataSaved(e) => Keys::row(e.receipt_id),
            Event::ReceiptProofSent(e) => Keys::row(e.receipt_id),
            Event::SubjectErased(e) => Keys::subject(e.subject_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Receipt>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::ReceiptCreated(e) => rows.insert(
                event,
                Receipt {
                    meta: event.meta(e.receipt_id, e.subject_id),
                    source: e.source,
                    chain_verified: e.chain_verified,
                    payment_id: e.payment_id,
                    product_id: e.product_id,
                    access_product_id: e.access_product_id,
                    amount: e.amount,
                    tx_signature: e.tx_signature,
                    wallet: e.wallet,
                    receipt_json: e.receipt_json.clone(),
                    receipt_hash: e.receipt_hash,
                    ed25519_sig: e.ed25519_sig,
                    kid: e.kid.clone(),
                    schema_version: e.receipt_schema.clone(),
                    credits_burned: e.credits_burned,
                    issued_at: e.created_at,
                    event_id: event.event_id(),
                    invoice_number: None,
                    buyer_name: None,
                    buyer_email: None,
                    billing_reference: None,
                    notes: None,
                    proofs_sent: 0,
                    proof_sent_at: None,
                },
            ),
            Event::ReceiptInvoiceMetadataSaved(e) => rows.update(event, e.receipt_id, |row| {
                let references = InvoiceReferences::of(event.personal(|p| &p.metadata).as_deref());
                row.meta.subject_id = Some(e.subject_id);
                row.buyer_name = event.personal(|p| &p.name);
                row.buyer_email = event.personal(|p| &p.email);
                row.notes = event.personal(|p| &p.text);
                (row.invoice_number, row.billing_reference) = (references.invoice_number, references.billing_reference);
            }),
            Event::ReceiptProofSent(e) => rows.update(event, e.receipt_id, |row| {
                row.proofs_sent = row.proofs_sent.saturating_add(1);
                row.proof_sent_at = Some(event.recorded_at());
            }),
            Event::SubjectErased(e) => {
                rows.update_subject(event, e.subject_id, |row| {
                    (row.invoice_number, row.buyer_name, row.buyer_email) = (None, None, None);
                    (row.billing_reference, row.notes) = (None, None);
                });
                Ok(())
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}
