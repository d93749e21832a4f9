//! What a look at the chain changes in the streams of one payment.

mod access;
mod closed;
mod delivery;
mod settled;

pub use closed::ENTITLEMENT_CLOSED;
pub use settled::settled;

use super::{Look, SettleError, Settlement, identity::Proven, rejected};
use crate::delivery::Handover;
use events::{
    claims::ClaimScope,
    clock::new_id,
    log::{AppendError, Log},
    unit::{Loaded, Unit, load},
    vault::{Signer, Vault},
    vocab::{
        bytes::{Hash32, TxSignature},
        event::{EventType, ObservedPayment, PaymentCreated, PaymentRequirementAuthored, ReceiptCreated},
        id::{EventId, ProofId, ReceiptId},
        rail::RailId,
        stream::{Category, StreamId},
        time::Timestamp,
        words::{Outcome, Trigger},
    },
};
use ledger::{
    Cited,
    fee_leg::{self, FeeLeg},
    identity_session,
    payment::{self, Payment},
    payment_session::{self, PaymentSession},
    proof::{self, Basis, Proof},
    receipt::{self, Receipt, ReceiptFacts},
};
use rails::solana::{Network, evidence::Matched, rpc::RpcUnavailable};

/// The look's reason when the chain does not know the transaction.
const NOT_FOUND: &str = "tx_not_found";
/// The payment's reason when it never will.
const NEVER_APPEARED: &str = "tx_never_appeared";
/// How long after the payment's end a transaction is waited for that the chain has not shown.
pub const GIVEN_UP_AFTER_SECONDS: i64 = 600;

/// What a settlement has led to so far: access rests on it.
struct Records {
    receipt: Cited<ReceiptCreated>,
    mapped_event: EventId,
    settlement_event: EventId,
}

/// The streams of one payment, and what is to be appended to them.
pub struct Case<'a> {
    log: &'a Log,
    vault: &'a Vault,
    unit: Unit<'a>,
    payment: Loaded<Payment>,
    session: Option<Loaded<PaymentSession>>,
    proof: Loaded<Proof>,
    facts: PaymentCreated,
    tx: TxSignature,
    trigger: Trigger,
    now: Timestamp,
    /// The proof of identity that it uses up.
    proven: Option<Proven>,
}

/// The one proof stream of a payment and a transaction: whoever records it first, the others find it.
pub fn proof_id(payment: &PaymentCreated, tx: &TxSignature) -> ProofId {
    ProofId(uuid::Uuid::new_v5(&payment.payment_id.0, &tx.0))
}

/// The proof stream of a payment and of whatever was brought for it.
pub fn proof_id_of(payment: &PaymentCreated, signed: &proof::Signed) -> ProofId {
    match signed {
        proof::Signed::Transaction(tx) => proof_id(payment, tx),
        proof::Signed::Unusable(content) => ProofId(uuid::Uuid::new_v5(&payment.payment_id.0, &content.0)),
    }
}

