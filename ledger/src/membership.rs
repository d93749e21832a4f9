//! Memberships (TR-14 to TR-19): a person's running access to a product.

mod command;
mod rules;

pub use command::{Command, Pay, Rejection};

use crate::platform::Said;
use events::{
    decider::Decider,
    vocab::{
        event::{
            Event, MembershipActivated, MembershipEnteredGrace, MembershipEntitlementLinked, MembershipRenewed,
            SubscriptionCancelRequested, SubscriptionResumed,
        },
        id::{AccessProductId, EntitlementId, MembershipId, PaymentId, ProductId, SubjectId},
        membership::Term,
        stream::Fact,
        time::Timestamp,
    },
};
use rules::{expired, gifted, notes, profile, reminder, revoked};

/// The longest gift in days (RT-030).
pub const LONGEST_GIFT_DAYS: u32 = 366;

/// A membership.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Membership {
    /// Nobody has paid.
    #[default]
    Absent,
    /// Paid at least once.
    Member(Box<Member>),
}

/// A person who has paid at least once.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    /// Its id.
    pub membership_id: MembershipId,
    /// For what.
    pub product_id: ProductId,
    /// For what, on the access API.
    pub access_product_id: Option<AccessProductId>,
    /// By whom.
    pub subject_id: SubjectId,
    /// The payments so far, first to last; never empty.
    pub payments: Vec<PaymentId>,
    /// Entitlements that staff let rest on it.
    pub linked: Vec<EntitlementId>,
    /// When the last stretch of time began that was paid or given; ahead when it was paid early.
    pub period_start: Timestamp,
    /// Until when it is paid, gifts included.
    pub period_end: Timestamp,
    /// Days of grace after that.
    pub grace_period_days: u32,
    /// Days before the end at which the member is reminded.
    pub reminder_offsets: Vec<u32>,
    /// The smallest of these that he was reminded of in this period.
    pub reminded: Option<u32>,
    /// Whether he will not go on after the period.
    pub cancelled: bool,
    /// Where it stands, as recorded: the clock is the reader's.
    pub standing: Standing,
}

/// Where a membership stands, as recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// In a paid period.
    Active,
    /// After it, in the days of grace.
    Grace,
    /// Over.
    Expired,
    /// Ended by the merchant; a new payment begins it again.
    Revoked,
}

impl Decider for Membership {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let member = match (state, command) {
            (Membership::Absent, Command::Pay(pay)) => return pay.begin(),
            (Membership::Absent, _) => return Err(Rejection::NotFound),
            (Membership::Member(member), command) => (member, command),
        };
        use Standing::{Active, Expired, Grace, Revoked};
        match (member.0, member.0.standing, member.1) {
            (member, _, Command::Pay(pay)) => pay.go_on(member),

            (member, Active, Command::EnterGrace { now }) => match (now >= member.period_end, member.grace_period_days) {
                (false, _) => Err(Rejection::NotDueYet),
                // Without days of grace the end of the period is the end.
                (true, 0) => Ok(vec![expired(member, now)]),
                (true, _) => Ok(vec![member.enters_grace().into()]),
            },
            (_, Grace | Expired | Revoked, Command::EnterGrace { .. }) => Ok(vec![]),

            (member, Active | Grace, Command::Expire { now }) => match now >= member.grace_end() {
                true => Ok(vec![expired(member, now)]),
                false => Err(Rejection::NotDueYet),
            },
            (_, Expired | Revoked, Command::Expire { .. }) => Ok(vec![]),

            (_, Revoked, Command::Gift { .. }) => Err(Rejection::Revoked),
            (member, _, Command::Gift { days, note, now }) => gifted(member, days, note, now),

            (member, _, Command::SaveNotes { notes: text }) => notes(member, text),
            (member, _, Command::UpdateProfile { platform_display }) => profile(member, &platform_display),

            (_, Revoked, Command::Revoke { .. }) => Ok(vec![]),
            (member, _, Command::Revoke { now, .. }) if now >= member.grace_end() => Err(Rejection::NotActive),
            (member, _, Command::Revoke { reason, note, now }) => revoked(member, &reason, note, now),

            (member, Active, Command::Remind { mail_id, now }) => Ok(reminder(member, mail_id, now)),
            (_, Grace | Expired | Revoked, Command::Remind { .. }) => Ok(vec![]),

            (member, Active, Command::Link { entitlement_id, said, now }) if now < member.period_end => {
                match member.linked.contains(&entitlement_id) {
                    true => Ok(vec![]),
                    false => Ok(vec![member.links(entitlement_id, said).into()]),
                }
            }
            (_, Active | Grace | Expired, Command::Link { .. }) => Err(Rejection::NotActive),
            (_, Revoked, Command::Link { .. }) => Err(Rejection::Revoked),

            (_, Revoked, Command::CancelRenewal | Command::ResumeRenewal) => Err(Rejection::Revoked),
            (_, Expired, Command::CancelRenewal | Command::ResumeRenewal) => Err(Rejection::NotActive),
            (member, _, Command::CancelRenewal) => Ok(member.cancels().map(Fact::from).into_iter().collect()),
            (member, _, Command::ResumeRenewal) => Ok(member.resumes().map(Fact::from).into_iter().collect()),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Membership::Absent, Event::MembershipActivated(first)) => Membership::Member(Box::new(first.into())),
            (Membership::Member(mut member), event) => {
                member.fold(event);
                Membership::Member(member)
            }
            (state, _) => state,
        }
    }
}

