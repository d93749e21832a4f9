//! The lifecycle's chain of causation: every stage cites the earlier event that permits it, of the same owner and of the same
//! payment, and access rests on bound evidence (INV-1 to INV-4, INV-7, INV-39).
//!
//! This file says what an event permits later ones and what it demands of earlier ones; whether a demand is met is found by
//! [`joins`](super::joins).

use super::row::Entry;
use crate::class::{Break, BreakClass};
use events::vocab::{
    bytes::Hash32,
    event::{
        ActivationEvidence, ApprovalApproved, ApprovalRequested, EntitlementActivated, EntitlementOrigin, Event, OperatorSignature,
        ReceiptCreated,
    },
    id::{ApprovalId, EntitlementId, EventId, MembershipId, OperatorId, PaymentId, ProofId, ReceiptId, SandboxSessionId, SessionId},
    money::Minor,
    time::Timestamp,
    words::{Outcome, ReceiptSource},
};
use ledger::approval::statement;
use uuid::Uuid;

/// What an event permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Permit {
    SessionCreated(SessionId),
    RequirementAuthored(SessionId),
    PaymentCreated(PaymentId),
    ProofFingerprinted(ProofId),
    VerificationPassed(ProofId),
    Settled(ProofId, PaymentId),
    /// A settlement of the payment, whichever proof it is of.
    SettledPayment(PaymentId),
    ReceiptCreated(ReceiptId, PaymentId),
    ReceiptMapped(ProofId, ReceiptId, PaymentId, Option<EntitlementId>),
    PaymentConfirmed(PaymentId),
    MembershipExtended,
    MembershipLinked(MembershipId, EntitlementId),
    SandboxConfirmed(SandboxSessionId),
    /// The operator signs with that public key.
    Signing(OperatorId, Hash32),
    /// The approval is asked for, in these words.
    Asked(ApprovalId, [u8; 16]),
}

/// Why an event must cite another, and what it is told when it does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Rule {
    SessionOfRequirement,
    RequirementOfProof,
    ProofOfVerification,
    VerificationOfSettlement,
    SettlementOfPayment,
    SettlementOfMapping,
    ReceiptOfMapping,
    ConfirmedPayment,
    Extension,
    PaidUntil,
    EvidenceOfActivation,
    OriginOfActivation,
    ActivationOfSession,
    SourceOfWebhook,
    KeyOfSignature,
    RequestOfApproval,
}

impl Rule {
    const ALL: &[Rule] = &[
        Rule::SessionOfRequirement,
        Rule::RequirementOfProof,
        Rule::ProofOfVerification,
        Rule::VerificationOfSettlement,
        Rule::SettlementOfPayment,
        Rule::SettlementOfMapping,
        Rule::ReceiptOfMapping,
        Rule::ConfirmedPayment,
        Rule::Extension,
        Rule::PaidUntil,
        Rule::EvidenceOfActivation,
        Rule::OriginOfActivation,
        Rule::ActivationOfSession,
        Rule::SourceOfWebhook,
        Rule::KeyOfSignature,
        Rule::RequestOfApproval,
    ];

    /// The rule of that number.
    pub fn of(number: u64) -> Option<Self> {
        Rule::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The class of a break.
    pub fn class(self) -> BreakClass {
        match self {
            Rule::VerificationOfSettlement => BreakClass::SettlementWithoutVerification,
            Rule::KeyOfSignature | Rule::RequestOfApproval => BreakClass::ApprovalSignatureInvalid,
            Rule::EvidenceOfActivation | Rule::OriginOfActivation => BreakClass::ActivationWithoutEvidence,
            _ => BreakClass::StageWithoutCause,
        }
    }

    /// What should have been cited.
    fn wanted(self) -> &'static str {
        match self {
            Rule::SessionOfRequirement => "the creation of its session",
            Rule::RequirementOfProof => "the requirement of its session",
            Rule::ProofOfVerification => "the fingerprint of its proof",
            Rule::VerificationOfSettlement => "a passed verification of its proof",
            Rule::SettlementOfPayment => "the settlement of its payment",
            Rule::SettlementOfMapping => "the settlement of its proof",
            Rule::ReceiptOfMapping => "its receipt",
            Rule::ConfirmedPayment => "the confirmation of its payment",
            Rule::Extension => "days given to a membership or paid for",
            Rule::PaidUntil => "a membership that is active until then",
            Rule::EvidenceOfActivation => "the evidence of its own payment, membership or sandbox session",
            Rule::OriginOfActivation => "what the entitlement waits for",
            Rule::ActivationOfSession => "the activation of its entitlement",
            Rule::KeyOfSignature => "the registration of its operator's key",
            Rule::RequestOfApproval => "what was asked for, as it was signed",
            Rule::SourceOfWebhook => "the event it tells of, at the position it names",
        }
    }

