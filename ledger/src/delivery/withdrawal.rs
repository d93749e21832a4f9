//! Taking access back when a membership has ended: whoever a bot let in is taken out of the group, or loses his role.

use super::{Again, Case, RETRY_MINUTES, Rejection, rules::due};
use events::vocab::{
    event::{DeliveryWithdrawalCancelled, DeliveryWithdrawalFailed, DeliveryWithdrawalRequested, DeliveryWithdrawn, Event},
    id::{EventId, MembershipId},
    stream::Fact,
    time::Timestamp,
    words::DeliveryMode,
};

/// Whether access is being taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Withdrawal {
    /// No.
    #[default]
    None,
    /// It is to be: at once, or at that time.
    Due {
        /// How many attempts were made.
        attempts: u32,
        /// When the next one is due; at once before the first.
        at: Option<Timestamp>,
    },
    /// It was.
    Done,
    /// A person has to do it.
    GivenUp,
}

/// One attempt to take access back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakeBack {
    /// Which one: 1, 2, 3 …
    pub attempt: u32,
    /// By which bot.
    pub mode: DeliveryMode,
    /// What came of it.
    pub outcome: TakenBack,
    /// When.
    pub now: Timestamp,
}

/// What came of an attempt to take access back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TakenBack {
    /// He is out.
    Out {
        /// Whether he was in until now.
        was_in: bool,
    },
    /// He may stay.
    Moot {
        /// A stable code.
        reason: &'static str,
    },
    /// He could not be taken out.
    Failed {
        /// A stable code.
        reason: String,
        /// Whether it is tried again.
        again: Again,
    },
}

impl Withdrawal {
    pub(super) fn after(self, event: &Event) -> Self {
        match event {
            Event::DeliveryWithdrawalRequested(_) => Withdrawal::Due { attempts: 0, at: None },
            Event::DeliveryWithdrawn(_) => Withdrawal::Done,
            Event::DeliveryWithdrawalFailed(e) => match e.retry_at {
                Some(at) => Withdrawal::Due { attempts: e.attempt, at: Some(at) },
                None => Withdrawal::GivenUp,
            },
            // Handed over anew: there is nothing left to take back.
            Event::DeliveryWithdrawalCancelled(_) | Event::DeliveryRetryRequested(_) => Withdrawal::None,
            _ => self,
        }
    }
}

impl Case {
    /// The attempt to take access back that is due now, if one is.
    pub fn withdrawal_due(&self, now: Timestamp) -> Option<u32> {
        match self.withdrawal {
            Withdrawal::Due { attempts, at } if at.is_none_or(|at| at <= now) => Some(attempts.saturating_add(1)),
            _ => None,
        }
    }

    /// What was taken back, or is being taken back, is not asked for again.
    pub(super) fn withdraw(&self, ended: EventId) -> Result<Vec<Fact>, Rejection> {
        let membership_id = self.membership()?;
        let (delivery_id, payment_id) = (self.requested.delivery_id, self.requested.payment_id);
        match self.withdrawal {
            Withdrawal::None | Withdrawal::GivenUp => {
                Ok(vec![DeliveryWithdrawalRequested { delivery_id, payment_id, membership_id, ended_event: ended }.into()])
            }
            Withdrawal::Due { .. } | Withdrawal::Done => Ok(vec![]),
        }
    }

    pub(super) fn take_back(&self, tried: TakeBack) -> Result<Vec<Fact>, Rejection> {
        let membership_id = self.membership()?;
        let (delivery_id, payment_id) = (self.requested.delivery_id, self.requested.payment_id);
        let Withdrawal::Due { attempts, .. } = self.withdrawal else { return Err(Rejection::NotDue) };
        let TakeBack { attempt, mode, outcome, now } = tried;
        if (1..=attempts).contains(&attempt) {
            return Ok(vec![]);
        }
        match self.withdrawal_due(now) {
            None => return Err(Rejection::NotDue),
            Some(next) if next != attempt => return Err(Rejection::OutOfOrder { next }),
            Some(_) => {}
        }
        let fact: Fact = match outcome {
            TakenBack::Out { was_in } => {
                DeliveryWithdrawn { delivery_id, payment_id, membership_id, attempt, mode, was_in, withdrawn_at: now }.into()
            }
            TakenBack::Moot { reason } => {
                DeliveryWithdrawalCancelled { delivery_id, payment_id, membership_id, reason: reason.to_owned() }.into()
            }
            TakenBack::Failed { reason, again } => {
                let retry_at = next_try(attempt, again, now);
                let failed_at = now;
                DeliveryWithdrawalFailed { delivery_id, payment_id, membership_id, attempt, mode, reason, failed_at, retry_at }.into()
            }
        };
        Ok(vec![fact])
    }

    /// What has no membership does not end.
    fn membership(&self) -> Result<MembershipId, Rejection> {
        self.requested.membership_id.ok_or(Rejection::NoMembership)
    }
}

/// As often, and at the same distances, as handing over is tried.
fn next_try(attempt: u32, again: Again, now: Timestamp) -> Option<Timestamp> {
    let Again::OnSchedule { retry_after } = again else { return None };
    let minutes = usize::try_from(attempt).ok()?.checked_sub(1).and_then(|made| RETRY_MINUTES.get(made))?;
    Some(due(now, *minutes, retry_after))
}
