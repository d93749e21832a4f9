//! Memberships (OBJ-06, OBJ-08): RT-025..036, and what the sweep has to put on record.

mod history;
mod queries;
mod report;
#[cfg(test)]
mod tests;

pub use history::Happened;
pub use queries::*;
pub use report::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    event::{Event, EventType, MembershipActivated},
    id::{AccessProductId, EventId, MembershipId, PaymentId, ProductId},
    membership::{MembershipStatus, Term},
    personal::Personal,
    time::Timestamp,
    words::Platform,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Memberships;

/// A row of `memberships`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Membership {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Of which product.
    pub product_id: ProductId,
    /// Of which access product.
    pub access_product_id: Option<AccessProductId>,
    /// Where the member gets in.
    pub platform: Option<Platform>,
    /// Who paid last, base58.
    pub wallet: SolanaAddress,
    /// The merchant's id of the member. Personal.
    pub external_customer_id: Option<String>,
    /// The member's e-mail address. Personal.
    pub email: Option<String>,
    /// Kind of platform identity. Personal.
    pub identity_type: Option<String>,
    /// The platform identity, as verified. Personal.
    pub identity_value: Option<String>,
    /// Its handle, as it came. Personal.
    pub identity_display: Option<String>,
    /// Its handle or label, as the merchant corrected it. Personal.
    pub platform_display: Option<String>,
    /// The merchant's notes, which only he sees. Personal.
    pub notes: Option<String>,
    /// The last payment.
    pub latest_payment_id: PaymentId,
    /// Its transaction, base58.
    pub latest_tx_signature: TxSignature,
    /// Start of the last stretch of time that was paid or given; ahead when it was paid early.
    pub term_start_at: Timestamp,
    /// Until when it is paid; grace comes after it.
    pub current_period_end_at: Timestamp,
    /// When grace is over.
    pub grace_end_at: Timestamp,
    /// Days of grace.
    pub grace_period_days: u32,
    /// Days before the end at which the member is reminded.
    pub renewal_reminder_offsets_days: Vec<u32>,
    /// Where it stands as recorded: the clock is the reader's.
    pub recorded_status: MembershipStatus,
    /// When the merchant ended it.
    pub revoked_at: Option<Timestamp>,
    /// Why, as a code.
    pub revoke_reason: Option<String>,
    /// Whether the member has said that he will not go on.
    pub cancel_at_period_end: bool,
    /// The last reminder of this term: days before its end.
    pub reminded_offset_days: Option<u32>,
    /// When the clock next changes something that goes on record.
    pub next_due_at: Option<Timestamp>,
    /// What happened, in order.
    pub history: Vec<Happened>,
}

impl Row for Membership {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Memberships {
    const NAME: &'static str = "memberships";
    const VERSION: i32 = 2;
    const PERSONAL: bool = true;
    const PERSONAL_FIELDS: &'static [&'static str] = &[
        "external_customer_id",
        "email",
        "identity_type",
        "identity_value",
        "identity_display",
        "platform_display",
        "notes",
        "history[].note",
    ];
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Membership;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::SubjectErased(e) => Keys::subject(e.subject_id),
            event => Keys::maybe(membership_of(event)),
        }
    }

    fn apply(rows: &mut Rows<Membership>, event: &Applied<'_>) -> Result<(), Poison> {
        let told = Told { event_id: event.event_id(), at: event.recorded_at(), personal: event.personal };
        match event.event {
            Event::MembershipActivated(e) => {
                let mut row = begun(event.meta(e.membership_id, Some(e.subject_id)), e);
                row.tell(event.event, &told);
                rows.insert(event, row)
            }
            Event::SubjectErased(e) => {
                rows.update_subject(event, e.subject_id, Membership::forget);
                Ok(())
            }
            other => match membership_of(other) {
                Some(id) => rows.update(event, id, |row| row.tell(other, &told)),
                None => Err(Poison::Unhandled(other.event_type().as_str())),
            },
        }
    }
}

/// The membership that an event is of.
fn membership_of(event: &Event) -> Option<MembershipId> {
    match event {
        Event::MembershipActivated(e) => Some(e.membership_id),
        Event::MembershipRenewed(e) => Some(e.membership_id),
        Event::MembershipEnteredGrace(e) => Some(e.membership_id),
        Event::MembershipExpired(e) => Some(e.membership_id),
        Event::MembershipGifted(e) => Some(e.membership_id),
        Event::MembershipEntitlementLinked(e) => Some(e.membership_id),
        Event::MembershipNotesSaved(e) => Some(e.membership_id),
        Event::MembershipProfileUpdated(e) => Some(e.membership_id),
        Event::MembershipRevoked(e) => Some(e.membership_id),
        Event::MembershipRenewalReminderSent(e) => Some(e.membership_id),
        Event::SubscriptionCancelRequested(e) => Some(e.membership_id),
        Event::SubscriptionResumed(e) => Some(e.membership_id),
        _ => None,
    }
}

/// What is known of an event beside its payload.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// Its id.
    pub event_id: EventId,
    /// When it was recorded.
    pub at: Timestamp,
    /// What is sealed beside it; `None` if there is nothing or the person is erased.
    pub personal: Option<&'a Personal>,
}

/// The row before its first event is told.
fn begun(meta: Meta, e: &MembershipActivated) -> Membership {
    Membership {
        meta,
        product_id: e.product_id,
        access_product_id: e.access_product_id,
        platform: None,
        wallet: e.wallet,
        external_customer_id: None,
        email: None,
        identity_type: None,
        identity_value: None,
        identity_display: None,
        platform_display: None,
        notes: None,
        latest_payment_id: e.payment_id,
        latest_tx_signature: e.tx_signature,
        term_start_at: e.period_start,
        current_period_end_at: e.period_end,
        grace_end_at: e.period_end.plus_days(e.grace_period_days),
        grace_period_days: e.grace_period_days,
        renewal_reminder_offsets_days: Vec::new(),
        recorded_status: MembershipStatus::Active,
        revoked_at: None,
        revoke_reason: None,
        cancel_at_period_end: false,
        reminded_offset_days: None,
        next_due_at: None,
        history: Vec::new(),
    }
}

