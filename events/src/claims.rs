//! Claims: values that are unique across streams, reserved in the transaction of the append.
//!
//! A claim follows from an event and from nothing else, so that the claims table can always be rebuilt from the log.

use crate::vocab::{
    event::{Event, Place},
    id::{MembershipId, OwnerId},
    rail::{RailId, words},
    words::{Outcome, ReceiptSource},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

words! {
    /// What kind of value is unique.
    pub enum ClaimScope, "unknown claim scope" {
        /// `external_app_id` of an owner and mode.
        ExternalAppId = "external_app_id",
        /// `external_product_id` of an owner and mode.
        ExternalProductId = "external_product_id",
        /// A product's slug, everywhere.
        Slug = "slug",
        /// A payment's memo, everywhere: finds the payment that a transaction is for.
        Memo = "memo",
        /// A transaction announced for a payment, of an owner (INV-67).
        PaymentTx = "payment_tx",
        /// A proof's fingerprint, of an owner, mode and rail (INV-5, DIS-35).
        Fingerprint = "fingerprint",
        /// A settled transfer, everywhere: one transfer, one receipt, one activation (DIS-35).
        Transfer = "transfer",
        /// A receipt's transaction, of an owner (INV-74).
        ReceiptTx = "receipt_tx",
        /// An API key's hash, everywhere: finds the key.
        ApiKey = "api_key",
        /// A receipt made by hand for a transaction, of an owner (INV-74). Apart from `receipt_tx`, so that it cannot stand in the way
        /// of a settlement's receipt.
        ManualReceiptTx = "manual_receipt_tx",
        /// One of the payments that a capped product may have, everywhere.
        Place = "place",
        /// A membership's open delivery case (INV-78).
        DeliveryCase = "delivery_case",
        /// An operator's public key, everywhere and for good: two operators are two keys.
        OperatorKey = "operator_key",
    }
}

/// A unique value. Keys hold no personal data.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Claim {
    /// What kind of value.
    pub scope: ClaimScope,
    /// The value, with what limits it in front.
    pub key: String,
}

/// What an event does to a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClaimChange {
    /// Reserve it; the append fails if another stream holds it.
    Take(Claim),
    /// Give it back.
    Release(Claim),
}

/// Reasons for which a failed proof was about another payment altogether: its fingerprint is given back, so that nobody can
/// lock a payer out by submitting his public transaction for another session.
pub const FOREIGN: &[&str] = &["wrong_memo", "memo_missing", "wrong_recipient"];

impl Claim {
    fn new(scope: ClaimScope, parts: &[&dyn fmt::Display]) -> Self {
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        // The unit separator cannot be in an id, and a value comes last.
        Claim { scope, key: parts.join("\u{1f}") }
    }
    /// `external_app_id` of an owner.
    pub fn external_app_id(owner: OwnerId, livemode: bool, id: &str) -> Self {
        Claim::new(ClaimScope::ExternalAppId, &[&owner, &livemode, &id])
    }
    /// `external_product_id` of an owner.
    pub fn external_product_id(owner: OwnerId, livemode: bool, id: &str) -> Self {
        Claim::new(ClaimScope::ExternalProductId, &[&owner, &livemode, &id])
    }
    /// A slug.
    pub fn slug(slug: &str) -> Self {
        Claim::new(ClaimScope::Slug, &[&slug])
    }
    /// A memo.
    pub fn memo(memo: &str) -> Self {
        Claim::new(ClaimScope::Memo, &[&memo])
    }
    /// A transaction announced for a payment.
    pub fn payment_tx(owner: OwnerId, tx: &impl fmt::Display) -> Self {
        Claim::new(ClaimScope::PaymentTx, &[&owner, tx])
    }
    /// A proof's fingerprint.
    pub fn fingerprint(owner: OwnerId, livemode: bool, rail: RailId, fingerprint: &impl fmt::Display) -> Self {
        Claim::new(ClaimScope::Fingerprint, &[&owner, &livemode, &rail, fingerprint])
    }
    /// A settled transfer.
    pub fn transfer(rail: RailId, transfer_id: &str) -> Self {
        Claim::new(ClaimScope::Transfer, &[&rail, &transfer_id])
    }
    /// A receipt's transaction.
    pub fn receipt_tx(owner: OwnerId, tx: &impl fmt::Display) -> Self {
        Claim::new(ClaimScope::ReceiptTx, &[&owner, tx])
    }
    /// A receipt made by hand for a transaction.
    pub fn manual_receipt_tx(owner: OwnerId, tx: &impl fmt::Display) -> Self {
        Claim::new(ClaimScope::ManualReceiptTx, &[&owner, tx])
    }
    /// A place of a capped product.
    pub fn place(place: &Place) -> Self {
        Claim::new(ClaimScope::Place, &[&place.product_id, &place.number])
    }
    /// A membership's open delivery case.
    pub fn delivery_case(membership: MembershipId) -> Self {
        Claim::new(ClaimScope::DeliveryCase, &[&membership])
    }
    /// An operator's public key.
    pub fn operator_key(public: &impl fmt::Display) -> Self {
        Claim::new(ClaimScope::OperatorKey, &[public])
    }
    /// An API key.
    pub fn api_key(hash: &impl fmt::Display) -> Self {
        Claim::new(ClaimScope::ApiKey, &[hash])
    }
}

