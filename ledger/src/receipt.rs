//! Receipts (TR-12, TR-13, RT-037, RT-038, RT-042): the canonical JSON of a payment, hashed and signed.

mod invoice;
mod manual;

pub use invoice::{Invoice, LONGEST_FIELD, LONGEST_NOTES, SaveInvoice};
pub use manual::{CreateManual, LONGEST_MEMO, ManualFacts, manual_canonical_bytes, manual_document, manual_receipt_id, memo_can_be_signed};

use crate::{
    Cited,
    check::{first_false, rejections},
    requirement::canonical,
};
use events::{
    decider::Decider,
    vocab::{
        bytes::{Hash32, Signature64},
        event::{Event, PaymentCreated, ReceiptCreated, ReceiptProofSent, SettlementEvidenced},
        id::{MailId, ReceiptId, TicketId},
        stream::Fact,
        time::Timestamp,
        words::ReceiptSource,
    },
};
use serde_json::{Value, json};

/// Version of the receipt's own form.
pub const SCHEMA: &str = "1.0";

/// A receipt.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Receipt {
    /// Not issued.
    #[default]
    Absent,
    /// Issued; it never changes (INV-75).
    Issued(Box<ReceiptCreated>),
}

/// What is asked of a receipt.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Issue it.
    Create(Box<Create>),
    /// Issue one of a transaction that the merchant names.
    CreateManual(Box<CreateManual>),
    /// Save what the merchant notes for the invoice.
    SaveInvoice(Box<SaveInvoice>),
    /// The link to its proof goes out by mail (RT-043).
    SendProof {
        /// The mail.
        mail_id: MailId,
        /// The ticket from which it is sent.
        ticket_id: Option<TicketId>,
    },
}

/// What a receipt says, all of it fit for the public: identifiers, amounts and wallets, never a person's data.
#[derive(Clone, PartialEq, Debug)]
pub struct ReceiptFacts {
    /// Its id.
    pub receipt_id: ReceiptId,
    /// What was to be paid.
    pub payment: PaymentCreated,
    /// The settlement that permits it.
    pub settlement: Cited<SettlementEvidenced>,
    /// CAIP-2.
    pub network: String,
    /// When it is issued.
    pub issued_at: Timestamp,
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// What it says.
    pub facts: ReceiptFacts,
    /// SHA-256 of the bytes that were signed.
    pub receipt_hash: Hash32,
    /// Ed25519 over the same bytes.
    pub signature: Signature64,
    /// Which published key signed.
    pub kid: String,
    /// 0 for checkout receipts.
    pub credits_burned: u32,
}

rejections! {
    /// Why a receipt is refused.
    pub enum Rejection {
        /// There is no such receipt.
        NotFound = "receipt_not_found", "there is no such receipt";
        /// A text is too long.
        TextTooLong {
            /// Which.
            field: &'static str,
            /// The longest there may be, in characters.
            longest: usize,
        } = "text_too_long", "{field}: has at most {longest} characters";
        /// The address cannot be one.
        InvalidEmail = "validation_failed", "buyer_email: must be an e-mail address";
        /// Nothing was paid.
        AmountRequired = "amount_out_of_range", "amount_raw: must be from 1 to 9007199254740991";
        /// The memo could say anything.
        MemoCannotBeSigned = "memo_invalid", "memo: has 1 to 64 letters, digits and : . _ -";
        /// The settlement is another payment's, or of other amounts.
        SettlementMismatch {
            /// Which field differs.
            field: &'static str,
        } = "settlement_mismatch", "{field} of the settlement is not the payment's";
        /// Something else than this receipt was signed.
        HashMismatch = "receipt_hash_mismatch", "receipt_hash is not the hash of this receipt";
        /// The id is in use for another receipt.
        AlreadyIssued = "receipt_already_issued", "the receipt is issued with other content";
    }
}

impl Decider for Receipt {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match (state, command) {
            (Receipt::Absent, Command::Create(create)) => Ok(vec![create.event()?.into()]),
            (Receipt::Absent, Command::CreateManual(create)) => Ok(vec![create.event()?.into()]),
            (Receipt::Absent, Command::SaveInvoice(_)) => Err(Rejection::NotFound),
            // The time of issue differs in a repeat, and the transaction does not.
            (Receipt::Issued(issued), Command::Create(create)) if create.facts.repeats(issued) => Ok(vec![]),
            (Receipt::Issued(issued), Command::CreateManual(create)) if create.repeats(issued) => Ok(vec![]),
            (Receipt::Issued(_), Command::Create(_) | Command::CreateManual(_)) => Err(Rejection::AlreadyIssued),
            (Receipt::Issued(issued), Command::SaveInvoice(save)) => Ok(vec![save.fact(issued.receipt_id)?]),
            (Receipt::Absent, Command::SendProof { .. }) => Err(Rejection::NotFound),
            (Receipt::Issued(issued), Command::SendProof { mail_id, ticket_id }) => {
                Ok(vec![ReceiptProofSent { receipt_id: issued.receipt_id, mail_id, ticket_id }.into()])
            }
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Receipt::Absent, Event::ReceiptCreated(created)) => Receipt::Issued(Box::new(created.clone())),
            (state, _) => state,
        }
    }
}

