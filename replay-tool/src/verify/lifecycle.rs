//! The lifecycle's chain of causation: every stage cites the earlier event that permits it, of the same owner and of the same
//! payment, and access rests on bound evidence (INV-1 to INV-4, INV-7, INV-39).

use super::row::Entry;
use crate::class::{Break, BreakClass};
use events::vocab::{
    event::{ActivationEvidence, EntitlementOrigin, Event, PaymentSessionConfirmed, ReceiptMapped},
    id::{EntitlementId, EventId, MembershipId, OwnerId, PaymentId, ProofId, ReceiptId, SandboxSessionId, SessionId},
    money::Minor,
    time::Timestamp,
    words::{Outcome, ReceiptSource},
};
use std::collections::HashMap;
use uuid::Uuid;

/// What an event permits, in as few bytes as it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Permit {
    SessionCreated(SessionId),
    RequirementAuthored(SessionId),
    PaymentCreated(PaymentId),
    ProofFingerprinted(ProofId),
    VerificationPassed(ProofId),
    Settled(ProofId, PaymentId),
    ReceiptCreated(ReceiptId, PaymentId),
    ReceiptMapped(ProofId, ReceiptId, PaymentId, Option<EntitlementId>),
    PaymentConfirmed(PaymentId),
    EntitlementActivated(EntitlementId),
    MembershipExtended,
    MembershipLinked(MembershipId, EntitlementId),
    SandboxConfirmed(SandboxSessionId),
}

struct Permitted {
    owner_id: Option<OwnerId>,
    livemode: bool,
    permit: Permit,
}

/// What is remembered of the log so far: about 100 bytes for each event that permits another, 40 for each other event.
#[derive(Default)]
pub(crate) struct Lifecycle {
    positions: HashMap<EventId, u64>,
    permits: HashMap<EventId, Permitted>,
    pended: HashMap<EntitlementId, Pended>,
    /// Memberships that begin or go on, by the last event that says so; one that is over is not here.
    paid_until: HashMap<MembershipId, Timestamp>,
}

/// What an entitlement waits for, and the membership that its customer has to its product, if he has one.
struct Pended {
    origin: EntitlementOrigin,
    membership: MembershipId,
}

