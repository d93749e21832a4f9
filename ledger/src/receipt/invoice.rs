//! What a merchant notes for the invoice (RT-042). All of it is sealed; the receipt itself never changes (INV-75).

use super::Rejection;
use crate::mail;
use events::vocab::{
    event::ReceiptInvoiceMetadataSaved,
    id::{ReceiptId, SubjectId},
    personal::Personal,
    stream::Fact,
};
use serde_json::json;

/// The longest invoice number, name or reference, in characters.
pub const LONGEST_FIELD: usize = 200;
/// The longest notes, in characters.
pub const LONGEST_NOTES: usize = 4_000;

/// The notes, whole, as they are saved.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Invoice {
    /// The merchant's invoice number.
    pub invoice_number: Option<String>,
    /// Name on the invoice.
    pub buyer_name: Option<String>,
    /// Where the proof is sent.
    pub buyer_email: Option<String>,
    /// The buyer's own reference.
    pub billing_reference: Option<String>,
    /// Free text.
    pub notes: Option<String>,
}

/// See [`Command::SaveInvoice`](super::Command::SaveInvoice).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SaveInvoice {
    /// Whose key seals it.
    pub subject_id: SubjectId,
    /// What is saved.
    pub invoice: Invoice,
}

impl std::fmt::Debug for Invoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invoice(..)")
    }
}

impl SaveInvoice {
    pub(super) fn fact(self, receipt_id: ReceiptId) -> Result<Fact, Rejection> {
        let Invoice { invoice_number, buyer_name, buyer_email, billing_reference, notes } = self.invoice;
        for (field, text, longest) in [
            ("invoice_number", &invoice_number, LONGEST_FIELD),
            ("buyer_name", &buyer_name, LONGEST_FIELD),
            ("billing_reference", &billing_reference, LONGEST_FIELD),
            ("notes", &notes, LONGEST_NOTES),
        ] {
            if text.as_ref().is_some_and(|text| text.chars().count() > longest) {
                return Err(Rejection::TextTooLong { field, longest });
            }
        }
        if buyer_email.as_deref().is_some_and(|email| mail::address(email).is_none()) {
            return Err(Rejection::InvalidEmail);
        }
        let references = json!({ "invoice_number": invoice_number, "billing_reference": billing_reference });
        let personal =
            Personal { name: buyer_name, email: buyer_email, text: notes, metadata: Some(references.to_string()), ..Personal::default() };
        Ok(Fact::sealed(ReceiptInvoiceMetadataSaved { receipt_id, subject_id: self.subject_id }, self.subject_id, personal))
    }
}
