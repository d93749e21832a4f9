//! Entitlements (TR-37 to TR-40): access that a customer has, and why.

use crate::{
    Cited,
    check::{LONGEST_DAYS, filled, identified, rejections},
    evidence::Evidence,
};
use events::{
    decider::Decider,
    vocab::{
        event::{
            EntitlementActivated, EntitlementActivationBlocked, EntitlementExpired, EntitlementFailed, EntitlementOrigin,
            EntitlementPended, EntitlementRenewed, EntitlementRevoked, Event, MembershipGifted, MembershipRenewed,
        },
        id::{AccessProductId, EntitlementId, EventId, OwnerId, ProductId, SubjectId},
        personal::Personal,
        rail::RailId,
        stream::Fact,
        time::Timestamp,
    },
};

/// An entitlement.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Entitlement {
    /// Not created.
    #[default]
    Absent,
    /// Waits for its payment; grants nothing (INV-17).
    Pending {
        /// What it waits for.
        pended: Box<EntitlementPended>,
        /// The last refused activation.
        blocked: Option<EntitlementActivationBlocked>,
    },
    /// Grants access within its window.
    Active {
        /// What it waited for.
        pended: Box<EntitlementPended>,
        /// The grant.
        activated: Box<EntitlementActivated>,
    },
    /// Its window ended.
    Expired {
        /// What it waited for.
        pended: Box<EntitlementPended>,
        /// The grant.
        activated: Box<EntitlementActivated>,
    },
    /// Staff took it away.
    Revoked {
        /// What it waited for.
        pended: Box<EntitlementPended>,
        /// The payment that came for it all the same.
        blocked: Option<EntitlementActivationBlocked>,
    },
    /// Staff closed it.
    Failed {
        /// What it waited for.
        pended: Box<EntitlementPended>,
        /// Why.
        reason: String,
        /// The payment that came for it all the same.
        blocked: Option<EntitlementActivationBlocked>,
    },
}

/// What is asked of an entitlement.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Let it wait for its payment.
    Pend(Box<Pend>),
    /// Grant access on evidence (TR-37, TR-41). Evidence that does not belong to it is kept as `entitlement.activation_blocked`, which
    /// names the element: see [`blocked`]. So is a payment for one that staff have closed: what is closed does not open by itself.
    Activate(Box<Activate>),
    /// The membership that goes with it lasts longer: access lasts as long, also when it had ended.
    Renew {
        /// What permits it.
        extended: Extended,
    },
    /// Its window ended (TR-38).
    Expire {
        /// Now.
        now: Timestamp,
    },
    /// Take it away (TR-39).
    Revoke {
        /// Why.
        reason: String,
    },
    /// Close it before it was ever active (TR-40).
    Fail {
        /// Why.
        reason: String,
    },
}

/// See [`Command::Pend`].
#[derive(Clone, PartialEq, Debug)]
pub struct Pend {
    /// Its id.
    pub entitlement_id: EntitlementId,
    /// Access to what.
    pub access_product_id: AccessProductId,
    /// The hosted product behind it.
    pub product_id: ProductId,
    /// Whose access.
    pub subject_id: SubjectId,
    /// The wallet that identifies the customer, when the caller named one.
    pub wallet: Option<String>,
    /// On which rail it is paid.
    pub rail_id: RailId,
    /// What it waits for.
    pub origin: EntitlementOrigin,
    /// For how long.
    pub duration_days: u32,
    /// The customer's id and e-mail.
    pub personal: Personal,
}

/// See [`Command::Activate`].
#[derive(Clone, PartialEq, Debug)]
pub struct Activate {
    /// The owner of the entitlement's stream.
    pub owner_id: OwnerId,
    /// The mode of the entitlement's stream.
    pub livemode: bool,
    /// The evidence.
    pub evidence: Evidence,
    /// The end of the access that the same customer has to the same product, if he has: days already paid for are not lost.
    pub current_end: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
}

rejections! {
    /// Why an entitlement command is refused.
    pub enum Rejection {
        /// There is no such entitlement.
        NotFound = "entitlement_not_found", "there is no such entitlement";
        /// Nobody is named (COD-23).
        CustomerIdentityRequired = "customer_identity_required", "external_customer_id: one of external_customer_id, wallet and email is required";
        /// Access for no time, or for more than a hundred years.
        DurationOutOfRange = "entitlement_duration_out_of_range", "entitlement_duration_days: is an integer from 1 to 36500";
        /// The id is in use for another entitlement.
        AlreadyExists = "already_exists", "the entitlement exists with other content";
        /// The entitlement cannot go from where it is to there (INV-44).
        TransitionNotAllowed {
            /// Where it is.
            from: &'static str,
            /// Where it cannot go.
            to: &'static str,
        } = "entitlement_transition_not_allowed", "an entitlement that is {from} cannot become {to}";
        /// No reason was given.
        ReasonRequired = "reason_required", "reason: is required";
        /// The window is not over.
        NotExpiredYet = "not_expired_yet", "the entitlement has not expired yet";
    }
}

