//! What a look at the chain changes in the streams of one payment.

mod delivery;

use super::{Look, SettleError, Settled, Settlement, buyer, identity::Proven, rejected};
use crate::delivery::Handover;
use events::{
    claims::ClaimScope,
    clock::new_id,
    log::{AppendError, Log},
    unit::{Loaded, Unit, load},
    vault::{Signer, Vault},
    vocab::{
        bytes::{Hash32, TxSignature},
        event::{EventType, ObservedPayment, PaymentConfirmed, PaymentCreated, PaymentRequirementAuthored},
        id::{EventId, MembershipId, ProofId, ReceiptId, SubjectId},
        personal::Personal,
        rail::RailId,
        stream::{Category, StreamId},
        time::Timestamp,
        words::{DeliveryType, IdentityType, Outcome, Platform, Trigger},
    },
};
use ledger::{
    Cited,
    entitlement::{self, Entitlement},
    evidence::{Evidence, ReceiptEvidence},
    fee_leg::{self, FeeLeg},
    identity_session::{self, IdentitySession},
    membership::{self, Membership, Standing},
    payment::{self, Payment},
    payment_session::{self, PaymentSession},
    product::Product,
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
        let (membership_id, current_end) = self.membership(payment_event).await?;
        self.activate(receipt, mapped_event, settlement_event, membership_id, current_end).await?;
        self.deliver(handover, payment_event, membership_id).await?;
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

    /// Who becomes a member: whose identity was proved, or else whom the payment names.
    async fn member(&self) -> Result<(SubjectId, Personal), SettleError> {
        let said = buyer::of(self.log, self.vault, &self.facts).await?;
        let started = self.proven.as_ref().and_then(|proven| Some((proven, proven.session.state.started()?)));
        Ok(match started {
            Some((proven, started)) => {
                let Personal { identity_type, identity_value, identity_display, .. } = proven.personal.clone();
                (started.subject_id, Personal { identity_type, identity_value, identity_display, ..said })
            }
            None => (self.facts.subject_id, said),
        })
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

    fn receipt(
        &mut self,
        settlement_event: EventId,
        network: &Network,
        signer: &Signer,
    ) -> Result<Cited<events::vocab::event::ReceiptCreated>, SettleError> {
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

    fn map(&mut self, settlement_event: EventId, receipt: &Cited<events::vocab::event::ReceiptCreated>) -> Result<EventId, SettleError> {
        let command = proof::Command::MapReceipt { settlement_event, receipt: Box::new(receipt.clone()) };
        let made = self.unit.decide(&mut self.proof, command, Some(receipt.id)).map_err(rejected!())?;
        Ok(made.first().copied().unwrap_or(receipt.id))
    }

    /// The membership that the payment begins or renews, and where it ended before.
    async fn membership(&mut self, payment_event: EventId) -> Result<(Option<MembershipId>, Option<Timestamp>), SettleError> {
        let (Some(terms), Payment::Confirmed { confirmed, .. }) = (self.facts.membership.clone(), &self.payment.state) else {
            return Ok((None, None));
        };
        let (subject_id, personal) = self.member().await?;
        let membership_id = MembershipId::of(self.facts.product_id, subject_id);
        let mut membership = load::<Membership>(self.log, StreamId::new(Category::Membership, membership_id)).await?;
        let current_end = membership.state.member().filter(|member| member.standing != Standing::Revoked).map(|member| member.period_end);
        let pay = membership::Pay {
            membership_id,
            access_product_id: self.facts.access_product_id,
            subject_id,
            terms,
            platform: self.platform(&personal).await?,
            personal,
            payment: Cited::new(payment_event, (**confirmed).clone()),
            now: self.now,
        };
        self.unit.decide(&mut membership, membership::Command::Pay(Box::new(pay)), Some(payment_event)).map_err(rejected!())?;
        Ok((Some(membership_id), current_end))
    }

    /// Where the member gets in: as the product says, or as it hands access over, or where he is known.
    async fn platform(&self, member: &Personal) -> Result<Option<Platform>, SettleError> {
        let product = load::<Product>(self.log, StreamId::new(Category::Product, self.facts.product_id)).await?;
        let Some(product) = product.state.facts() else { return Ok(None) };
        let delivered = match product.delivery_type {
            Some(DeliveryType::TelegramInvite) => Some(Platform::Telegram),
            Some(DeliveryType::DiscordInvite) => Some(Platform::Discord),
            Some(DeliveryType::Redirect) | None => None,
        };
        let known = match member.identity_type.as_deref().and_then(|kind| kind.parse().ok()) {
            Some(IdentityType::TelegramUserId) => Some(Platform::Telegram),
            Some(IdentityType::DiscordUserId) => Some(Platform::Discord),
            Some(IdentityType::MerchantReference) | None => None,
        };
        Ok(product.membership.as_ref().and_then(|config| config.platform).or(delivered).or(known))
    }

    async fn activate(
        &mut self,
        receipt: Cited<events::vocab::event::ReceiptCreated>,
        mapped_event: EventId,
        settlement_event: EventId,
        membership_id: Option<MembershipId>,
        current_end: Option<Timestamp>,
    ) -> Result<(), SettleError> {
        let (Some(entitlement_id), Some(requirement)) = (self.facts.entitlement_id, self.requirement()) else { return Ok(()) };
        let (Some(session), Some(owner_id)) = (&mut self.session, self.payment.owner_id) else { return Ok(()) };
        let (Payment::Confirmed { confirmed, .. }, Proof::Mapped { proof, settled, mapped, .. }, Some(created)) =
            (&self.payment.state, &self.proof.state, session.state.session())
        else {
            return Ok(());
        };
        let evidence = Evidence::Receipt(Box::new(ReceiptEvidence {
            owner_id,
            livemode: self.payment.livemode.unwrap_or(false),
            session: created.clone(),
            requirement: requirement.event,
            proof: (**proof).clone(),
            settlement: Cited::new(settlement_event, (**settled).clone()),
            payment: (**confirmed).clone(),
            receipt,
            mapped: Cited::new(mapped_event, mapped.clone()),
            membership_id,
        }));
        let mut entitlement = load::<Entitlement>(self.log, StreamId::new(Category::Entitlement, entitlement_id)).await?;
        // Staff closed it before it was paid. The money is on record all the same, and the membership begins anew.
        if matches!(entitlement.state, Entitlement::Revoked { .. } | Entitlement::Failed { .. }) {
            return Ok(());
        }
        let activate = entitlement::Activate {
            owner_id: entitlement.owner_id.unwrap_or(owner_id),
            livemode: entitlement.livemode.unwrap_or(false),
            evidence,
            current_end,
            now: self.now,
        };
        let command = entitlement::Command::Activate(Box::new(activate));
        let made = self.unit.decide(&mut entitlement, command, Some(mapped_event)).map_err(rejected!())?;
        if let (Entitlement::Active { activated, .. }, Some(id)) = (&entitlement.state, made.last()) {
            let confirm = payment_session::Command::Confirm { entitlement: Cited::new(*id, (**activated).clone()) };
            self.unit.decide(session, confirm, Some(*id)).map_err(rejected!())?;
        }
        Ok(())
    }
}

/// Who became a member by a confirmed payment.
async fn member_of(log: &Log, facts: &PaymentCreated, confirmed: &PaymentConfirmed) -> Result<SubjectId, SettleError> {
    let Some(id) = confirmed.identity_session_id else { return Ok(facts.subject_id) };
    let session = load::<IdentitySession>(log, StreamId::new(Category::IdentitySession, id)).await?;
    session.state.started().map(|started| started.subject_id).ok_or(SettleError::Inconsistent)
}

/// A confirmed payment and what it led to, read from its streams.
pub async fn settled(log: &Log, payment: &Payment, position: Option<u64>) -> Result<Settlement, SettleError> {
    let Payment::Confirmed { facts, confirmed } = payment else {
        return Err(SettleError::Rejected { code: "tx_not_confirmed", detail: "the payment is not confirmed".into() });
    };
    let proof = load::<Proof>(log, StreamId::new(Category::Proof, proof_id(facts, &confirmed.tx_signature))).await?;
    let receipt = match &proof.state {
        Proof::Mapped { mapped, .. } => match load::<Receipt>(log, StreamId::new(Category::Receipt, mapped.receipt_id)).await?.state {
            Receipt::Issued(created) => Some(*created),
            Receipt::Absent => None,
        },
        _ => None,
    };
    let membership = match facts.membership {
        Some(_) => {
            let id = MembershipId::of(facts.product_id, member_of(log, facts, confirmed).await?);
            let membership = load::<Membership>(log, StreamId::new(Category::Membership, id)).await?;
            membership.state.member().map(|member| (id, member.period_end))
        }
        None => None,
    };
    let entitlement = match facts.entitlement_id {
        Some(id) => match load::<Entitlement>(log, StreamId::new(Category::Entitlement, id)).await?.state {
            Entitlement::Active { activated, .. } => Some(*activated),
            _ => None,
        },
        None => None,
    };
    Ok(Settlement::Settled(Box::new(Settled {
        payment: (**facts).clone(),
        confirmed: (**confirmed).clone(),
        receipt,
        membership,
        entitlement,
        position,
    })))
}
