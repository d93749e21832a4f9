//! Proofs (TR-33 to TR-36): fingerprint, verification, settlement, receipt mapping. Each stage needs the one before and cites
//! it (INV-4); none of them grants access (INV-1).

use crate::{
    Cited,
    check::{filled, rejections},
};
use events::{
    claims::FOREIGN,
    decider::Decider,
    vocab::{
        bytes::{Hash32, SolanaAddress, TxSignature},
        event::{
            Event, ObservedPayment, PaymentCreated, PaymentRequirementAuthored, ProofFingerprinted, ProofRejected, ProofReplayRejected,
            ReceiptCreated, ReceiptMapped, SettlementEvidenced, VerificationAttempted,
        },
        id::{EventId, PaymentId, ProofId, ReceiptId, SessionId},
        money::Minor,
        rail::RailId,
        stream::Fact,
        words::{Outcome, Trigger},
    },
};

/// A proof.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Proof {
    /// Not recorded. Refusals may have been, and change nothing.
    #[default]
    Absent,
    /// Fingerprinted; the chain has not confirmed it, or has not been asked.
    Recorded {
        /// What was recorded.
        proof: Box<ProofFingerprinted>,
        /// The last look at the chain.
        last: Option<Box<VerificationAttempted>>,
    },
    /// A look at the chain passed.
    Verified {
        /// What was recorded.
        proof: Box<ProofFingerprinted>,
        /// The look that passed.
        passed: Box<VerificationAttempted>,
    },
    /// The transfer is final and counted.
    Settled {
        /// What was recorded.
        proof: Box<ProofFingerprinted>,
        /// The look that passed.
        passed: Box<VerificationAttempted>,
        /// The settlement.
        settled: Box<SettlementEvidenced>,
    },
    /// The settlement has its receipt.
    Mapped {
        /// What was recorded.
        proof: Box<ProofFingerprinted>,
        /// The look that passed.
        passed: Box<VerificationAttempted>,
        /// The settlement.
        settled: Box<SettlementEvidenced>,
        /// The mapping.
        mapped: ReceiptMapped,
    },
}

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
        /// The transaction.
        tx: TxSignature,
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
    /// The transaction.
    pub tx: TxSignature,
    /// Who brought it.
    pub trigger: Trigger,
    /// The payment that it is for.
    pub payment: PaymentCreated,
    /// The event that permits it.
    pub basis: Basis,
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
        ReasonRequired = "reason_required", "reason is required";
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

impl Decider for Proof {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use Proof::{Absent, Mapped, Recorded, Settled, Verified};
        match (state, command) {
            (Absent, Command::Fingerprint(new)) => Ok(vec![new.event()?.into()]),
            (_, Command::Fingerprint(new)) => match new.event()? {
                again if state.proof() == Some(&again) => Ok(vec![]),
                _ => Err(Rejection::Replayed),
            },
            (_, Command::RecordReplay { fingerprint, rail_id, tx, session_id, payment_id }) => {
                Ok(vec![ProofReplayRejected { fingerprint, rail_id, tx_signature: tx, session_id, payment_id }.into()])
            }
            (Absent, Command::Reject { rail_id, session_id, payment_id, reason, field }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![ProofRejected { rail_id, session_id, payment_id, reason, field }.into()])
            }
            (_, Command::Reject { .. }) => Err(Rejection::Replayed),

            (Absent, Command::RecordVerification(_) | Command::Settle(_) | Command::MapReceipt { .. }) => Err(Rejection::NotRecorded),

            (Recorded { proof, last }, Command::RecordVerification(look)) => verification(proof, last.as_deref(), *look),
            (Verified { .. } | Settled { .. } | Mapped { .. }, Command::RecordVerification(_)) => Ok(vec![]),

