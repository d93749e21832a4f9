//! What the facilitator writes into the log by itself: that a transaction is on its way, that one came twice, that one cannot come.

use super::{
    Facilitator, FacilitatorError,
    examine::{Examined, stopped},
    subject::Subject,
};
use crate::settle::{proof_id, rejected};
use events::{
    claims::ClaimScope,
    log::{AppendError, Context},
    unit::{Unit, is_conflict, load, retry_conflicts},
    vocab::{
        bytes::{Hash32, TxSignature},
        event::{EventType, X402Proof},
        id::ProofId,
        rail::RailId,
        stream::{Category, StreamId},
        words::Trigger,
    },
};
use ledger::{
    payment::{self, Payment},
    payment_session::{self, PaymentSession},
    proof::{self, Basis, Proof, Signed, solana_fingerprint},
};
use rails::x402::{Reason, Refusal};

const ATTEMPTS: u32 = 5;
/// The payment's wallet software, in its own words.
const WALLET_SOURCE: &str = "x402";

impl Facilitator {
    /// Records the proof and links the transaction, in one append and before it is sent: of two transactions that want to pay for one
    /// session only one is sent, and a crash right after leaves what the watcher needs.
    pub(super) async fn begin(&self, examined: &Examined, context: &Context) -> Result<(), FacilitatorError> {
        let conflict = |error: &FacilitatorError| matches!(error, FacilitatorError::Append(error) if is_conflict(error));
        let begun = retry_conflicts(ATTEMPTS, conflict, || self.try_begin(examined, context)).await;
        let duplicate = || Refusal::new(Reason::DuplicateSettlement, "this transaction is recorded for another payment");
        match begun {
            Err(FacilitatorError::Append(AppendError::ClaimTaken { claim, .. }))
                if matches!(claim.scope, ClaimScope::Fingerprint | ClaimScope::PaymentTx) =>
            {
                Err(duplicate().of(examined.payable.payer).into())
            }
            other => other,
        }
    }

    async fn try_begin(&self, examined: &Examined, context: &Context) -> Result<(), FacilitatorError> {
        let Examined { subject, payable, tx, .. } = examined;
        let mut unit = Unit::new(&self.0.log, context.clone());
        let (standing, held) = self.0.settler.standing().await?;
        // A switch that is tripped while this goes on makes it look again.
        unit.rely_on(&standing.policy);
        let mut payment = unit.load::<Payment>(subject.payment.stream).await?;
        match &payment.state {
            Payment::PendingConfirmation { tx: sent, .. } if sent == tx => return Ok(()),
            Payment::Confirmed { confirmed, .. } if confirmed.tx_signature == *tx => return Ok(()),
            Payment::PendingSignature { .. } => {
                if let Some(why) = held {
                    return Err(stopped(why).of(payable.payer).into());
                }
            }
            _ => {
                let refusal = Refusal::new(Reason::DuplicateSettlement, "another transaction is under way or has paid for this session");
                return Err(refusal.of(payable.payer).into());
            }
        }
        let requirement = &subject.requirement;
        let id = proof_id(&subject.facts, tx);
        let mut proof = unit.load::<Proof>(StreamId::new(Category::Proof, id)).await?;
        let mut cause = requirement.id;
        if proof.state.proof().is_none() {
            let asked = requirement.event.x402.as_ref().ok_or(FacilitatorError::Inconsistent)?;
            let x402 =
                X402Proof { payment_requirements_hash: asked.payment_requirements_hash, message_hash: Some(Hash32::of(&payable.message)) };
            let fingerprint = proof::Fingerprint {
                proof_id: id,
                rail_id: RailId::SolanaUsdc,
                network: self.0.network.to_string(),
                signed: Signed::Transaction(*tx),
                x402: Some(x402),
                trigger: Trigger::Facilitator,
                payment: subject.facts.clone(),
                basis: Basis::Requirement(Box::new(requirement.clone())),
            };
            let made = unit.decide(&mut proof, proof::Command::Fingerprint(Box::new(fingerprint)), Some(cause)).map_err(rejected!())?;
            cause = made.first().copied().unwrap_or(cause);
        }
        let broadcast = payment::Command::RecordBroadcast {
            tx: *tx,
            payer_wallet: Some(payable.payer),
            wallet_source: Some(WALLET_SOURCE.to_owned()),
            now: self.0.clock.now(),
        };
        unit.decide(&mut payment, broadcast, Some(cause)).map_err(rejected!())?;
        unit.commit().await?;
        Ok(())
    }

    /// Keeps that a payment came that is another session's (INV-5), once for each session and transaction, and only if its buyer has
    /// signed it: else anybody could fill the log.
    pub(super) async fn record_replay(
        &self,
        subject: &Subject,
        signed: bool,
        tx: TxSignature,
        request_id: &str,
    ) -> Result<(), FacilitatorError> {
        if !signed {
            return Ok(());
        }
        let content = [b"replay".as_slice(), &tx.0].concat();
        let id = ProofId(uuid::Uuid::new_v5(&subject.facts.payment_id.0, &content));
        let mut unit = Unit::new(&self.0.log, self.context(subject, request_id));
        let mut refused = unit.load::<Proof>(StreamId::new(Category::Proof, id)).await?;
        if !refused.is_new() {
            return Ok(());
        }
        let command = proof::Command::RecordReplay {
            fingerprint: solana_fingerprint(self.0.network.as_str(), &tx),
            rail_id: RailId::SolanaUsdc,
            tx: Some(tx),
            session_id: subject.facts.session_id,
            payment_id: Some(subject.facts.payment_id),
        };
        unit.decide(&mut refused, command, None).map_err(rejected!())?;
        match unit.commit().await {
            Ok(_) | Err(AppendError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The transaction will never come: the session ends, so that the buyer can be given another.
    pub(super) async fn give_up(&self, examined: &Examined, context: &Context, reason: &str) -> Result<(), FacilitatorError> {
        let conflict = |error: &FacilitatorError| matches!(error, FacilitatorError::Append(error) if is_conflict(error));
        retry_conflicts(ATTEMPTS, conflict, || async {
            let Examined { subject, tx, .. } = examined;
            let mut unit = Unit::new(&self.0.log, context.clone());
            let mut payment = unit.load::<Payment>(subject.payment.stream).await?;
            if !matches!(&payment.state, Payment::PendingConfirmation { tx: sent, .. } if sent == tx) {
                return Ok(());
            }
            let fail = payment::Command::Fail { tx: *tx, reason: reason.to_owned(), now: self.0.clock.now() };
            let failed = unit.decide(&mut payment, fail, None).map_err(rejected!())?;
            let mut session = load::<PaymentSession>(&self.0.log, subject.session.stream).await?;
            debug_assert!(session.first(EventType::PaymentRequirementAuthored).is_some());
            let fail = payment_session::Command::Fail { reason: reason.to_owned() };
            unit.decide(&mut session, fail, failed.last().copied()).map_err(rejected!())?;
            unit.commit().await?;
            Ok(())
        })
        .await
    }
}