impl<'a> Case<'a> {
    /// Reads the streams.
    pub async fn open(
        log: &'a Log,
        vault: &'a Vault,
        unit: Unit<'a>,
        payment: Loaded<Payment>,
        tx: TxSignature,
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<Self, SettleError> {
        let facts = payment.state.facts().cloned();
        let facts = facts.ok_or(SettleError::Rejected { code: "payment_not_found", detail: "there is no such payment".into() })?;
        let session = match facts.session_id {
            Some(id) => Some(load::<PaymentSession>(log, StreamId::new(Category::PaymentSession, id)).await?),
            None => None,
        };
        let proof = load::<Proof>(log, StreamId::new(Category::Proof, proof_id(&facts, &tx))).await?;
        Ok(Case { log, vault, unit, payment, session, proof, facts, tx, trigger, now, proven: None })
    }

    /// What is to be paid.
    pub fn facts(&self) -> &PaymentCreated {
        &self.facts
    }

    /// With a proof of identity to use up.
    pub fn proven(mut self, proven: Proven) -> Self {
        self.proven = Some(proven);
        self
    }

    /// The transaction pays: everything that follows, in one append.
    pub async fn pass(
        mut self,
        matched: &Matched,
        observed: Option<ObservedPayment>,
        network: &Network,
        signer: &Signer,
        handover: &Handover,
    ) -> Result<Settlement, SettleError> {
        if let Payment::Confirmed { .. } = &self.payment.state {
            return settled(self.log, &self.payment.state, None).await;
        }
        let proof_event = self.fingerprint(network)?;
        let verification_event = self.verify(proof_event, Outcome::Passed, None, observed)?;
        let settlement_event = self.settle(verification_event, matched, network)?;
        let payment_event = self.confirm(settlement_event, matched)?;
        self.owe_fee(settlement_event).await?;
        self.use_up_identity(payment_event)?;
        let receipt = self.receipt(settlement_event, network, signer)?;
        let mapped_event = self.map(settlement_event, &receipt)?;
        let records = Records { receipt, mapped_event, settlement_event };
        match self.entitlement().await? {
            Some(entitlement) if entitlement.state.is_closed() => self.keep_closed(entitlement, records).await?,
            entitlement => {
                let membership = self.membership(payment_event).await?;
                let membership_id = membership.as_ref().map(|membership| membership.id);
                if let Some(entitlement) = entitlement {
                    self.activate(entitlement, records, membership)?;
                }
                self.deliver(handover, payment_event, membership_id).await?;
            }
        }
        let (log, state) = (self.log, self.payment.state.clone());
        match self.unit.commit().await {
            Ok(appended) => settled(log, &state, Some(appended.last_position)).await,
            Err(AppendError::ClaimTaken { claim, .. }) if claim.scope == ClaimScope::Fingerprint => {
                Err(SettleError::Rejected { code: "proof_replayed", detail: "this transaction is recorded for another payment".into() })
            }
            Err(AppendError::ClaimTaken { .. }) => {
                Err(SettleError::Rejected { code: "tx_conflict", detail: "this transaction has settled another payment".into() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The transaction pays, and something else must come first: a proof of who pays, or the end of an emergency stop. The money is
    /// there, and the payment settles when it has come.
    pub async fn waits(mut self, matched: &Matched, reason: &'static str) -> Result<Settlement, SettleError> {
        let link = payment::Command::LinkPaid { tx: self.tx, payer: matched.payer, paid_at: self.paid_at(matched) };
        self.unit.decide(&mut self.payment, link, None).map_err(rejected!())?;
        self.attempt(Outcome::Pending, reason)?;
        self.commit_attempt().await?;
        Ok(Settlement::Pending(reason))
    }

    /// It does not pay, or not yet.
    pub async fn not_passed(mut self, look: &Look) -> Result<Settlement, SettleError> {
        let reason = look.reason.unwrap_or("tx_not_final");
        let linked = self.payment.state.tx() == Some(self.tx);
        let recorded = self.proof.state.proof().is_some();
        // A transaction that merely carries the memo cannot end a payment by being seen: anyone could send one.
        let ends = look.outcome == Outcome::Failed
            && (linked || (look.bound && (recorded || matches!(self.trigger, Trigger::Confirm | Trigger::Proof))));
        if recorded || (ends && look.bound) {
            let proof_event = self.fingerprint(&look.network)?;
            self.verify(proof_event, look.outcome, Some(reason), look.observed.clone())?;
        }
        if !matches!(self.payment.state, Payment::Confirmed { .. } | Payment::Failed { .. } | Payment::Expired { .. }) {
            self.attempt(look.outcome, reason)?;
            if ends {
                self.fail(reason)?;
            } else if linked && self.never_appeared(reason) {
                self.fail(NEVER_APPEARED)?;
            }
        }
        let outcome = match look.outcome {
            Outcome::Pending => Settlement::Pending(reason),
            _ => Settlement::Refused(reason.to_owned()),
        };
        self.commit_attempt().await?;
        Ok(outcome)
    }

    /// A transaction is good for about a minute from the block it names. One that a payment was linked to in time and that the chain
    /// does not know long after will not come; waiting for it would keep a capped product's place for good.
    fn never_appeared(&self, reason: &str) -> bool {
        reason == NOT_FOUND && self.now >= self.facts.expires_at.plus_seconds(GIVEN_UP_AFTER_SECONDS)
    }

    async fn commit_attempt(self) -> Result<(), SettleError> {
        if self.unit.is_empty() {
            return Ok(());
        }
        match self.unit.commit().await {
            Ok(_) => Ok(()),
            Err(AppendError::ClaimTaken { .. }) => {
                Err(SettleError::Rejected { code: "proof_replayed", detail: "this transaction is recorded for another payment".into() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The chain could not be asked: that is an attempt too (INV-6), on the proof if there is one.
    pub async fn unavailable(mut self, error: &RpcUnavailable) -> Result<(), SettleError> {
        if let Some(proof_event) = self.proof.first(EventType::ProofFingerprinted) {
            self.verify(proof_event, Outcome::Error, Some(error.reason.code()), None)?;
        }
        if !self.unit.is_empty() {
            self.unit.commit().await?;
        }
        Ok(())
    }

    fn fingerprint(&mut self, network: &Network) -> Result<EventId, SettleError> {
        if let Some(recorded) = self.proof.first(EventType::ProofFingerprinted) {
            return Ok(recorded);
        }
        let (basis, cause) = match self.requirement() {
            Some(requirement) => (Basis::Requirement(Box::new(requirement.clone())), requirement.id),
            None => {
                let created = self.payment.first(EventType::PaymentCreated).ok_or(SettleError::Inconsistent)?;
                (Basis::Checkout(created), created)
            }
        };
        let fingerprint = proof::Fingerprint {
            proof_id: proof_id(&self.facts, &self.tx),
            rail_id: RailId::SolanaUsdc,
            network: network.to_string(),
            signed: proof::Signed::Transaction(self.tx),
            x402: None,
            trigger: self.trigger,
            payment: self.facts.clone(),
            basis,
        };
        let made =
            self.unit.decide(&mut self.proof, proof::Command::Fingerprint(Box::new(fingerprint)), Some(cause)).map_err(rejected!())?;
        Ok(made.first().copied().unwrap_or(cause))
    }

    fn requirement(&self) -> Option<Cited<PaymentRequirementAuthored>> {
        let session = self.session.as_ref()?;
        let id = session.first(EventType::PaymentRequirementAuthored)?;
        Some(Cited::new(id, session.state.open()?.requirement.clone()))
    }

    fn verify(
        &mut self,
        proof_event: EventId,
        outcome: Outcome,
        reason: Option<&str>,
        observed: Option<ObservedPayment>,
    ) -> Result<EventId, SettleError> {
        let verification = proof::Verification {
            proof_event,
            verifier: "solana_json_rpc".into(),
            trigger: self.trigger,
            outcome,
            reason: reason.map(str::to_owned),
            observed,
        };
        let command = proof::Command::RecordVerification(Box::new(verification));
        let made = self.unit.decide(&mut self.proof, command, Some(proof_event)).map_err(rejected!())?;
        Ok(made.first().copied().unwrap_or(proof_event))
    }

    fn settle(&mut self, verification_event: EventId, matched: &Matched, network: &Network) -> Result<EventId, SettleError> {
        let settle = proof::Settle {
            verification_event,
            payment: self.facts.clone(),
            transfer_id: network.transfer_id(&self.tx),
            payer: matched.payer,
            slot: matched.slot,
            // The comparison has found exactly what was asked for at each wallet.
            merchant_amount: self.facts.merchant_amount,
            fee_amount: self.facts.fee_amount,
        };
        let made =
            self.unit.decide(&mut self.proof, proof::Command::Settle(Box::new(settle)), Some(verification_event)).map_err(rejected!())?;
        Ok(made.first().copied().unwrap_or(verification_event))
    }

    fn confirm(&mut self, settlement_event: EventId, matched: &Matched) -> Result<EventId, SettleError> {
        self.attempt_passed()?;
        let settled = self.proof.state.settled().cloned().ok_or(SettleError::Inconsistent)?;
        let paid_at = self.paid_at(matched);
        let confirm = payment::Command::Confirm {
            settlement: Cited::new(settlement_event, settled),
            identity_session_id: self.proven.as_ref().map(|proven| proven.session.stream.id.into()),
            paid_at,
            now: self.now,
        };
        let made = self.unit.decide(&mut self.payment, confirm, Some(settlement_event)).map_err(rejected!())?;
        Ok(made.last().copied().unwrap_or(settlement_event))
    }

    /// What the merchant owes from now on, where the buyer sent no fee.
    async fn owe_fee(&mut self, settlement_event: EventId) -> Result<(), SettleError> {
        let settled = self.proof.state.settled().cloned().ok_or(SettleError::Inconsistent)?;
        let mut leg = load::<FeeLeg>(self.log, StreamId::new(Category::Fee, self.facts.payment_id)).await?;
        let owe = fee_leg::Command::Owe { payment: Box::new(self.facts.clone()), settlement: Cited::new(settlement_event, settled) };
        self.unit.decide(&mut leg, owe, Some(settlement_event)).map_err(rejected!())?;
        Ok(())
    }

    fn paid_at(&self, matched: &Matched) -> Timestamp {
        matched.block_time.map_or(self.now, |seconds| Timestamp::from_micros(seconds.saturating_mul(1_000_000)))
    }

    fn use_up_identity(&mut self, payment_event: EventId) -> Result<(), SettleError> {
        let (Some(proven), Payment::Confirmed { confirmed, .. }) = (&mut self.proven, &self.payment.state) else { return Ok(()) };
        let payment = Cited::new(payment_event, (**confirmed).clone());
        let consume = identity_session::Command::Consume { payment, now: self.now };
        self.unit.decide(&mut proven.session, consume, Some(payment_event)).map_err(rejected!())?;
        Ok(())
    }

    fn attempt_passed(&mut self) -> Result<(), SettleError> {
        let command = payment::Command::RecordAttempt { tx: self.tx, trigger: self.trigger, outcome: Outcome::Passed, reason: None };
        self.unit.decide(&mut self.payment, command, None).map_err(rejected!())?;
        Ok(())
    }

    fn attempt(&mut self, outcome: Outcome, reason: &str) -> Result<(), SettleError> {
        let command = payment::Command::RecordAttempt { tx: self.tx, trigger: self.trigger, outcome, reason: Some(reason.to_owned()) };
        self.unit.decide(&mut self.payment, command, None).map_err(rejected!())?;
        Ok(())
    }

    fn fail(&mut self, reason: &str) -> Result<(), SettleError> {
        let command = payment::Command::Fail { tx: self.tx, reason: reason.to_owned(), now: self.now };
        let made = self.unit.decide(&mut self.payment, command, None).map_err(rejected!())?;
        if let Some(session) = &mut self.session {
            let command = payment_session::Command::Fail { reason: reason.to_owned() };
            self.unit.decide(session, command, made.last().copied()).map_err(rejected!())?;
        }
        Ok(())
    }

    fn receipt(&mut self, settlement_event: EventId, network: &Network, signer: &Signer) -> Result<Cited<ReceiptCreated>, SettleError> {
        let receipt_id: ReceiptId = new_id();
        let settled = self.proof.state.settled().cloned().ok_or(SettleError::Inconsistent)?;
        let facts = ReceiptFacts {
            receipt_id,
            payment: self.facts.clone(),
            settlement: Cited::new(settlement_event, settled),
            network: network.to_string(),
            issued_at: self.now,
        };
        let bytes = receipt::canonical_bytes(&facts);
        let create = receipt::Create {
            facts,
            receipt_hash: Hash32::of(&bytes),
            signature: signer.sign(&bytes),
            kid: signer.kid().to_owned(),
            credits_burned: 0,
        };
        let mut stream = self.unit.start::<Receipt>(StreamId::new(Category::Receipt, receipt_id));
        let made =
            self.unit.decide(&mut stream, receipt::Command::Create(Box::new(create)), Some(settlement_event)).map_err(rejected!())?;
        match (&stream.state, made.first()) {
            (Receipt::Issued(created), Some(id)) => Ok(Cited::new(*id, (**created).clone())),
            _ => Err(SettleError::Inconsistent),
        }
    }

    fn map(&mut self, settlement_event: EventId, receipt: &Cited<ReceiptCreated>) -> Result<EventId, SettleError> {
        let command = proof::Command::MapReceipt { settlement_event, receipt: Box::new(receipt.clone()) };
        let made = self.unit.decide(&mut self.proof, command, Some(receipt.id)).map_err(rejected!())?;
        Ok(made.first().copied().unwrap_or(receipt.id))
    }
}