            (Recorded { .. }, Command::Settle(_)) => Err(Rejection::NotVerified),
            (Verified { proof, passed }, Command::Settle(settle)) => Ok(vec![settlement(proof, passed, *settle)?.into()]),
            (Settled { settled, .. } | Mapped { settled, .. }, Command::Settle(settle)) => {
                match settled.transfer_id == settle.transfer_id {
                    true => Ok(vec![]),
                    false => Err(Rejection::AlreadySettled),
                }
            }

            (Recorded { .. } | Verified { .. }, Command::MapReceipt { .. }) => Err(Rejection::NotSettled),
            (Settled { proof, settled, .. }, Command::MapReceipt { settlement_event, receipt }) => {
                Ok(vec![mapping(proof, settled, settlement_event, &receipt)?.into()])
            }
            (Mapped { mapped, .. }, Command::MapReceipt { receipt, .. }) => match mapped.receipt_id == receipt.event.receipt_id {
                true => Ok(vec![]),
                false => Err(Rejection::AlreadyMapped),
            },
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use Proof::{Absent, Mapped, Recorded, Settled, Verified};
        match (state, event) {
            (Absent, Event::ProofFingerprinted(proof)) => Recorded { proof: Box::new(proof.clone()), last: None },
            (Recorded { proof, .. }, Event::VerificationAttempted(look)) => match look.outcome {
                Outcome::Passed => Verified { proof, passed: Box::new(look.clone()) },
                Outcome::Pending | Outcome::Failed | Outcome::Error => Recorded { proof, last: Some(Box::new(look.clone())) },
            },
            (Verified { proof, passed }, Event::SettlementEvidenced(settled)) => {
                Settled { proof, passed, settled: Box::new(settled.clone()) }
            }
            (Settled { proof, passed, settled }, Event::ReceiptMapped(mapped)) => Mapped { proof, passed, settled, mapped: mapped.clone() },
            (state, _) => state,
        }
    }
}

impl Proof {
    /// What was recorded.
    pub fn proof(&self) -> Option<&ProofFingerprinted> {
        match self {
            Proof::Absent => None,
            Proof::Recorded { proof, .. } | Proof::Verified { proof, .. } | Proof::Settled { proof, .. } | Proof::Mapped { proof, .. } => {
                Some(proof)
            }
        }
    }

    /// The look at the chain that passed.
    pub fn passed(&self) -> Option<&VerificationAttempted> {
        match self {
            Proof::Absent | Proof::Recorded { .. } => None,
            Proof::Verified { passed, .. } | Proof::Settled { passed, .. } | Proof::Mapped { passed, .. } => Some(passed),
        }
    }

    /// The settlement.
    pub fn settled(&self) -> Option<&SettlementEvidenced> {
        match self {
            Proof::Settled { settled, .. } | Proof::Mapped { settled, .. } => Some(settled),
            _ => None,
        }
    }

    /// The contract's word (OBJ-21).
    pub fn status(&self) -> Option<&'static str> {
        match self {
            Proof::Absent => None,
            Proof::Recorded { last: Some(look), .. } if look.outcome == Outcome::Failed => Some("verification_failed"),
            Proof::Recorded { .. } => Some("recorded"),
            Proof::Verified { .. } => Some("verified"),
            Proof::Settled { .. } => Some("settled"),
            Proof::Mapped { .. } => Some("receipt_mapped"),
        }
    }
}

/// The ids of the events with which a proof reached its stages: what later stages cite.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stages {
    /// `proof.fingerprinted`.
    pub fingerprinted: Option<EventId>,
    /// The passed `verification.attempted`.
    pub verified: Option<EventId>,
    /// `settlement.evidenced`.
    pub settled: Option<EventId>,
    /// `receipt.mapped`, and its receipt.
    pub mapped: Option<(EventId, ReceiptId)>,
}

