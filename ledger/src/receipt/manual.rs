//! Receipts that a merchant makes by hand (RT-037): of a transaction that he names. Such a receipt says who says so and whether Hilt
//! saw it on chain; it confirms no payment and grants no access (INV-93).

use super::{Rejection, SCHEMA};
use crate::requirement::canonical;
use events::vocab::{
    bytes::{Hash32, Signature64, SolanaAddress, TxSignature},
    event::ReceiptCreated,
    id::{OwnerId, ReceiptId, SubjectId},
    money::Minor,
    time::Timestamp,
    words::ReceiptSource,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The longest memo, in characters.
pub const LONGEST_MEMO: usize = 64;

/// What a receipt made by hand says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManualFacts {
    /// Its id: [`manual_receipt_id`].
    pub receipt_id: ReceiptId,
    /// Whose key seals what is noted for the invoice.
    pub subject_id: SubjectId,
    /// The transaction.
    pub tx_signature: TxSignature,
    /// Who paid.
    pub wallet: SolanaAddress,
    /// Who was paid.
    pub counterparty_wallet: SolanaAddress,
    /// The token; the mint of wrapped SOL for SOL itself.
    pub token_mint: SolanaAddress,
    /// How much, in minor units.
    pub amount: Minor,
    /// The transaction's memo. Of letters, digits and `:._-` only: what is signed is public for ever, and holds no person's data.
    pub memo: Option<String>,
    /// Where it happened, CAIP-2.
    pub network: String,
    /// The slot in which Hilt saw it final; `None` if Hilt did not see it.
    pub seen_in_slot: Option<u64>,
    /// When it is issued.
    pub issued_at: Timestamp,
}

/// See [`Command::CreateManual`](super::Command::CreateManual).
#[derive(Clone, PartialEq, Debug)]
pub struct CreateManual {
    /// What it says.
    pub facts: ManualFacts,
    /// SHA-256 of the bytes that were signed.
    pub receipt_hash: Hash32,
    /// Ed25519 over the same bytes.
    pub signature: Signature64,
    /// Which published key signed.
    pub kid: String,
    /// What it costs.
    pub credits_burned: u32,
}

/// The one receipt that an owner can make of a transaction by hand: whoever makes it first, the others meet its stream.
pub fn manual_receipt_id(owner: OwnerId, tx: &TxSignature) -> ReceiptId {
    ReceiptId(Uuid::new_v5(&owner.0, &[b"manual_receipt/".as_slice(), &tx.0].concat()))
}

/// Whether a memo can be signed; see [`ManualFacts::memo`].
pub fn memo_can_be_signed(memo: &str) -> bool {
    (1..=LONGEST_MEMO).contains(&memo.len()) && memo.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":._-".contains(&byte))
}

/// The receipt as JSON.
pub fn manual_document(facts: &ManualFacts) -> Value {
    json!({
        "schema_version": SCHEMA,
        "receipt_id": facts.receipt_id.to_string(),
        "issued_at": facts.issued_at.to_string(),
        "source": ReceiptSource::MerchantSubmitted.as_str(),
        "chain_verified": facts.seen_in_slot.is_some(),
        "wallet": facts.wallet.to_string(),
        "counterparty_wallet": facts.counterparty_wallet.to_string(),
        "transaction": {
            "tx_sig": facts.tx_signature.to_string(),
            "amount_raw": facts.amount.units(),
            "token_mint": facts.token_mint.to_string(),
            "memo": facts.memo,
        },
        "product": null,
        "payment": null,
        "rail": { "network": facts.network, "slot": facts.seen_in_slot.map(|slot| slot.to_string()) },
    })
}

/// The bytes that are hashed and signed: RFC 8785 of [`manual_document`].
pub fn manual_canonical_bytes(facts: &ManualFacts) -> Vec<u8> {
    canonical(&manual_document(facts))
}

impl CreateManual {
    pub(super) fn repeats(&self, issued: &ReceiptCreated) -> bool {
        issued.source == ReceiptSource::MerchantSubmitted && self.facts.tx_signature == issued.tx_signature
    }

    pub(super) fn event(self) -> Result<ReceiptCreated, Rejection> {
        let facts = self.facts;
        if facts.amount == Minor::ZERO {
            return Err(Rejection::AmountRequired);
        }
        if facts.memo.as_deref().is_some_and(|memo| !memo_can_be_signed(memo)) {
            return Err(Rejection::MemoCannotBeSigned);
        }
        let bytes = manual_canonical_bytes(&facts);
        if Hash32::of(&bytes) != self.receipt_hash {
            return Err(Rejection::HashMismatch);
        }
        Ok(ReceiptCreated {
            receipt_id: facts.receipt_id,
            source: ReceiptSource::MerchantSubmitted,
            payment_id: None,
            product_id: None,
            access_product_id: None,
            subject_id: Some(facts.subject_id),
            amount: facts.amount,
            tx_signature: facts.tx_signature,
            wallet: facts.wallet,
            chain_verified: facts.seen_in_slot.is_some(),
            receipt_json: String::from_utf8(bytes).expect("RFC 8785 is UTF-8"),
            receipt_hash: self.receipt_hash,
            ed25519_sig: self.signature,
            kid: self.kid,
            receipt_schema: SCHEMA.to_owned(),
            credits_burned: self.credits_burned,
            created_at: facts.issued_at,
            settlement_event: None,
        })
    }
}
