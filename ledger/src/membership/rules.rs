//! What a membership checks, and the events it yields.

use super::{LONGEST_GIFT_DAYS, Member, Pay, Rejection, Standing};
use crate::check::{LONGEST_DAYS, filled, is_code};
use events::vocab::{
    event::{
        Event, MembershipActivated, MembershipExpired, MembershipGifted, MembershipNotesSaved, MembershipProfileUpdated,
        MembershipRenewalReminderSent, MembershipRenewed, MembershipRevoked,
    },
    id::{MailId, MembershipId},
    personal::Personal,
    stream::Fact,
    time::Timestamp,
};

const LONGEST_TEXT: usize = 5_000;
const LONGEST_DISPLAY: usize = 200;

impl Pay {
    pub(super) fn begin(self) -> Result<Vec<Fact>, Rejection> {
        self.check()?;
        let paid = &self.payment.event;
        let activated = MembershipActivated {
            membership_id: self.membership_id,
            product_id: paid.product_id,
            access_product_id: self.access_product_id,
            subject_id: self.subject_id,
            wallet: paid.payer_wallet,
            payment_id: paid.payment_id,
            tx_signature: paid.tx_signature,
            period_start: self.now,
            period_end: self.now.plus_days(self.terms.billing_interval_days),
            grace_period_days: self.terms.grace_period_days,
            renewal_reminder_offsets_days: self.terms.renewal_reminder_offsets_days.clone(),
            platform: self.platform,
            payment_event: self.payment.id,
        };
        Ok(vec![self.sealed(activated)])
    }

    /// Days already paid for are not lost; those that were revoked are.
    pub(super) fn go_on(self, member: &Member) -> Result<Vec<Fact>, Rejection> {
        self.check()?;
        if self.membership_id != member.membership_id {
            return Err(Rejection::MembershipMismatch { field: "membership_id" });
        }
        let paid = &self.payment.event;
        if member.payments.contains(&paid.payment_id) {
            return Ok(vec![]);
        }
        let period_start = match member.standing {
            Standing::Revoked => self.now,
            Standing::Active | Standing::Grace | Standing::Expired => self.now.max(member.period_end),
        };
        let renewed = MembershipRenewed {
            membership_id: self.membership_id,
            product_id: paid.product_id,
            subject_id: self.subject_id,
            wallet: paid.payer_wallet,
            payment_id: paid.payment_id,
            tx_signature: paid.tx_signature,
            period_start,
            period_end: period_start.plus_days(self.terms.billing_interval_days),
            grace_period_days: self.terms.grace_period_days,
            renewal_reminder_offsets_days: self.terms.renewal_reminder_offsets_days.clone(),
            platform: self.platform,
            payment_event: self.payment.id,
        };
        Ok(vec![self.sealed(renewed)])
    }

    fn check(&self) -> Result<(), Rejection> {
        if !(1..=LONGEST_DAYS).contains(&self.terms.billing_interval_days) {
            return Err(Rejection::InvalidMembershipConfig);
        }
        match self.membership_id == MembershipId::of(self.payment.event.product_id, self.subject_id) {
            true => Ok(()),
            false => Err(Rejection::MembershipMismatch { field: "membership_id" }),
        }
    }

    fn sealed(self, event: impl Into<Event>) -> Fact {
        sealed(event, &self.subject_id, self.personal)
    }
}

pub(super) fn expired(member: &Member, now: Timestamp) -> Fact {
    MembershipExpired {
        membership_id: member.membership_id,
        product_id: member.product_id,
        access_product_id: member.access_product_id,
        subject_id: member.subject_id,
        payment_id: *member.payments.last().expect("a member has paid"),
        period_end: member.period_end,
        expired_at: now,
    }
    .into()
}

pub(super) fn gifted(member: &Member, days: u32, note: Option<String>, now: Timestamp) -> Result<Vec<Fact>, Rejection> {
    if !(1..=LONGEST_GIFT_DAYS).contains(&days) {
        return Err(Rejection::GiftDaysOutOfRange);
    }
    let period_end = now.max(member.period_end).plus_days(days);
    let gift = MembershipGifted { membership_id: member.membership_id, days, period_end };
    Ok(vec![sealed(gift, &member.subject_id, text("note", note)?)])
}

pub(super) fn notes(member: &Member, notes: Option<String>) -> Result<Vec<Fact>, Rejection> {
    Ok(vec![sealed(MembershipNotesSaved { membership_id: member.membership_id }, &member.subject_id, text("notes", notes)?)])
}

pub(super) fn profile(member: &Member, display: &str) -> Result<Vec<Fact>, Rejection> {
    let display = filled(display).filter(|display| display.chars().count() <= LONGEST_DISPLAY).ok_or(Rejection::DisplayRequired)?;
    let personal = Personal { identity_display: Some(display), ..Personal::default() };
    Ok(vec![sealed(MembershipProfileUpdated { membership_id: member.membership_id }, &member.subject_id, personal)])
}

pub(super) fn revoked(member: &Member, reason: &str, note: Option<String>, now: Timestamp) -> Result<Vec<Fact>, Rejection> {
    let reason = filled(reason).filter(|reason| is_code(reason)).ok_or(Rejection::ReasonRequired)?;
    let revoked = MembershipRevoked { membership_id: member.membership_id, reason, revoked_at: now };
    Ok(vec![sealed(revoked, &member.subject_id, text("note", note)?)])
}

/// Of several reminders that are due, after the service was away, only the nearest to the end is sent.
pub(super) fn reminder(member: &Member, mail_id: Option<MailId>, now: Timestamp) -> Vec<Fact> {
    let (membership_id, period_end) = (member.membership_id, member.period_end);
    match member.term().reminder_due(member.reminded, now) {
        Some(offset_days) if !member.cancelled => {
            vec![MembershipRenewalReminderSent { membership_id, period_end, offset_days, mail_id }.into()]
        }
        _ => vec![],
    }
}

fn text(field: &'static str, text: Option<String>) -> Result<Personal, Rejection> {
    match text.as_deref().and_then(filled) {
        Some(text) if text.chars().count() > LONGEST_TEXT => Err(Rejection::TextTooLong { field }),
        text => Ok(Personal { text, ..Personal::default() }),
    }
}

fn sealed(event: impl Into<Event>, subject: &events::vocab::id::SubjectId, personal: Personal) -> Fact {
    match personal == Personal::default() {
        true => Fact::from(event.into()),
        false => Fact::sealed(event, *subject, personal),
    }
}