impl ReceiptFacts {
    fn repeats(&self, issued: &ReceiptCreated) -> bool {
        self.receipt_id == issued.receipt_id
            && Some(self.payment.payment_id) == issued.payment_id
            && self.settlement.event.tx_signature == issued.tx_signature
    }

    fn check(&self) -> Result<(), Rejection> {
        let (payment, settled) = (&self.payment, &self.settlement.event);
        let same = [
            ("payment_id", settled.payment_id == payment.payment_id),
            ("session_id", settled.session_id == payment.session_id),
            ("gross", settled.gross == payment.amount),
            ("merchant_amount", settled.merchant_amount == payment.merchant_amount),
            ("fee_amount", settled.fee_amount == payment.fee_amount),
        ];
        match first_false(same) {
            Some(field) => Err(Rejection::SettlementMismatch { field }),
            None => Ok(()),
        }
    }
}

impl Create {
    fn event(self) -> Result<ReceiptCreated, Rejection> {
        self.facts.check()?;
        let bytes = canonical_bytes(&self.facts);
        if Hash32::of(&bytes) != self.receipt_hash {
            return Err(Rejection::HashMismatch);
        }
        let (payment, settled) = (&self.facts.payment, &self.facts.settlement.event);
        Ok(ReceiptCreated {
            receipt_id: self.facts.receipt_id,
            source: ReceiptSource::Checkout,
            payment_id: Some(payment.payment_id),
            product_id: Some(payment.product_id),
            access_product_id: payment.access_product_id,
            subject_id: Some(payment.subject_id),
            amount: payment.amount,
            tx_signature: settled.tx_signature,
            wallet: settled.payer,
            chain_verified: true,
            receipt_json: String::from_utf8(bytes).expect("RFC 8785 is UTF-8"),
            receipt_hash: self.receipt_hash,
            ed25519_sig: self.signature,
            kid: self.kid,
            receipt_schema: SCHEMA.to_owned(),
            credits_burned: self.credits_burned,
            created_at: self.facts.issued_at,
            settlement_event: Some(self.facts.settlement.id),
        })
    }
}

/// The receipt as JSON.
pub fn receipt_document(facts: &ReceiptFacts) -> Value {
    let (payment, settled) = (&facts.payment, &facts.settlement.event);
    json!({
        "schema_version": SCHEMA,
        "receipt_id": facts.receipt_id.to_string(),
        "issued_at": facts.issued_at.to_string(),
        "wallet": settled.payer.to_string(),
        "counterparty_wallet": payment.merchant_wallet.to_string(),
        "transaction": {
            "tx_sig": settled.tx_signature.to_string(),
            "amount_raw": settled.gross.units(),
            "token_mint": payment.asset.mint.to_string(),
            "memo": payment.memo(),
        },
        "product": {
            "product_id": payment.product_id.to_string(),
            "access_product_id": payment.access_product_id.map(|id| id.to_string()),
        },
        "payment": {
            "payment_id": payment.payment_id.to_string(),
            "payment_session_id": payment.session_id.map(|id| id.to_string()),
            "asset_symbol": payment.asset.symbol,
            "asset_decimals": payment.asset.decimals,
            "merchant_amount_minor_units": settled.merchant_amount.units(),
            "hilt_fee_minor_units": settled.fee_amount.units(),
            "fee_bps": payment.fee_bps.get(),
            "fee_wallet": payment.fee_wallet.map(|wallet| wallet.to_string()),
        },
        "rail": {
            "rail_id": settled.rail_id.as_str(),
            "network": facts.network,
            // A decimal string: a slot is no amount and has no bound that would keep it exact as a number.
            "slot": settled.slot.to_string(),
            "transfer_id": settled.transfer_id,
        },
    })
}

/// The bytes that are hashed and signed: RFC 8785 of [`receipt_document`].
pub fn canonical_bytes(facts: &ReceiptFacts) -> Vec<u8> {
    canonical(&receipt_document(facts))
}