impl Lifecycle {
    /// Checks `entry` against what came before, then remembers it.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), Break> {
        if let Some(first) = self.positions.insert(entry.event_id, entry.position) {
            return Err(entry.broken(BreakClass::EventIdRepeated, format!("position {first} has the same event id")));
        }
        self.stage(entry)?;
        self.remember(entry)
    }

    fn stage(&self, entry: &Entry) -> Result<(), Break> {
        use BreakClass::{SettlementWithoutVerification, StageWithoutCause};
        match &entry.event {
            Event::PaymentCreated(e) => sums(entry, e.amount, e.merchant_amount, e.fee_amount),
            Event::PaymentRequirementAuthored(e) => {
                sums(entry, e.gross, e.merchant_amount, e.fee_amount)?;
                self.cites(entry, StageWithoutCause, e.session_event, &[Permit::SessionCreated(e.session_id)])
            }
            Event::ProofFingerprinted(e) => {
                let requirement = e.session_id.map(Permit::RequirementAuthored).unwrap_or(Permit::PaymentCreated(e.payment_id));
                self.cites(entry, StageWithoutCause, e.requirement_event, &[requirement, Permit::PaymentCreated(e.payment_id)])
            }
            Event::VerificationAttempted(e) => {
                self.cites(entry, StageWithoutCause, e.proof_event, &[Permit::ProofFingerprinted(e.proof_id)])
            }
            Event::SettlementEvidenced(e) => {
                sums(entry, e.gross, e.merchant_amount, e.fee_amount)?;
                self.cites(entry, SettlementWithoutVerification, e.verification_event, &[Permit::VerificationPassed(e.proof_id)])
            }
            Event::PaymentConfirmed(e) => self.cites_settlement(entry, e.settlement_event, e.payment_id),
            Event::ReceiptCreated(_) if entry.version > 0 => {
                Err(entry.broken(BreakClass::ReceiptRepeated, "a receipt is issued once, at the start of its stream"))
            }
            Event::ReceiptCreated(e) => match (e.source, e.settlement_event, e.payment_id) {
                (ReceiptSource::Checkout, Some(settlement), Some(payment)) => self.cites_settlement(entry, settlement, payment),
                (ReceiptSource::MerchantSubmitted, None, None) => Ok(()),
                _ => Err(entry.broken(StageWithoutCause, "a checkout receipt rests on a settlement, one made by hand on none")),
            },
            Event::FeeDue(e) => self.cites_settlement(entry, e.settlement_event, e.payment_id),
            Event::ReceiptMapped(e) => self.mapped(entry, e),
            Event::MembershipActivated(e) => {
                self.cites(entry, StageWithoutCause, e.payment_event, &[Permit::PaymentConfirmed(e.payment_id)])
            }
            Event::MembershipEntitlementLinked(e) => match self.paid_until.get(&e.membership_id) {
                Some(end) if *end == e.period_end => Ok(()),
                _ => Err(entry.broken(StageWithoutCause, "the membership was not active until the end that it names")),
            },
            Event::EntitlementRenewed(e) => self.cites(entry, StageWithoutCause, e.membership_event, &[Permit::MembershipExtended]),
            Event::DeliveryRequested(e) => self.cites(entry, StageWithoutCause, e.payment_event, &[Permit::PaymentConfirmed(e.payment_id)]),
            Event::IdentitySessionConsumed(e) => {
                self.cites(entry, StageWithoutCause, e.payment_event, &[Permit::PaymentConfirmed(e.payment_id)])
            }
            Event::MembershipRenewed(e) => self.cites(entry, StageWithoutCause, e.payment_event, &[Permit::PaymentConfirmed(e.payment_id)]),
            Event::EntitlementActivated(e) => self.activated(entry, e.entitlement_id, &e.evidence),
            Event::PaymentSessionConfirmed(e) => self.session_confirmed(entry, e),
            Event::WebhookEmitted(e) => match self.positions.get(&e.source_event) {
                Some(position) if *position == e.source_position && *position < entry.position => Ok(()),
                _ => Err(missing(entry, StageWithoutCause, e.source_event, "the event it tells of, at the position it names")),
            },
            _ => Ok(()),
        }
    }

    /// `cited` must be an earlier event of the same owner and mode that says one of `accepted`.
    fn cites(&self, entry: &Entry, class: BreakClass, cited: EventId, accepted: &[Permit]) -> Result<(), Break> {
        match self.permits.get(&cited) {
            Some(known) if accepted.contains(&known.permit) && known.is_of(entry) => Ok(()),
            _ => Err(missing(entry, class, cited, accepted.first().map_or("an event", Permit::describe))),
        }
    }

    fn cites_settlement(&self, entry: &Entry, cited: EventId, payment: PaymentId) -> Result<(), Break> {
        match self.permits.get(&cited) {
            Some(known) if known.is_of(entry) && matches!(known.permit, Permit::Settled(_, of) if of == payment) => Ok(()),
            _ => Err(missing(entry, BreakClass::StageWithoutCause, cited, "the settlement of its payment")),
        }
    }

    fn mapped(&self, entry: &Entry, e: &ReceiptMapped) -> Result<(), Break> {
        let class = BreakClass::StageWithoutCause;
        self.cites(entry, class, e.settlement_event, &[Permit::Settled(e.proof_id, e.payment_id)])?;
        self.cites(entry, class, e.receipt_event, &[Permit::ReceiptCreated(e.receipt_id, e.payment_id)])
    }

    fn session_confirmed(&self, entry: &Entry, e: &PaymentSessionConfirmed) -> Result<(), Break> {
        let activated = self.permits.get(&e.entitlement_event).filter(|known| known.is_of(entry));
        let origin = match activated.map(|known| known.permit) {
            Some(Permit::EntitlementActivated(entitlement)) => self.pended.get(&entitlement).map(|pended| pended.origin),
            _ => None,
        };
        match origin {
            Some(EntitlementOrigin::Session { session_id, .. }) if session_id == e.session_id => Ok(()),
            _ => Err(missing(entry, BreakClass::StageWithoutCause, e.entitlement_event, "the activation of its entitlement")),
        }
    }

    fn activated(&self, entry: &Entry, entitlement: EntitlementId, evidence: &ActivationEvidence) -> Result<(), Break> {
        let class = BreakClass::ActivationWithoutEvidence;
        let Some(Pended { origin, membership }) = self.pended.get(&entitlement) else {
            return Err(entry.broken(class, "the entitlement was never pending"));
        };
        match (*evidence, *origin) {
            (
                ActivationEvidence::Receipt { proof_id, receipt_id, payment_id, receipt_mapped_event, .. },
                EntitlementOrigin::Session { payment_id: awaited, .. },
            ) if payment_id == awaited && entry.livemode => {
                let mapped = Permit::ReceiptMapped(proof_id, receipt_id, payment_id, Some(entitlement));
                self.cites(entry, class, receipt_mapped_event, &[mapped])
            }
            (
                ActivationEvidence::Sandbox { sandbox_session_id, confirmed_event },
                EntitlementOrigin::Sandbox { sandbox_session_id: awaited, .. },
            ) if sandbox_session_id == awaited && !entry.livemode => {
                self.cites(entry, class, confirmed_event, &[Permit::SandboxConfirmed(sandbox_session_id)])
            }
            (ActivationEvidence::Membership { membership_id, linked_event }, EntitlementOrigin::Session { .. })
                if membership_id == *membership && entry.livemode =>
            {
                self.cites(entry, class, linked_event, &[Permit::MembershipLinked(membership_id, entitlement)])
            }
            _ => Err(entry.broken(class, "the evidence is of another payment, session, customer or mode than the entitlement waits for")),
        }
    }

    /// Notes what `entry` permits; an event speaks only for the stream it stands in.
    fn remember(&mut self, entry: &Entry) -> Result<(), Break> {
        if let Event::EntitlementPended(e) = &entry.event {
            let membership = MembershipId::of(e.product_id, e.subject_id);
            self.pended.entry(e.entitlement_id).or_insert(Pended { origin: e.origin, membership });
        }
        match &entry.event {
            Event::MembershipActivated(e) => drop(self.paid_until.insert(e.membership_id, e.period_end)),
            Event::MembershipRenewed(e) => drop(self.paid_until.insert(e.membership_id, e.period_end)),
            Event::MembershipGifted(e) => drop(self.paid_until.insert(e.membership_id, e.period_end)),
            Event::MembershipEnteredGrace(e) => drop(self.paid_until.remove(&e.membership_id)),
            Event::MembershipExpired(e) => drop(self.paid_until.remove(&e.membership_id)),
            Event::MembershipRevoked(e) => drop(self.paid_until.remove(&e.membership_id)),
            _ => {}
        }
        let Some((stream, permit)) = permits(&entry.event) else { return Ok(()) };
        if stream != entry.stream.id {
            return Err(entry.broken(BreakClass::StageWithoutCause, format!("the payload speaks for {stream}, the stream is another")));
        }
        self.permits.insert(entry.event_id, Permitted { owner_id: entry.owner_id, livemode: entry.livemode, permit });
        Ok(())
    }
}

