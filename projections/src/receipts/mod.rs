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
    const VERSION: i32 = 2;
    const PERSONAL: bool = false;
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
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Receipt>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::ReceiptCreated(e) => rows.insert(
                event,
                Receipt {
                    meta: event.meta(e.receipt_id, None),
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
                },
            ),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}