impl Membership {
    /// The row after a further event of its membership: the fold, for whoever has to show what he is about to append.
    pub fn tell(&mut self, event: &Event, told: &Told<'_>) {
        match event {
            Event::MembershipActivated(e) => {
                self.identify(told.personal, e.platform);
                (self.wallet, self.latest_payment_id, self.latest_tx_signature) = (e.wallet, e.payment_id, e.tx_signature);
                (self.grace_period_days, self.cancel_at_period_end) = (e.grace_period_days, false);
                self.renewal_reminder_offsets_days.clone_from(&e.renewal_reminder_offsets_days);
                self.begin(e.period_start, e.period_end);
            }
            Event::MembershipRenewed(e) => {
                self.identify(told.personal, e.platform);
                (self.wallet, self.latest_payment_id, self.latest_tx_signature) = (e.wallet, e.payment_id, e.tx_signature);
                (self.grace_period_days, self.cancel_at_period_end) = (e.grace_period_days, false);
                self.renewal_reminder_offsets_days.clone_from(&e.renewal_reminder_offsets_days);
                self.begin(e.period_start, e.period_end);
            }
            Event::MembershipGifted(e) => self.begin(Term::gift_start(e), e.period_end),
            Event::MembershipEnteredGrace(_) => self.recorded_status = MembershipStatus::Grace,
            Event::MembershipExpired(_) => self.recorded_status = MembershipStatus::Expired,
            Event::MembershipRevoked(e) => {
                self.recorded_status = MembershipStatus::Revoked;
                self.revoked_at = Some(e.revoked_at);
                self.revoke_reason = Some(e.reason.clone());
            }
            Event::MembershipRenewalReminderSent(e) => self.reminded_offset_days = Some(e.offset_days),
            Event::SubscriptionCancelRequested(_) => self.cancel_at_period_end = true,
            Event::SubscriptionResumed(_) => self.cancel_at_period_end = false,
            // Once a person is erased, so is what was sealed.
            Event::MembershipNotesSaved(_) => {
                self.notes = told.personal.and_then(|personal| personal.text.clone()).filter(|notes| !notes.is_empty());
            }
            Event::MembershipProfileUpdated(_) => {
                self.platform_display = told.personal.and_then(|personal| personal.identity_display.clone());
            }
            _ => {}
        }
        self.history.extend(Happened::of(event, told));
        self.next_due_at = self.due();
    }

    /// The last stretch of time that was paid or given.
    pub fn term(&self) -> Term {
        Term {
            start: self.term_start_at,
            end: self.current_period_end_at,
            grace_period_days: self.grace_period_days,
            reminder_offsets_days: self.renewal_reminder_offsets_days.clone(),
        }
    }

    /// Where it stands.
    pub fn status(&self, now: Timestamp) -> MembershipStatus {
        match self.recorded_status {
            MembershipStatus::Revoked => MembershipStatus::Revoked,
            _ => self.term().status(now),
        }
    }

    /// When the stretch of paid or given time began that `now` is in, or that was the last before it.
    pub fn current_period_start_at(&self, now: Timestamp) -> Timestamp {
        let starts = self.history.iter().filter_map(|happened| happened.start_at);
        starts.filter(|start| *start <= now).max().unwrap_or(self.term_start_at)
    }

    /// The handle or label that it is shown by.
    pub fn display(&self) -> Option<&str> {
        self.platform_display.as_deref().or(self.identity_display.as_deref())
    }

    fn begin(&mut self, start: Timestamp, end: Timestamp) {
        (self.term_start_at, self.current_period_end_at) = (start, end);
        self.grace_end_at = self.term().grace_end();
        self.recorded_status = MembershipStatus::Active;
        (self.revoked_at, self.revoke_reason, self.reminded_offset_days) = (None, None, None);
    }

    fn due(&self) -> Option<Timestamp> {
        match self.recorded_status {
            MembershipStatus::Revoked | MembershipStatus::Expired => None,
            MembershipStatus::Grace => Some(self.grace_end_at),
            MembershipStatus::Active => {
                let reminder = if self.cancel_at_period_end { None } else { self.term().next_reminder(self.reminded_offset_days) };
                Some(reminder.map_or(self.current_period_end_at, |at| at.min(self.current_period_end_at)))
            }
        }
    }

    /// What the payment says of the member; what it does not say stays as it is known.
    fn identify(&mut self, personal: Option<&Personal>, platform: Option<Platform>) {
        if let Some(personal) = personal {
            let known = [
                (&mut self.external_customer_id, &personal.external_customer_id),
                (&mut self.email, &personal.email),
                (&mut self.identity_type, &personal.identity_type),
                (&mut self.identity_value, &personal.identity_value),
                (&mut self.identity_display, &personal.identity_display),
            ];
            for (known, said) in known {
                if said.is_some() {
                    known.clone_from(said);
                }
            }
        }
        self.platform = platform.or(self.platform);
    }

    /// The person is erased.
    fn forget(&mut self) {
        let personal = [
            &mut self.external_customer_id,
            &mut self.email,
            &mut self.identity_type,
            &mut self.identity_value,
            &mut self.identity_display,
            &mut self.platform_display,
            &mut self.notes,
        ];
        for personal in personal {
            *personal = None;
        }
        for happened in &mut self.history {
            happened.note = None;
        }
    }
}