impl Permitted {
    fn is_of(&self, entry: &Entry) -> bool {
        self.owner_id == entry.owner_id && self.livemode == entry.livemode
    }
}

impl Permit {
    fn describe(&self) -> &'static str {
        match self {
            Permit::SessionCreated(_) => "the creation of its session",
            Permit::RequirementAuthored(_) => "the requirement of its session",
            Permit::PaymentCreated(_) => "the creation of its payment",
            Permit::ProofFingerprinted(_) => "the fingerprint of its proof",
            Permit::VerificationPassed(_) => "a passed verification of its proof",
            Permit::Settled(..) => "the settlement of its proof",
            Permit::ReceiptCreated(..) => "its receipt",
            Permit::ReceiptMapped(..) => "a receipt mapped to this entitlement's payment and proof",
            Permit::PaymentConfirmed(_) => "the confirmation of its payment",
            Permit::EntitlementActivated(_) => "an activated entitlement",
            Permit::MembershipExtended => "days given to a membership or paid for",
            Permit::MembershipLinked(..) => "the link of this entitlement with its customer's membership",
            Permit::SandboxConfirmed(_) => "the confirmation of its sandbox session",
        }
    }
}

/// What an event permits, and the stream that may say so.
fn permits(event: &Event) -> Option<(Uuid, Permit)> {
    Some(match event {
        Event::PaymentSessionCreated(e) => (e.session_id.0, Permit::SessionCreated(e.session_id)),
        Event::PaymentRequirementAuthored(e) => (e.session_id.0, Permit::RequirementAuthored(e.session_id)),
        Event::PaymentCreated(e) => (e.payment_id.0, Permit::PaymentCreated(e.payment_id)),
        Event::ProofFingerprinted(e) => (e.proof_id.0, Permit::ProofFingerprinted(e.proof_id)),
        Event::VerificationAttempted(e) if e.outcome == Outcome::Passed => (e.proof_id.0, Permit::VerificationPassed(e.proof_id)),
        Event::SettlementEvidenced(e) => (e.proof_id.0, Permit::Settled(e.proof_id, e.payment_id)),
        // A receipt made by hand permits nothing (INV-93).
        Event::ReceiptCreated(e) => (e.receipt_id.0, Permit::ReceiptCreated(e.receipt_id, e.payment_id?)),
        Event::ReceiptMapped(e) => (e.proof_id.0, Permit::ReceiptMapped(e.proof_id, e.receipt_id, e.payment_id, e.entitlement_id)),
        Event::PaymentConfirmed(e) => (e.payment_id.0, Permit::PaymentConfirmed(e.payment_id)),
        Event::EntitlementActivated(e) => (e.entitlement_id.0, Permit::EntitlementActivated(e.entitlement_id)),
        Event::MembershipGifted(e) => (e.membership_id.0, Permit::MembershipExtended),
        Event::MembershipRenewed(e) => (e.membership_id.0, Permit::MembershipExtended),
        Event::MembershipEntitlementLinked(e) => (e.membership_id.0, Permit::MembershipLinked(e.membership_id, e.entitlement_id)),
        Event::SandboxSessionConfirmed(e) => (e.sandbox_session_id.0, Permit::SandboxConfirmed(e.sandbox_session_id)),
        _ => return None,
    })
}

fn missing(entry: &Entry, class: BreakClass, cited: EventId, wanted: &str) -> Break {
    entry.broken(class, format!("{} cites {cited}, which is not {wanted}, earlier in the log", entry.event.event_type().as_str()))
}

fn sums(entry: &Entry, gross: Minor, merchant: Minor, fee: Minor) -> Result<(), Break> {
    match merchant.checked_add(fee) == Some(gross) {
        true => Ok(()),
        false => Err(entry.broken(BreakClass::AmountsDoNotSum, format!("{merchant} and {fee} do not add up to {gross}"))),
    }
}