impl Stages {
    /// The stages that a proof's events reached.
    pub fn of<'a>(events: impl IntoIterator<Item = (EventId, &'a Event)>) -> Self {
        events.into_iter().fold(Stages::default(), |stages, (id, event)| match event {
            Event::ProofFingerprinted(_) => Stages { fingerprinted: stages.fingerprinted.or(Some(id)), ..stages },
            Event::VerificationAttempted(look) if look.outcome == Outcome::Passed => {
                Stages { verified: stages.verified.or(Some(id)), ..stages }
            }
            Event::SettlementEvidenced(_) => Stages { settled: stages.settled.or(Some(id)), ..stages },
            Event::ReceiptMapped(mapped) => Stages { mapped: stages.mapped.or(Some((id, mapped.receipt_id))), ..stages },
            _ => stages,
        })
    }
}

/// The fingerprint of a Solana transaction: SHA-256 of the network, a zero byte, and the 64 bytes of its signature. It is of
/// the bytes, not of their text, so that no other spelling of the same signature is a new proof.
pub fn solana_fingerprint(network: &str, tx: &TxSignature) -> Hash32 {
    Hash32::of([network.as_bytes(), &[0], &tx.0].concat())
}

impl Fingerprint {
    fn event(self) -> Result<ProofFingerprinted, Rejection> {
        if self.rail_id != RailId::SolanaUsdc {
            return Err(Rejection::RailDisabled { rail: self.rail_id });
        }
        let payment = &self.payment;
        let (requirement_event, requirement_hash) = match &self.basis {
            Basis::Requirement(cited) => {
                fits(&self, &cited.event)?;
                (cited.id, Some(cited.event.requirement_hash))
            }
            Basis::Checkout(_) if payment.session_id.is_some() => {
                return Err(Rejection::RequirementMismatch { field: "payment_session_id" });
            }
            Basis::Checkout(id) => (*id, None),
        };
        Ok(ProofFingerprinted {
            proof_id: self.proof_id,
            fingerprint: solana_fingerprint(&self.network, &self.tx),
            rail_id: self.rail_id,
            network: self.network,
            tx_signature: self.tx,
            session_id: payment.session_id,
            payment_id: payment.payment_id,
            entitlement_id: payment.entitlement_id,
            access_product_id: payment.access_product_id,
            product_id: payment.product_id,
            subject_id: payment.subject_id,
            amount: payment.amount,
            requirement_hash,
            trigger: self.trigger,
            requirement_event,
        })
    }
}

fn fits(proof: &Fingerprint, requirement: &PaymentRequirementAuthored) -> Result<(), Rejection> {
    let payment = &proof.payment;
    let same = [
        ("payment_session_id", payment.session_id == Some(requirement.session_id)),
        ("rail_id", proof.rail_id == requirement.rail_id),
        ("network", proof.network == requirement.network),
        ("asset", payment.asset.mint == requirement.asset),
        ("memo", payment.memo() == requirement.memo),
        ("gross_amount_minor_units", payment.amount == requirement.gross),
        ("merchant_amount_minor_units", payment.merchant_amount == requirement.merchant_amount),
        ("hilt_fee_minor_units", payment.fee_amount == requirement.fee_amount),
    ];
    match same.into_iter().find(|(_, same)| !same) {
        Some((field, _)) => Err(Rejection::RequirementMismatch { field }),
        None => Ok(()),
    }
}