    /// What is wrong with `event`, which breaks the rule.
    pub fn detail(self, event: &Event) -> String {
        if self == Rule::OriginOfActivation {
            return "the entitlement was never pending, or waits for another payment, session, customer or mode than the evidence is of"
                .to_owned();
        }
        if self == Rule::PaidUntil {
            return "the membership was not active until the end that it names".to_owned();
        }
        let cited = demands(event).into_iter().flatten().find_map(|demand| match demand {
            Demand::Event { cited, rule, .. } if rule == self => Some(cited),
            Demand::Position { cited, .. } if self == Rule::SourceOfWebhook => Some(cited),
            Demand::SessionOf { activation, .. } if self == Rule::ActivationOfSession => Some(activation),
            _ => None,
        });
        let cited = cited.map_or_else(|| "an event".to_owned(), |id| id.to_string());
        format!("{} cites {cited}, which is not {}, earlier in the log", event.event_type().as_str(), self.wanted())
    }
}

/// What an entitlement waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Awaited {
    Payment(PaymentId),
    Sandbox(SandboxSessionId),
    /// That the customer's membership to the product is linked with it (RT-111).
    Link(MembershipId),
}

/// What an event demands of those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Demand {
    /// `cited` is of the same owner and mode and permits one of these.
    Event { cited: EventId, rule: Rule, accepted: (Permit, Option<Permit>) },
    /// `cited` is the event at that position.
    Position { cited: EventId, position: u64 },
    /// The entitlement waits for that.
    Origin { entitlement: EntitlementId, awaited: Awaited },
    /// The membership is active, and paid until then.
    Paid { membership: MembershipId, until: Timestamp },
    /// `activation` activated the entitlement that waited for the session, of the same owner and mode.
    SessionOf { activation: EventId, session: SessionId },
}

/// What `event` demands of those before it.
pub(crate) fn demands(event: &Event) -> [Option<Demand>; 2] {
    let one = |cited, rule, permit| [Some(Demand::Event { cited, rule, accepted: (permit, None) }), None];
    let confirmed = |cited, payment| one(cited, Rule::ConfirmedPayment, Permit::PaymentConfirmed(payment));
    let settled = |cited, payment| one(cited, Rule::SettlementOfPayment, Permit::SettledPayment(payment));
    match event {
        Event::PaymentRequirementAuthored(e) => one(e.session_event, Rule::SessionOfRequirement, Permit::SessionCreated(e.session_id)),
        Event::ProofFingerprinted(e) => {
            let payment = Permit::PaymentCreated(e.payment_id);
            let accepted = e.session_id.map_or((payment, None), |session| (Permit::RequirementAuthored(session), Some(payment)));
            [Some(Demand::Event { cited: e.requirement_event, rule: Rule::RequirementOfProof, accepted }), None]
        }
        Event::VerificationAttempted(e) => one(e.proof_event, Rule::ProofOfVerification, Permit::ProofFingerprinted(e.proof_id)),
        Event::SettlementEvidenced(e) => one(e.verification_event, Rule::VerificationOfSettlement, Permit::VerificationPassed(e.proof_id)),
        Event::PaymentConfirmed(e) => settled(e.settlement_event, e.payment_id),
        Event::ReceiptCreated(ReceiptCreated { settlement_event: Some(settlement), payment_id: Some(payment), .. }) => {
            settled(*settlement, *payment)
        }
        Event::FeeDue(e) => settled(e.settlement_event, e.payment_id),
        Event::ReceiptMapped(e) => {
            let [settlement, _] = one(e.settlement_event, Rule::SettlementOfMapping, Permit::Settled(e.proof_id, e.payment_id));
            let [receipt, _] = one(e.receipt_event, Rule::ReceiptOfMapping, Permit::ReceiptCreated(e.receipt_id, e.payment_id));
            [settlement, receipt]
        }
        Event::MembershipActivated(e) => confirmed(e.payment_event, e.payment_id),
        Event::MembershipRenewed(e) => confirmed(e.payment_event, e.payment_id),
        Event::DeliveryRequested(e) => confirmed(e.payment_event, e.payment_id),
        Event::IdentitySessionConsumed(e) => confirmed(e.payment_event, e.payment_id),
        Event::EntitlementRenewed(e) => one(e.membership_event, Rule::Extension, Permit::MembershipExtended),
        Event::MembershipEntitlementLinked(e) => [Some(Demand::Paid { membership: e.membership_id, until: e.period_end }), None],
        Event::EntitlementActivated(e) => activation(e),
        Event::PaymentSessionConfirmed(e) => [Some(Demand::SessionOf { activation: e.entitlement_event, session: e.session_id }), None],
        Event::ApprovalRequested(ApprovalRequested { signed: Some(signed), .. }) => signed_by(&signed.signature),
        Event::ApprovalApproved(ApprovalApproved { approval_id, signed: Some(signed), .. }) => {
            let [key, _] = signed_by(&signed.decision);
            let words = statement::digest_of_decision(signed).unwrap_or_default();
            let [request, _] = one(signed.requested_event, Rule::RequestOfApproval, Permit::Asked(*approval_id, words));
            [request, key]
        }
        Event::WebhookEmitted(e) => [Some(Demand::Position { cited: e.source_event, position: e.source_position }), None],
        _ => [None, None],
    }
}

