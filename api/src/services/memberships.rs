//! What a merchant does to a membership, and what follows for the access that its payments bought: in one append, so that the next
//! check already knows.

use crate::http::{
    auth::Merchant,
    problem::{Code, Problem},
    rejection,
};
use events::{
    log::{Context, Log},
    unit::{Loaded, Unit},
    vocab::{
        event::Event,
        id::{EntitlementId, EventId, MembershipId, PaymentId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    Cited,
    entitlement::{self, Entitlement, Extended},
    membership::{Command, Membership},
    payment::Payment,
};
use workers::delivery::Handover;

/// What is decided on a membership and not yet appended.
pub struct Decided<'a> {
    /// The append.
    pub unit: Unit<'a>,
    /// The membership after it.
    pub membership: Loaded<Membership>,
    /// Its own new events, in order.
    pub made: Vec<EventId>,
}

/// Decides `command` on the merchant's membership. Another owner's is one that does not exist (INV-19).
pub async fn decide<'l>(
    log: &'l Log,
    handover: &Handover,
    context: Context,
    merchant: &Merchant,
    id: MembershipId,
    command: Command,
) -> Result<Decided<'l>, Problem> {
    let mut unit = Unit::new(log, context);
    let mut membership = unit.load::<Membership>(StreamId::new(Category::Membership, id)).await.map_err(|error| rejection::read(&error))?;
    if membership.owner_id != Some(merchant.owner) || membership.livemode != Some(true) {
        return Err(Problem::of(Code::MembershipNotFound));
    }
    if let Some(correlation_id) = membership.correlation_id {
        unit.correlate(correlation_id);
    }
    let cause = membership.last_event;
    let made = unit.decide(&mut membership, command, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
    let events: Vec<(EventId, Event)> = unit.events().map(|(id, _, event)| (id, event.clone())).collect();
    for (event_id, event) in events {
        match event {
            Event::MembershipGifted(gift) => {
                extend(&mut unit, &membership, Cited::new(event_id, gift)).await?;
                let Some(member) = membership.state.member() else { continue };
                handover.restore(&mut unit, member, event_id).await.map_err(rejection::deliver)?;
            }
            Event::MembershipRevoked(revoked) => {
                take_away(&mut unit, &membership, &revoked.reason, event_id).await?;
                let Some(member) = membership.state.member() else { continue };
                handover.withdraw(&mut unit, member, event_id).await.map_err(rejection::deliver)?;
            }
            _ => {}
        }
    }
    Ok(Decided { unit, membership, made })
}

/// Access lasts as long as the membership that was given days. What staff took away stays taken.
async fn extend(
    unit: &mut Unit<'_>,
    membership: &Loaded<Membership>,
    gifted: Cited<events::vocab::event::MembershipGifted>,
) -> Result<(), Problem> {
    let Some(payment) = membership.state.member().and_then(|member| member.payments.last().copied()) else { return Ok(()) };
    if let Some(mut entitlement) = bought(unit, payment).await? {
        let cause = gifted.id;
        let _ = unit.decide(&mut entitlement, entitlement::Command::Renew { extended: Extended::Gifted(gifted) }, Some(cause));
    }
    Ok(())
}

/// Takes away what its payments bought, the latest first, and what staff let rest on it. What ended before that ended with its window,
/// and so did all before it.
async fn take_away(unit: &mut Unit<'_>, membership: &Loaded<Membership>, reason: &str, cause: EventId) -> Result<(), Problem> {
    let payments = membership.state.member().map(|member| member.payments.clone()).unwrap_or_default();
    for payment in payments.into_iter().rev() {
        let Some(mut entitlement) = bought(unit, payment).await? else { continue };
        if matches!(entitlement.state, Entitlement::Expired { .. }) {
            break;
        }
        // What cannot be revoked any more grants nothing.
        let _ = unit.decide(&mut entitlement, entitlement::Command::Revoke { reason: reason.to_owned() }, Some(cause));
    }
    for linked in membership.state.member().map(|member| member.linked.clone()).unwrap_or_default() {
        // One whose own payment came later was among those that were bought.
        let bought = unit.events().any(|(_, stream, _)| stream == StreamId::new(Category::Entitlement, linked));
        if !bought {
            let mut entitlement = entitlement(unit, linked).await?;
            let _ = unit.decide(&mut entitlement, entitlement::Command::Revoke { reason: reason.to_owned() }, Some(cause));
        }
    }
    Ok(())
}

/// The entitlement that a payment is for; the hosted checkout sells without one.
async fn bought(unit: &Unit<'_>, payment: PaymentId) -> Result<Option<Loaded<Entitlement>>, Problem> {
    let payment = unit.load::<Payment>(StreamId::new(Category::Payment, payment)).await.map_err(|error| rejection::read(&error))?;
    let Some(id): Option<EntitlementId> = payment.state.facts().and_then(|facts| facts.entitlement_id) else { return Ok(None) };
    entitlement(unit, id).await.map(Some)
}

async fn entitlement(unit: &Unit<'_>, id: EntitlementId) -> Result<Loaded<Entitlement>, Problem> {
    unit.load::<Entitlement>(StreamId::new(Category::Entitlement, id)).await.map_err(|error| rejection::read(&error))
}