fn verification(proof: &ProofFingerprinted, last: Option<&VerificationAttempted>, look: Verification) -> Result<Vec<Fact>, Rejection> {
    if last.is_some_and(|last| last.proof_event != look.proof_event) {
        return Err(Rejection::WrongStageCited { field: "proof_event" });
    }
    let foreign = |last: &VerificationAttempted| {
        last.outcome == Outcome::Failed && last.reason.as_deref().is_some_and(|reason| FOREIGN.contains(&reason))
    };
    // Its fingerprint may be another proof's by now, so that nothing can be built on this one any more.
    if last.is_some_and(foreign) {
        return Err(Rejection::Released);
    }
    let seen = look.observed.as_ref().is_some_and(|observed| observed.payer.is_some());
    match look.outcome {
        Outcome::Passed if !seen => return Err(Rejection::ObservationRequired),
        Outcome::Pending | Outcome::Failed | Outcome::Error if look.reason.is_none() => return Err(Rejection::ReasonRequired),
        _ => {}
    }
    let again = |last: &VerificationAttempted| last.outcome == look.outcome && last.reason == look.reason;
    let undecided = matches!(look.outcome, Outcome::Pending | Outcome::Error);
    if look.trigger == Trigger::Watcher && undecided && last.is_some_and(again) {
        return Ok(vec![]);
    }
    let attempted = VerificationAttempted {
        proof_id: proof.proof_id,
        payment_id: proof.payment_id,
        session_id: proof.session_id,
        rail_id: proof.rail_id,
        fingerprint: proof.fingerprint,
        attempt: last.map_or(1, |last| last.attempt.saturating_add(1)),
        verifier: look.verifier,
        trigger: look.trigger,
        outcome: look.outcome,
        reason: if look.outcome == Outcome::Passed { None } else { look.reason },
        observed: look.observed,
        proof_event: look.proof_event,
    };
    Ok(vec![attempted.into()])
}

fn settlement(proof: &ProofFingerprinted, passed: &VerificationAttempted, settle: Settle) -> Result<SettlementEvidenced, Rejection> {
    let payment = &settle.payment;
    let observed = passed.observed.as_ref();
    let gross = settle.merchant_amount.checked_add(settle.fee_amount);
    let same = [
        ("payment_id", payment.payment_id == proof.payment_id),
        ("session_id", payment.session_id == proof.session_id),
        ("payer", observed.and_then(|seen| seen.payer) == Some(settle.payer)),
        ("slot", observed.map(|seen| seen.slot) == Some(settle.slot)),
        ("merchant_amount", settle.merchant_amount == payment.merchant_amount),
        ("fee_amount", settle.fee_amount == payment.fee_amount),
        ("gross", gross == Some(proof.amount) && proof.amount == payment.amount),
    ];
    if let Some((field, _)) = same.into_iter().find(|(_, same)| !same) {
        return Err(Rejection::SettlementMismatch { field });
    }
    Ok(SettlementEvidenced {
        proof_id: proof.proof_id,
        payment_id: proof.payment_id,
        session_id: proof.session_id,
        rail_id: proof.rail_id,
        transfer_id: settle.transfer_id,
        tx_signature: proof.tx_signature,
        payer: settle.payer,
        slot: settle.slot,
        gross: proof.amount,
        merchant_amount: settle.merchant_amount,
        fee_amount: settle.fee_amount,
        verification_event: settle.verification_event,
    })
}

fn mapping(
    proof: &ProofFingerprinted,
    settled: &SettlementEvidenced,
    settlement_event: EventId,
    receipt: &Cited<ReceiptCreated>,
) -> Result<ReceiptMapped, Rejection> {
    let created = &receipt.event;
    let same = [
        ("settlement_event", created.settlement_event == settlement_event),
        ("payment_id", created.payment_id == settled.payment_id),
        ("product_id", created.product_id == proof.product_id),
        ("tx_signature", created.tx_signature == settled.tx_signature),
        ("amount", created.amount == settled.gross),
        ("wallet", created.wallet == settled.payer),
    ];
    if let Some((field, _)) = same.into_iter().find(|(_, same)| !same) {
        return Err(Rejection::ReceiptMismatch { field });
    }
    Ok(ReceiptMapped {
        proof_id: proof.proof_id,
        receipt_id: created.receipt_id,
        payment_id: settled.payment_id,
        session_id: settled.session_id,
        entitlement_id: proof.entitlement_id,
        rail_id: settled.rail_id,
        settlement_event,
        receipt_event: receipt.id,
    })
}