fn signed_by(signature: &OperatorSignature) -> [Option<Demand>; 2] {
    let permit = Permit::Signing(OperatorId::of(&signature.operator), signature.public_key);
    [Some(Demand::Event { cited: signature.key_event, rule: Rule::KeyOfSignature, accepted: (permit, None) }), None]
}

fn activation(e: &EntitlementActivated) -> [Option<Demand>; 2] {
    let (awaited, cited, permit) = match e.evidence {
        ActivationEvidence::Receipt { proof_id, receipt_id, payment_id, receipt_mapped_event, .. } => {
            let mapped = Permit::ReceiptMapped(proof_id, receipt_id, payment_id, Some(e.entitlement_id));
            (Awaited::Payment(payment_id), receipt_mapped_event, mapped)
        }
        ActivationEvidence::Sandbox { sandbox_session_id, confirmed_event } => {
            (Awaited::Sandbox(sandbox_session_id), confirmed_event, Permit::SandboxConfirmed(sandbox_session_id))
        }
        ActivationEvidence::Membership { membership_id, linked_event } => {
            (Awaited::Link(membership_id), linked_event, Permit::MembershipLinked(membership_id, e.entitlement_id))
        }
    };
    let origin = Demand::Origin { entitlement: e.entitlement_id, awaited };
    [Some(origin), Some(Demand::Event { cited, rule: Rule::EvidenceOfActivation, accepted: (permit, None) })]
}

/// What an entitlement that is pended so waits for, and the session that its activation confirms.
pub(crate) fn awaits(origin: EntitlementOrigin) -> (Awaited, Option<SessionId>) {
    match origin {
        EntitlementOrigin::Session { session_id, payment_id } => (Awaited::Payment(payment_id), Some(session_id)),
        EntitlementOrigin::Sandbox { sandbox_session_id, .. } => (Awaited::Sandbox(sandbox_session_id), None),
    }
}

/// Until when a membership is paid after `event`; `None` within when it is over.
pub(crate) fn paid(event: &Event) -> Option<(MembershipId, Option<Timestamp>)> {
    Some(match event {
        Event::MembershipActivated(e) => (e.membership_id, Some(e.period_end)),
        Event::MembershipRenewed(e) => (e.membership_id, Some(e.period_end)),
        Event::MembershipGifted(e) => (e.membership_id, Some(e.period_end)),
        Event::MembershipEnteredGrace(e) => (e.membership_id, None),
        Event::MembershipExpired(e) => (e.membership_id, None),
        Event::MembershipRevoked(e) => (e.membership_id, None),
        _ => return None,
    })
}

