//! Receipts, and the credits that making them by hand burns.

use crate::vocab::{
    bytes::{Hash32, Signature64, SolanaAddress, TxSignature},
    id::*,
    money::Minor,
    time::Timestamp,
    words::*,
};
use serde::{Deserialize, Serialize};

/// A signed receipt (TR-12): of a settled payment, or of a transaction that a merchant names (RT-037).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReceiptCreated {
    pub receipt_id: ReceiptId,
    pub source: ReceiptSource,
    /// Absent on a receipt made by hand.
    pub payment_id: Option<PaymentId>,
    pub product_id: Option<ProductId>,
    pub access_product_id: Option<AccessProductId>,
    /// The buyer: whose key seals the invoice metadata.
    pub subject_id: Option<SubjectId>,
    pub amount: Minor,
    pub tx_signature: TxSignature,
    pub wallet: SolanaAddress,
    /// Whether Hilt saw the transaction final on chain.
    pub chain_verified: bool,
    /// RFC 8785 canonical JSON: the very bytes that are hashed and signed.
    pub receipt_json: String,
    pub receipt_hash: Hash32,
    pub ed25519_sig: Signature64,
    /// Which published key signed.
    pub kid: String,
    /// Version of the receipt's own form: `"1.0"`.
    pub receipt_schema: String,
    pub credits_burned: u32,
    pub created_at: Timestamp,
    /// The event that permits it: `settlement.evidenced`; a receipt made by hand rests on none (INV-93).
    pub settlement_event: Option<EventId>,
}

/// A merchant's notes for the invoice (RT-042), whole, as saved. Sealed beside it: buyer name and e-mail, numbers and notes. The
/// receipt itself never changes (INV-75).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReceiptInvoiceMetadataSaved {
    pub receipt_id: ReceiptId,
    pub subject_id: SubjectId,
}

/// The link to the proof goes out by mail (RT-043).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReceiptProofSent {
    pub receipt_id: ReceiptId,
    pub mail_id: MailId,
    /// The ticket from which it was sent.
    pub ticket_id: Option<TicketId>,
}

/// A plan grants the credits of a period; what is left of the period before lapses.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CreditsGranted {
    pub owner_id: OwnerId,
    /// The calendar month in UTC, `YYYY-MM`.
    pub period: String,
    pub plan: String,
    pub credits: u32,
}

/// A receipt made by hand burned credits.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CreditsBurned {
    pub owner_id: OwnerId,
    pub receipt_id: ReceiptId,
    pub credits: u32,
}
