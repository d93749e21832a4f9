//! What is due when in a membership. The decider and the read model both ask here, so that they cannot disagree.

use super::{event::MembershipGifted, rail::words, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const DAY_SECONDS: i64 = 86_400;

words! {
    /// Where a membership stands at a moment (OBJ-06, Q-16).
    pub enum MembershipStatus, "status is ACTIVE, GRACE, EXPIRED or REVOKED" {
        /// In a time that is paid or given.
        Active = "ACTIVE",
        /// After it, in the days of grace.
        Grace = "GRACE",
        /// Over.
        Expired = "EXPIRED",
        /// Taken away.
        Revoked = "REVOKED",
    }
}

/// The last stretch of time that a membership was paid or given, and what comes with its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    /// Its start, which is ahead when it was paid before the stretch before it was over.
    pub start: Timestamp,
    /// Its end: until then the membership is paid.
    pub end: Timestamp,
    /// Days of grace after it.
    pub grace_period_days: u32,
    /// Days before the end at which the member is reminded.
    pub reminder_offsets_days: Vec<u32>,
}

impl Term {
    /// When the days that were given begin: when what was paid is over, or at once.
    pub fn gift_start(gift: &MembershipGifted) -> Timestamp {
        gift.period_end.plus_seconds(-i64::from(gift.days) * DAY_SECONDS)
    }

    /// When grace is over.
    pub fn grace_end(&self) -> Timestamp {
        self.end.plus_days(self.grace_period_days)
    }

    /// Where a membership that is not revoked stands.
    pub fn status(&self, now: Timestamp) -> MembershipStatus {
        match now {
            now if now < self.end => MembershipStatus::Active,
            now if now < self.grace_end() => MembershipStatus::Grace,
            _ => MembershipStatus::Expired,
        }
    }

    /// The reminder to send now, by its offset: the one nearest to the end among those whose time has come. Earlier ones that were
    /// missed are not made up for. `sent` is the offset of the last one sent in this term.
    pub fn reminder_due(&self, sent: Option<u32>, now: Timestamp) -> Option<u32> {
        self.reminders(sent).filter(|(_, at)| *at <= now && now < self.end).map(|(offset, _)| offset).min()
    }

    /// When the next reminder is due, in the past if it was missed.
    pub fn next_reminder(&self, sent: Option<u32>) -> Option<Timestamp> {
        self.reminders(sent).map(|(_, at)| at).min()
    }

    /// A reminder that would come with the very payment it asks for is none.
    fn reminders(&self, sent: Option<u32>) -> impl Iterator<Item = (u32, Timestamp)> + '_ {
        let at = |offset: u32| self.end.plus_seconds(-i64::from(offset) * DAY_SECONDS);
        let ahead = move |offset: &u32| *offset > 0 && sent.is_none_or(|sent| *offset < sent);
        self.reminder_offsets_days.iter().copied().filter(ahead).map(move |offset| (offset, at(offset))).filter(|(_, at)| *at > self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn term(days: u32, offsets: &[u32]) -> Term {
        Term { start: START, end: START.plus_days(days), grace_period_days: 3, reminder_offsets_days: offsets.to_vec() }
    }

    #[test]
    fn each_reminder_has_its_day_and_a_missed_one_comes_once() {
        let term = term(30, &[7, 2, 1]);
        let on = |day: u32| START.plus_days(day);
        assert_eq!(term.reminder_due(None, on(22)), None);
        assert_eq!((term.next_reminder(None), term.reminder_due(None, on(23))), (Some(on(23)), Some(7)));
        assert_eq!((term.next_reminder(Some(7)), term.reminder_due(Some(7), on(27))), (Some(on(28)), None));
        assert_eq!(term.reminder_due(Some(7), on(28)), Some(2));
        // Down from day 20 to day 29: one reminder, not three.
        assert_eq!(term.reminder_due(None, on(29)), Some(1));
        assert_eq!((term.reminder_due(Some(1), on(29)), term.next_reminder(Some(1))), (None, None));
        assert_eq!(term.reminder_due(None, on(30)), None, "after the end there is nothing to be reminded of");
    }

    #[test]
    fn a_term_as_short_as_its_reminder_has_none() {
        assert_eq!(term(7, &[7, 30]).next_reminder(None), None);
        assert_eq!(term(8, &[7]).next_reminder(None), Some(START.plus_days(1)));
        assert_eq!(term(8, &[0]).next_reminder(None), None);
    }

    #[test]
    fn it_is_active_until_its_end_and_in_grace_until_grace_is_over() {
        let term = term(30, &[]);
        let before = |at: Timestamp| Timestamp::from_micros(at.micros() - 1);
        assert_eq!(term.status(before(term.end)), MembershipStatus::Active);
        assert_eq!(term.status(term.end), MembershipStatus::Grace);
        assert_eq!(term.status(before(term.grace_end())), MembershipStatus::Grace);
        assert_eq!(term.status(term.grace_end()), MembershipStatus::Expired);
        assert_eq!(Term { grace_period_days: 0, ..term.clone() }.status(term.end), MembershipStatus::Expired);
    }
}