impl Decider for Entitlement {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use Entitlement::{Absent, Active, Expired, Failed, Pending, Revoked};
        match (state, command) {
            (Absent, Command::Pend(pend)) => pend.fact().map(|fact| vec![fact]),
            (_, Command::Pend(pend)) => match pend.fact()?.event {
                Event::EntitlementPended(again) if state.pended() == Some(&again) => Ok(vec![]),
                _ => Err(Rejection::AlreadyExists),
            },
            (Absent, _) => Err(Rejection::NotFound),

            (Pending { pended, blocked }, Command::Activate(activate)) => Ok(activation(pended, blocked.as_ref(), &activate)),
            (Active { activated, .. }, Command::Activate(activate)) => match activate.evidence.citation() == activated.evidence {
                true => Ok(vec![]),
                false => Err(Rejection::TransitionNotAllowed { from: "active", to: "active" }),
            },
            (Revoked { pended, blocked } | Failed { pended, blocked, .. }, Command::Activate(activate)) => match activate.evidence {
                Evidence::Receipt(_) => Ok(paid_when_closed(pended, state.status(), blocked.as_ref(), &activate.evidence)),
                Evidence::Sandbox(_) | Evidence::Membership(_) => Err(state.cannot_become("active")),
            },
            (Expired { .. }, Command::Activate(_)) => Err(state.cannot_become("active")),

            (Active { activated, .. } | Expired { activated, .. }, Command::Renew { extended }) => {
                match extended.period_end() > activated.expires_at {
                    true => Ok(vec![renewed(activated, &extended).into()]),
                    false => Ok(vec![]),
                }
            }
            (Pending { .. } | Revoked { .. } | Failed { .. }, Command::Renew { .. }) => Err(state.cannot_become("active")),

            (Active { activated, .. }, Command::Expire { now }) => match now >= activated.expires_at {
                true => Ok(vec![EntitlementExpired { entitlement_id: activated.entitlement_id, expired_at: now }.into()]),
                false => Err(Rejection::NotExpiredYet),
            },
            (Expired { .. }, Command::Expire { .. }) => Ok(vec![]),
            (Pending { .. } | Revoked { .. } | Failed { .. }, Command::Expire { .. }) => Err(state.cannot_become("expired")),

            (Pending { pended, .. } | Active { pended, .. }, Command::Revoke { reason }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![EntitlementRevoked { entitlement_id: pended.entitlement_id, reason }.into()])
            }
            (Revoked { .. }, Command::Revoke { .. }) => Ok(vec![]),
            (Expired { .. } | Failed { .. }, Command::Revoke { .. }) => Err(state.cannot_become("revoked")),

            (Pending { pended, .. }, Command::Fail { reason }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![EntitlementFailed { entitlement_id: pended.entitlement_id, reason }.into()])
            }
            (Failed { pended, reason: known, .. }, Command::Fail { reason }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                // Staff may say more about a closed entitlement; the same again says nothing.
                match reason == *known {
                    true => Ok(vec![]),
                    false => Ok(vec![EntitlementFailed { entitlement_id: pended.entitlement_id, reason }.into()]),
                }
            }
            (Active { .. } | Expired { .. } | Revoked { .. }, Command::Fail { .. }) => Err(state.cannot_become("failed")),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use Entitlement::{Absent, Active, Expired, Failed, Pending, Revoked};
        match (state, event) {
            (Absent, Event::EntitlementPended(pended)) => Pending { pended: Box::new(pended.clone()), blocked: None },
            (Pending { pended, .. }, Event::EntitlementActivated(activated)) => Active { pended, activated: Box::new(activated.clone()) },
            (Pending { pended, .. }, Event::EntitlementActivationBlocked(blocked)) => Pending { pended, blocked: Some(blocked.clone()) },
            (Active { pended, activated }, Event::EntitlementExpired(_)) => Expired { pended, activated },
            (Active { pended, activated } | Expired { pended, activated }, Event::EntitlementRenewed(renewed)) => {
                Active { pended, activated: Box::new(EntitlementActivated { expires_at: renewed.expires_at, ..*activated }) }
            }
            (Pending { pended, .. } | Active { pended, .. }, Event::EntitlementRevoked(_)) => Revoked { pended, blocked: None },
            (Revoked { pended, .. }, Event::EntitlementActivationBlocked(blocked)) => Revoked { pended, blocked: Some(blocked.clone()) },
            (Pending { pended, .. }, Event::EntitlementFailed(failed)) => Failed { pended, reason: failed.reason.clone(), blocked: None },
            (Failed { pended, blocked, .. }, Event::EntitlementFailed(failed)) => Failed { pended, reason: failed.reason.clone(), blocked },
            (Failed { pended, reason, .. }, Event::EntitlementActivationBlocked(blocked)) => {
                Failed { pended, reason, blocked: Some(blocked.clone()) }
            }
            (state, _) => state,
        }
    }
}