/// What `event` of `owner` does to claims.
pub fn changes(owner: Option<OwnerId>, livemode: bool, event: &Event) -> Vec<ClaimChange> {
    use ClaimChange::{Release, Take};
    if let Event::OperatorKeyRegistered(e) = event {
        return vec![Take(Claim::operator_key(&e.public_key))];
    }
    let Some(owner) = owner else { return Vec::new() };
    match event {
        Event::ProductCreated(e) => vec![Take(Claim::slug(&e.slug))],
        Event::AccessAppCreated(e) => vec![Take(Claim::external_app_id(owner, livemode, &e.external_app_id))],
        Event::AccessProductCreated(e) => vec![Take(Claim::external_product_id(owner, livemode, &e.external_product_id))],
        Event::PaymentCreated(e) => {
            [Some(Claim::memo(&e.memo())), e.place.as_ref().map(Claim::place)].into_iter().flatten().map(Take).collect()
        }
        Event::PaymentBroadcastRecorded(e) => vec![Take(Claim::payment_tx(owner, &e.tx_signature))],
        Event::PaymentFailed(e) => {
            let foreign = FOREIGN.contains(&e.reason.as_str()).then(|| Claim::payment_tx(owner, &e.tx_signature));
            [foreign, e.place.as_ref().map(Claim::place)].into_iter().flatten().map(Release).collect()
        }
        Event::PaymentExpired(e) => e.place.iter().map(|place| Release(Claim::place(place))).collect(),
        Event::ProofFingerprinted(e) => vec![Take(Claim::fingerprint(owner, livemode, e.rail_id, &e.fingerprint))],
        Event::SandboxProofRecorded(e) => vec![Take(Claim::fingerprint(owner, livemode, e.rail_id, &e.fingerprint))],
        Event::VerificationAttempted(e) if e.outcome == Outcome::Failed && e.reason.as_deref().is_some_and(|r| FOREIGN.contains(&r)) => {
            vec![Release(Claim::fingerprint(owner, livemode, e.rail_id, &e.fingerprint))]
        }
        Event::SettlementEvidenced(e) => vec![Take(Claim::transfer(e.rail_id, &e.transfer_id))],
        Event::ReceiptCreated(e) => match e.source {
            ReceiptSource::Checkout => vec![Take(Claim::receipt_tx(owner, &e.tx_signature))],
            ReceiptSource::MerchantSubmitted => vec![Take(Claim::manual_receipt_tx(owner, &e.tx_signature))],
        },
        Event::TicketOpened(e) => e.delivery_case_of.into_iter().map(|membership| Take(Claim::delivery_case(membership))).collect(),
        Event::TicketClosed(e) => e.delivery_case_of.into_iter().map(|membership| Release(Claim::delivery_case(membership))).collect(),
        Event::ApiKeyIssued(e) => vec![Take(Claim::api_key(&e.key_hash))],
        _ => Vec::new(),
    }
}