impl Membership {
    /// The member, if there is one.
    pub fn member(&self) -> Option<&Member> {
        match self {
            Membership::Absent => None,
            Membership::Member(member) => Some(member),
        }
    }
}

impl From<&MembershipActivated> for Member {
    fn from(first: &MembershipActivated) -> Self {
        Member {
            membership_id: first.membership_id,
            product_id: first.product_id,
            access_product_id: first.access_product_id,
            subject_id: first.subject_id,
            payments: vec![first.payment_id],
            linked: Vec::new(),
            period_start: first.period_start,
            period_end: first.period_end,
            grace_period_days: first.grace_period_days,
            reminder_offsets: first.renewal_reminder_offsets_days.clone(),
            reminded: None,
            cancelled: false,
            standing: Standing::Active,
        }
    }
}

impl Member {
    /// When the days of grace are over.
    pub fn grace_end(&self) -> Timestamp {
        self.term().grace_end()
    }

    /// The last stretch of time that was paid or given.
    pub fn term(&self) -> Term {
        Term {
            start: self.period_start,
            end: self.period_end,
            grace_period_days: self.grace_period_days,
            reminder_offsets_days: self.reminder_offsets.clone(),
        }
    }

    fn enters_grace(&self) -> MembershipEnteredGrace {
        MembershipEnteredGrace { membership_id: self.membership_id, period_end: self.period_end, grace_end: self.grace_end() }
    }

    fn links(&self, entitlement_id: EntitlementId, said: Said) -> MembershipEntitlementLinked {
        MembershipEntitlementLinked {
            membership_id: self.membership_id,
            product_id: self.product_id,
            subject_id: self.subject_id,
            entitlement_id,
            period_end: self.period_end,
            by: said.by,
            reason: said.reason,
        }
    }

    fn cancels(&self) -> Option<SubscriptionCancelRequested> {
        (!self.cancelled).then_some(SubscriptionCancelRequested { membership_id: self.membership_id, period_end: self.period_end })
    }

    fn resumes(&self) -> Option<SubscriptionResumed> {
        self.cancelled.then_some(SubscriptionResumed { membership_id: self.membership_id })
    }

    fn fold(&mut self, event: &Event) {
        match event {
            Event::MembershipRenewed(next) => self.renew(next),
            Event::MembershipGifted(gift) => {
                self.period_start = Term::gift_start(gift);
                self.period_end = gift.period_end;
                self.reminded = None;
                self.standing = Standing::Active;
            }
            Event::MembershipEnteredGrace(_) => self.standing = Standing::Grace,
            Event::MembershipExpired(_) => self.standing = Standing::Expired,
            Event::MembershipRevoked(_) => self.standing = Standing::Revoked,
            Event::MembershipRenewalReminderSent(sent) => self.reminded = Some(sent.offset_days),
            Event::MembershipEntitlementLinked(linked) => self.linked.push(linked.entitlement_id),
            Event::SubscriptionCancelRequested(_) => self.cancelled = true,
            Event::SubscriptionResumed(_) => self.cancelled = false,
            _ => {}
        }
    }

    fn renew(&mut self, next: &MembershipRenewed) {
        self.payments.push(next.payment_id);
        self.period_start = next.period_start;
        self.period_end = next.period_end;
        self.grace_period_days = next.grace_period_days;
        self.reminder_offsets.clone_from(&next.renewal_reminder_offsets_days);
        self.reminded = None;
        self.cancelled = false;
        self.standing = Standing::Active;
    }
}