impl Entitlement {
    /// What it waits or waited for.
    pub fn pended(&self) -> Option<&EntitlementPended> {
        match self {
            Entitlement::Absent => None,
            Entitlement::Pending { pended, .. }
            | Entitlement::Active { pended, .. }
            | Entitlement::Expired { pended, .. }
            | Entitlement::Revoked { pended, .. }
            | Entitlement::Failed { pended, .. } => Some(pended),
        }
    }

    /// The contract's word (RT-066).
    pub fn status(&self) -> &'static str {
        match self {
            Entitlement::Absent => "not_found",
            Entitlement::Pending { .. } => "pending",
            Entitlement::Active { .. } => "active",
            Entitlement::Expired { .. } => "expired",
            Entitlement::Revoked { .. } => "revoked",
            Entitlement::Failed { .. } => "failed",
        }
    }

    /// Whether staff have closed it, so that no payment opens it.
    pub fn is_closed(&self) -> bool {
        matches!(self, Entitlement::Revoked { .. } | Entitlement::Failed { .. })
    }

    fn cannot_become(&self, to: &'static str) -> Rejection {
        Rejection::TransitionNotAllowed { from: self.status(), to }
    }
}

/// The element that blocked an activation, if the decided facts say so.
pub fn blocked(facts: &[Fact]) -> Option<&str> {
    facts.iter().find_map(|fact| match &fact.event {
        Event::EntitlementActivationBlocked(blocked) => Some(blocked.reason.as_str()),
        _ => None,
    })
}

impl Pend {
    fn fact(self) -> Result<Fact, Rejection> {
        if !identified(self.wallet.as_deref(), &self.personal) {
            return Err(Rejection::CustomerIdentityRequired);
        }
        if !(1..=LONGEST_DAYS).contains(&self.duration_days) {
            return Err(Rejection::DurationOutOfRange);
        }
        let pended = EntitlementPended {
            entitlement_id: self.entitlement_id,
            access_product_id: self.access_product_id,
            product_id: self.product_id,
            subject_id: self.subject_id,
            wallet: self.wallet,
            rail_id: self.rail_id,
            origin: self.origin,
            duration_days: self.duration_days,
        };
        Ok(Fact::sealed(pended, self.subject_id, self.personal))
    }
}

/// What makes a membership last longer.
#[derive(Clone, PartialEq, Debug)]
pub enum Extended {
    /// Days were given (RT-030).
    Gifted(Cited<MembershipGifted>),
    /// A payment renewed it.
    Renewed(Box<Cited<MembershipRenewed>>),
}

impl Extended {
    fn period_end(&self) -> Timestamp {
        match self {
            Extended::Gifted(gifted) => gifted.event.period_end,
            Extended::Renewed(renewed) => renewed.event.period_end,
        }
    }
    fn event(&self) -> EventId {
        match self {
            Extended::Gifted(gifted) => gifted.id,
            Extended::Renewed(renewed) => renewed.id,
        }
    }
}

fn renewed(activated: &EntitlementActivated, extended: &Extended) -> EntitlementRenewed {
    EntitlementRenewed {
        entitlement_id: activated.entitlement_id,
        access_product_id: activated.access_product_id,
        expires_at: extended.period_end(),
        membership_event: extended.event(),
    }
}

/// The trace of a payment for an entitlement that staff have closed.
fn paid_when_closed(
    pended: &EntitlementPended,
    status: &'static str,
    last: Option<&EntitlementActivationBlocked>,
    evidence: &Evidence,
) -> Vec<Fact> {
    let blocked = EntitlementActivationBlocked {
        entitlement_id: pended.entitlement_id,
        proof_id: evidence.proof_id(),
        reason: format!("entitlement_{status}"),
    };
    if last == Some(&blocked) { vec![] } else { vec![blocked.into()] }
}

/// The grant, or the trace of a refusal; the same refusal twice in a row leaves one trace.
fn activation(pended: &EntitlementPended, last: Option<&EntitlementActivationBlocked>, activate: &Activate) -> Vec<Fact> {
    if let Some(element) = activate.evidence.foreign_element(activate.owner_id, activate.livemode, pended) {
        let blocked = EntitlementActivationBlocked {
            entitlement_id: pended.entitlement_id,
            proof_id: activate.evidence.proof_id(),
            reason: format!("{element}_mismatch"),
        };
        return if last == Some(&blocked) { vec![] } else { vec![blocked.into()] };
    }
    let (active_from, expires_at) = match &activate.evidence {
        // Nothing was paid for it: it lasts as long as what was.
        Evidence::Membership(membership) => (activate.now, membership.linked.event.period_end),
        Evidence::Receipt(_) | Evidence::Sandbox(_) => {
            let from = activate.current_end.map_or(activate.now, |end| end.max(activate.now));
            (from, from.plus_days(pended.duration_days))
        }
    };
    let activated = EntitlementActivated {
        entitlement_id: pended.entitlement_id,
        access_product_id: pended.access_product_id,
        evidence: activate.evidence.citation(),
        active_from,
        expires_at,
    };
    vec![activated.into()]
}