/// What an event permits, and the stream that may say so.
pub(crate) fn permits(event: &Event) -> Option<(Uuid, Permit, Option<Permit>)> {
    Some(match event {
        Event::PaymentSessionCreated(e) => (e.session_id.0, Permit::SessionCreated(e.session_id), None),
        Event::PaymentRequirementAuthored(e) => (e.session_id.0, Permit::RequirementAuthored(e.session_id), None),
        Event::PaymentCreated(e) => (e.payment_id.0, Permit::PaymentCreated(e.payment_id), None),
        Event::ProofFingerprinted(e) => (e.proof_id.0, Permit::ProofFingerprinted(e.proof_id), None),
        Event::VerificationAttempted(e) if e.outcome == Outcome::Passed => (e.proof_id.0, Permit::VerificationPassed(e.proof_id), None),
        Event::SettlementEvidenced(e) => {
            (e.proof_id.0, Permit::Settled(e.proof_id, e.payment_id), Some(Permit::SettledPayment(e.payment_id)))
        }
        // A receipt made by hand permits nothing (INV-93).
        Event::ReceiptCreated(e) => (e.receipt_id.0, Permit::ReceiptCreated(e.receipt_id, e.payment_id?), None),
        Event::ReceiptMapped(e) => (e.proof_id.0, Permit::ReceiptMapped(e.proof_id, e.receipt_id, e.payment_id, e.entitlement_id), None),
        Event::PaymentConfirmed(e) => (e.payment_id.0, Permit::PaymentConfirmed(e.payment_id), None),
        Event::MembershipGifted(e) => (e.membership_id.0, Permit::MembershipExtended, None),
        Event::MembershipRenewed(e) => (e.membership_id.0, Permit::MembershipExtended, None),
        Event::MembershipEntitlementLinked(e) => (e.membership_id.0, Permit::MembershipLinked(e.membership_id, e.entitlement_id), None),
        Event::SandboxSessionConfirmed(e) => (e.sandbox_session_id.0, Permit::SandboxConfirmed(e.sandbox_session_id), None),
        Event::OperatorKeyRegistered(e) => (e.operator_id.0, Permit::Signing(e.operator_id, e.public_key), None),
        Event::ApprovalRequested(e) => (e.approval_id.0, Permit::Asked(e.approval_id, statement::digest_of_request(e)), None),
        _ => return None,
    })
}

/// What an event shows by itself: amounts add up, a receipt is issued once and in its own way, evidence is of the event's mode, and an
/// event that permits others speaks for the stream it stands in.
pub(crate) fn check(entry: &Entry, event: &Event) -> Result<(), Break> {
    let stage = |detail: &str| Err(entry.broken(BreakClass::StageWithoutCause, detail));
    match event {
        Event::PaymentCreated(e) => sums(entry, e.amount, e.merchant_amount, e.fee_amount)?,
        Event::PaymentRequirementAuthored(e) => sums(entry, e.gross, e.merchant_amount, e.fee_amount)?,
        Event::SettlementEvidenced(e) => sums(entry, e.gross, e.merchant_amount, e.fee_amount)?,
        Event::ReceiptCreated(_) if entry.version > 0 => {
            return Err(entry.broken(BreakClass::ReceiptRepeated, "a receipt is issued once, at the start of its stream"));
        }
        Event::ReceiptCreated(e) => match (e.source, e.settlement_event, e.payment_id) {
            (ReceiptSource::Checkout, Some(_), Some(_)) | (ReceiptSource::MerchantSubmitted, None, None) => {}
            _ => return stage("a checkout receipt rests on a settlement, one made by hand on none"),
        },
        Event::EntitlementActivated(e) if entry.livemode == matches!(e.evidence, ActivationEvidence::Sandbox { .. }) => {
            return Err(entry.broken(BreakClass::ActivationWithoutEvidence, "the evidence is of the other mode"));
        }
        _ => {}
    }
    let speaks_for = match event {
        Event::EntitlementActivated(e) => Some(e.entitlement_id.0),
        event => permits(event).map(|(stream, ..)| stream),
    };
    match speaks_for.filter(|stream| *stream != entry.stream.id) {
        Some(stream) => stage(&format!("the payload speaks for {stream}, the stream is another")),
        None => Ok(()),
    }
}

fn sums(entry: &Entry, gross: Minor, merchant: Minor, fee: Minor) -> Result<(), Break> {
    match merchant.checked_add(fee) == Some(gross) {
        true => Ok(()),
        false => Err(entry.broken(BreakClass::AmountsDoNotSum, format!("{merchant} and {fee} do not add up to {gross}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::Rule;

    #[test]
    fn a_rule_is_found_by_its_number() {
        for rule in Rule::ALL {
            assert_eq!(Rule::of(*rule as u64), Some(*rule));
        }
        assert_eq!(Rule::of(Rule::ALL.len() as u64), None);
    }
}
