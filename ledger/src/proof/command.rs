//! What is asked of a proof, and why it may be refused.

use crate::{Cited, check::rejections};
use events::vocab::{
    bytes::{Hash32, SolanaAddress, TxSignature},
    event::{ObservedPayment, PaymentCreated, PaymentRequirementAuthored, ReceiptCreated, X402Proof},
    id::{EventId, PaymentId, ProofId, SessionId},
    money::Minor,
    rail::RailId,
    words::{Outcome, Trigger},
};

/// What is asked of a proof.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Record it (TR-33).
    Fingerprint(Box<Fingerprint>),
    /// Keep that the same proof came again (INV-5).
    RecordReplay {
        /// Its fingerprint.
        fingerprint: Hash32,
        /// On which rail.
        rail_id: RailId,
        /// The transaction, where there is one.
        tx: Option<TxSignature>,
        /// For which session it came.
        session_id: Option<SessionId>,
        /// For which payment it came.
        payment_id: Option<PaymentId>,
    },
    /// Keep that a proof did not fit its requirement and was not recorded.
    Reject {
        /// On which rail.
        rail_id: RailId,
        /// For which session it came.
        session_id: Option<SessionId>,
        /// For which payment it came.
        payment_id: Option<PaymentId>,
        /// A stable code.
        reason: String,
        /// The field that does not fit.
        field: Option<String>,
    },
    /// The chain was asked (TR-34); failures are kept too (INV-6).
    RecordVerification(Box<Verification>),
    /// The transfer is final and matches (TR-35, INV-7).
    Settle(Box<Settle>),
    /// The settlement has its receipt (TR-36).
    MapReceipt {
        /// The event that permits it.
        settlement_event: EventId,
        /// The receipt of this settlement.
        receipt: Box<Cited<ReceiptCreated>>,
    },
}

/// See [`Command::Fingerprint`].
#[derive(Clone, PartialEq, Debug)]
pub struct Fingerprint {
    /// Its id.
    pub proof_id: ProofId,
    /// The rail.
    pub rail_id: RailId,
    /// CAIP-2.
    pub network: String,
    /// What was brought.
    pub signed: Signed,
    /// What ties an x402 payload to its requirement.
    pub x402: Option<X402Proof>,
    /// Who brought it.
    pub trigger: Trigger,
    /// The payment that it is for.
    pub payment: PaymentCreated,
    /// The event that permits it.
    pub basis: Basis,
}

/// What a proof consists of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signed {
    /// A transaction.
    Transaction(TxSignature),
    /// Something signed that is no transaction which could pay; the hash of its canonical content. It is kept, so that it cannot come
    /// twice, and nothing follows from it.
    Unusable(Hash32),
}

impl Signed {
    /// The transaction, if it is one.
    pub fn tx(&self) -> Option<TxSignature> {
        match self {
            Signed::Transaction(tx) => Some(*tx),
            Signed::Unusable(_) => None,
        }
    }
}

/// What a proof is measured against.
#[derive(Clone, PartialEq, Debug)]
pub enum Basis {
    /// A session's requirement.
    Requirement(Box<Cited<PaymentRequirementAuthored>>),
    /// The `payment.created` of a hosted checkout without a session.
    Checkout(EventId),
}

/// See [`Command::RecordVerification`].
#[derive(Clone, PartialEq, Debug)]
pub struct Verification {
    /// The event that permits it: `proof.fingerprinted`.
    pub proof_event: EventId,
    /// What asked.
    pub verifier: String,
    /// Who made it ask.
    pub trigger: Trigger,
    /// What came of it.
    pub outcome: Outcome,
    /// A stable code, needed unless it passed.
    pub reason: Option<String>,
    /// What the chain showed, needed if it passed.
    pub observed: Option<ObservedPayment>,
}

/// See [`Command::Settle`].
#[derive(Clone, PartialEq, Debug)]
pub struct Settle {
    /// The event that permits it: the passed `verification.attempted`.
    pub verification_event: EventId,
    /// The payment that the proof is for.
    pub payment: PaymentCreated,
    /// The transfer's canonical name, unique in the whole system.
    pub transfer_id: String,
    /// Who paid.
    pub payer: SolanaAddress,
    /// In which slot.
    pub slot: u64,
    /// What the merchant's token account received.
    pub merchant_amount: Minor,
    /// What Hilt's token account received.
    pub fee_amount: Minor,
}

rejections! {
    /// Why a proof command is refused.
    pub enum Rejection {
        /// USDT takes no proofs (INV-12), and no other rail has a recorder here.
        RailDisabled {
            /// The rail.
            rail: RailId,
        } = "rail_disabled", "{rail} takes no proofs";
        /// The proof's own requirement does not fit the payment or the proof (INV-8).
        RequirementMismatch {
            /// Which field differs.
            field: &'static str,
        } = "payment_requirement_mismatch", "{field} of the proof is not the requirement's";
        /// The proof is recorded already (INV-5).
        Replayed = "proof_replayed", "this proof is already recorded";
        /// Nothing is recorded under this id.
        NotRecorded = "proof_not_recorded", "no proof is recorded: fingerprint it first";
        /// The cited event is not the one that earlier stages cite.
        WrongStageCited {
            /// Which citation.
            field: &'static str,
        } = "stage_not_cited", "{field} is not the event of the earlier stage";
        /// The proof was about another payment and has given its fingerprint back.
        Released = "proof_released", "this proof was about another payment";
        /// A look that did not pass must say why.
        ReasonRequired = "reason_required", "reason: is required";
        /// A look that passed must say what it saw.
        ObservationRequired = "observation_required", "a passed verification needs what the chain showed, with its payer";
        /// No look at the chain has passed (INV-7).
        NotVerified = "verification_not_passed", "no verification has passed";
        /// What settled is not what was required.
        SettlementMismatch {
            /// Which field differs.
            field: &'static str,
        } = "settlement_mismatch", "{field} of the settlement is not the requirement's";
        /// It is settled by another transfer.
        AlreadySettled = "already_settled", "the proof is settled by another transfer";
        /// Nothing is settled.
        NotSettled = "settlement_not_evidenced", "no settlement is evidenced";
        /// The receipt is not this settlement's.
        ReceiptMismatch {
            /// Which field differs.
            field: &'static str,
        } = "receipt_mismatch", "{field} of the receipt is not the settlement's";
        /// It has another receipt.
        AlreadyMapped = "receipt_already_mapped", "the settlement has another receipt";
    }
}
