//! How far a payment has come, and why not further.

use super::{Attempt, EvidenceFound, Money, Stage, find::Found};
use events::vocab::{
    event::{
        Event, PaymentCreated, ReceiptCreated, SettlementEvidenced, VerificationAttempted, WebhookDeadLettered, WebhookRetryScheduled,
    },
    id::DeliveryId,
    words::Outcome,
};
use std::collections::BTreeMap;

/// What the story shows, each with the position where it first did.
#[derive(Default)]
pub(super) struct Seen<'a> {
    session: Option<u64>,
    requirement: Option<u64>,
    payment: Option<(u64, &'a PaymentCreated)>,
    announced: Option<u64>,
    proof: Option<u64>,
    last_look: Option<&'a VerificationAttempted>,
    verified: Option<u64>,
    settled: Option<(u64, &'a SettlementEvidenced)>,
    receipt: Option<(u64, &'a ReceiptCreated)>,
    mapped: Option<u64>,
    confirmed: Option<u64>,
    entitlement: Option<u64>,
    activated: Option<u64>,
    membership: Option<u64>,
    session_confirmed: Option<u64>,
    sandbox: Option<u64>,
    sandbox_confirmed: Option<u64>,
    /// Why it ended, if it did.
    ended: Option<String>,
    /// The last refusal on the way.
    refused: Option<String>,
    blocked: Option<String>,
    deliveries: BTreeMap<DeliveryId, Delivery<'a>>,
}

#[derive(Default)]
struct Delivery<'a> {
    delivered: Option<u64>,
    retry: Option<&'a WebhookRetryScheduled>,
    dead: Option<&'a WebhookDeadLettered>,
}

impl<'a> Seen<'a> {
    /// What `events` show.
    pub fn of(events: &'a [Found]) -> Self {
        let mut seen = Seen::default();
        for found in events {
            seen.note(found.recorded.position, &found.event);
        }
        seen
    }

    fn note(&mut self, position: u64, event: &'a Event) {
        let at = Some(position);
        match event {
            Event::PaymentSessionCreated(_) => self.session = self.session.or(at),
            Event::PaymentRequirementAuthored(_) => self.requirement = self.requirement.or(at),
            Event::PaymentCreated(e) => self.payment = self.payment.or(Some((position, e))),
            Event::PaymentBroadcastRecorded(_) => self.announced = self.announced.or(at),
            Event::ProofFingerprinted(_) => self.proof = self.proof.or(at),
            Event::VerificationAttempted(e) => {
                self.last_look = Some(e);
                if e.outcome == Outcome::Passed {
                    self.verified = self.verified.or(at);
                }
            }
            Event::SettlementEvidenced(e) => self.settled = self.settled.or(Some((position, e))),
            Event::ReceiptCreated(e) => self.receipt = self.receipt.or(Some((position, e))),
            Event::ReceiptMapped(_) => self.mapped = self.mapped.or(at),
            Event::PaymentConfirmed(_) => self.confirmed = self.confirmed.or(at),
            Event::EntitlementPended(_) => self.entitlement = self.entitlement.or(at),
            Event::EntitlementActivated(_) => self.activated = self.activated.or(at),
            Event::MembershipActivated(_) | Event::MembershipRenewed(_) => self.membership = self.membership.or(at),
            Event::PaymentSessionConfirmed(_) => self.session_confirmed = self.session_confirmed.or(at),
            Event::SandboxSessionCreated(_) => self.sandbox = self.sandbox.or(at),
            Event::SandboxSessionConfirmed(_) => self.sandbox_confirmed = self.sandbox_confirmed.or(at),
            _ => self.note_trouble(position, event),
        }
    }

    fn note_trouble(&mut self, position: u64, event: &'a Event) {
        match event {
            Event::PaymentFailed(e) => self.ended = Some(format!("the payment failed: {}", e.reason)),
            Event::PaymentExpired(_) => self.ended = Some("the payment expired: nobody paid in time".to_owned()),
            Event::PaymentSessionFailed(e) => self.ended = Some(format!("the session failed: {}", e.reason)),
            Event::PaymentSessionExpired(_) => self.ended = Some("the session expired: nobody paid in time".to_owned()),
            Event::SandboxSessionExpired(_) => self.ended = Some("the sandbox session expired: no proof came in time".to_owned()),
            Event::EntitlementRevoked(e) => self.ended = Some(format!("the entitlement was revoked: {}", e.reason)),
            Event::EntitlementFailed(e) => self.ended = Some(format!("the entitlement was closed: {}", e.reason)),
            Event::ProofReplayRejected(_) => self.refused = Some("the proof was used before".to_owned()),
            Event::ProofRejected(e) => self.refused = Some(format!("the proof was refused: {}", e.reason)),
            Event::SandboxProofRejected(e) => self.refused = Some(format!("the sandbox proof was refused: {}", e.reason)),
            Event::EntitlementActivationBlocked(e) => self.blocked = Some(format!("activation was blocked: {}", e.reason)),
            Event::WebhookEmitted(e) => _ = self.deliveries.entry(e.delivery_id).or_default(),
            Event::WebhookDelivered(e) => self.deliveries.entry(e.delivery_id).or_default().delivered = Some(position),
            Event::WebhookRetryScheduled(e) => self.deliveries.entry(e.delivery_id).or_default().retry = Some(e),
            Event::WebhookRedeliveryRequested(e) => *self.deliveries.entry(e.delivery_id).or_default() = Delivery::default(),
            Event::WebhookDeadLettered(e) => self.deliveries.entry(e.delivery_id).or_default().dead = Some(e),
            _ => {}
        }
    }

    /// The stages that apply, in order. Only the first that is missing says why: the others wait for it.
    pub fn stages(&self) -> Vec<Stage> {
        let mut stages: Vec<Stage> = Vec::new();
        let mut waits_for: Option<&'static str> = None;
        for (name, position, why) in self.expected() {
            let missing = match (position, waits_for) {
                (Some(_), _) => None,
                (None, Some(earlier)) => Some(format!("waits for: {earlier}")),
                (None, None) => Some(self.ended.clone().unwrap_or(why)),
            };
            if position.is_none() {
                waits_for = waits_for.or(Some(name));
            }
            stages.push(Stage { name, position, missing });
        }
        stages.extend(self.deliveries.values().map(Delivery::stage));
        stages
    }

    fn expected(&self) -> Vec<(&'static str, Option<u64>, String)> {
        let mut stages = Vec::new();
        if self.sandbox.is_some() {
            let refused = self.refused.clone().unwrap_or("no proof was submitted".to_owned());
            stages.push(("sandbox session created", self.sandbox, String::new()));
            stages.push(("sandbox session confirmed", self.sandbox_confirmed, refused));
            stages.push(("entitlement active", self.activated, self.blocked.clone().unwrap_or("it was not activated".to_owned())));
            return stages;
        }
        let Some((payment, created)) = self.payment else { return stages };
        if self.session.is_some() {
            stages.push(("session created", self.session, String::new()));
            stages.push(("requirement authored", self.requirement, "the session has no requirement".to_owned()));
        }
        stages.push(("payment created", Some(payment), String::new()));
        stages.push(("proof fingerprinted", self.proof, self.no_proof()));
        stages.push(("verified on chain", self.verified, self.not_verified()));
        stages.push(("settled", self.settled.map(|(at, _)| at), "the verified transfer is not settled yet".to_owned()));
        stages.push(("receipt signed", self.receipt.map(|(at, _)| at), "no receipt was signed yet".to_owned()));
        stages.push(("receipt mapped", self.mapped, "the receipt is not mapped to the settlement yet".to_owned()));
        stages.push(("payment confirmed", self.confirmed, "the payment is not confirmed yet".to_owned()));
        if created.membership.is_some() {
            stages.push(("membership active", self.membership, "the membership is not active yet".to_owned()));
        }
        if self.session.is_some() || self.entitlement.is_some() {
            let why = self.blocked.clone().unwrap_or("the entitlement is not active yet".to_owned());
            stages.push(("entitlement active", self.activated, why));
        }
        if self.session.is_some() {
            stages.push(("session confirmed", self.session_confirmed, "the session is not confirmed yet".to_owned()));
        }
        stages
    }

    fn no_proof(&self) -> String {
        match (&self.refused, self.announced) {
            (Some(refused), _) => refused.clone(),
            (None, Some(_)) => "a transaction was announced, its proof is not recorded yet".to_owned(),
            (None, None) => "no transaction was announced".to_owned(),
        }
    }

    fn not_verified(&self) -> String {
        match self.last_look {
            None => "the chain was not asked yet".to_owned(),
            Some(look) => {
                let reason = look.reason.as_deref().unwrap_or("no reason given");
                format!("look {} at the chain: {} ({reason})", look.attempt, look.outcome)
            }
        }
    }

    /// What was to be paid.
    pub fn money(&self) -> Option<Money> {
        let (_, created) = self.payment?;
        Some(Money {
            asset: created.asset.symbol.clone(),
            decimals: created.asset.decimals,
            gross: created.amount.units(),
            merchant: created.merchant_amount.units(),
            fee: created.fee_amount.units(),
            fee_bps: created.fee_bps.get(),
            fee_policy: created.fee_policy.clone(),
        })
    }

    /// What vouches for it.
    pub fn evidence(&self) -> EvidenceFound {
        let settled = self.settled.map(|(_, settled)| settled);
        let receipt = self.receipt.map(|(_, receipt)| receipt);
        EvidenceFound {
            tx_signature: settled.map(|e| e.tx_signature.to_string()),
            transfer_id: settled.map(|e| e.transfer_id.clone()),
            slot: settled.map(|e| e.slot),
            payer: settled.map(|e| e.payer.to_string()),
            receipt_id: receipt.map(|e| e.receipt_id.to_string()),
            receipt_hash: receipt.map(|e| e.receipt_hash.to_string()),
            kid: receipt.map(|e| e.kid.clone()),
        }
    }
}

impl Delivery<'_> {
    fn stage(&self) -> Stage {
        let missing = match (self.delivered, self.dead, self.retry) {
            (Some(_), _, _) => None,
            (None, Some(dead), _) => Some(format!("given up after {} attempts: {}", dead.attempts, dead.reason)),
            (None, None, Some(retry)) => Some(format!("attempt {} failed, the next is at {}", retry.attempt, retry.next_attempt_at)),
            (None, None, None) => Some("not attempted yet".to_owned()),
        };
        Stage { name: "webhook delivered", position: self.delivered, missing }
    }
}

/// Every look at the chain.
pub(super) fn attempts(events: &[Found]) -> Vec<Attempt> {
    let look = |found: &Found| match &found.event {
        Event::VerificationAttempted(e) => Some(Attempt {
            position: found.recorded.position,
            attempt: e.attempt,
            trigger: e.trigger.to_string(),
            outcome: e.outcome.to_string(),
            reason: e.reason.clone(),
        }),
        _ => None,
    };
    events.iter().filter_map(look).collect()
}
