//! Handing over what a payment bought, and its rescue (OBJ-07, TR-20 to TR-23). Nothing here touches the payment: a delivery that
//! fails is not a payment that failed (INV-70).

mod plan;
mod rules;
mod withdrawal;

pub use plan::{Automation, Settings};
pub use withdrawal::{TakeBack, TakenBack, Withdrawal};

use crate::{Cited, check::rejections};
use events::{
    decider::Decider,
    vocab::{
        event::{DeliveryRequested, Event, PaymentConfirmed},
        id::{AccessProductId, EventId, MembershipId, SubjectId},
        stream::Fact,
        time::Timestamp,
        words::{DeliveryMode, DeliveryStatus, DeliveryTrigger, DeliveryType},
    },
};

/// Minutes from a failed attempt to the next one of its series (OBJ-07). After the last, a person has to look.
pub const RETRY_MINUTES: [i64; 5] = [1, 5, 15, 60, 240];

/// A provider cannot put a delivery off for longer than this many seconds, whatever it asks for.
pub const LONGEST_RETRY_AFTER: i64 = 86_400;

/// A delivery.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Delivery {
    /// There is nothing to hand over, as far as anyone has said.
    #[default]
    Absent,
    /// Something is.
    Case(Box<Case>),
}

/// A delivery that was asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// What to hand over, and to whom.
    pub requested: DeliveryRequested,
    /// How it is handed over, as of the last request or attempt.
    pub mode: DeliveryMode,
    /// How many attempts were made.
    pub attempts: u32,
    /// How many attempts the schedule has set in the series that is running.
    pub rescues: usize,
    /// Where it stands.
    pub stage: Stage,
    /// Whether it is being taken back.
    pub withdrawal: Withdrawal,
}

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// To be tried now.
    Pending(DeliveryTrigger),
    /// To be tried at that time.
    Scheduled(Timestamp),
    /// Handed over.
    Sent,
    /// It failed, and trying again would not be right.
    Failed,
    /// Every scheduled try failed.
    ManualReview,
}

/// What is asked of a delivery.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// The payment is settled and its product hands something over.
    Request(Box<Request>),
    /// It was tried.
    RecordAttempt(Box<Attempt>),
    /// The merchant wants it tried now (TR-23).
    RequestRetry {
        /// How the product hands over now.
        mode: DeliveryMode,
        /// Whether the access that was bought still runs.
        access_runs: bool,
    },
    /// The membership has ended: take back what was handed over.
    RequestWithdrawal {
        /// The event by which it ended.
        ended: EventId,
    },
    /// Taking it back was tried.
    RecordWithdrawal(Box<TakeBack>),
}

/// See [`Command::Request`].
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// The event that permits it.
    pub payment: Cited<PaymentConfirmed>,
    /// The access product, when one was bought.
    pub access_product_id: Option<AccessProductId>,
    /// The membership that the payment began or renewed.
    pub membership_id: Option<MembershipId>,
    /// Who gets it, and whose key seals his link.
    pub subject_id: SubjectId,
    /// What is handed over.
    pub delivery_type: DeliveryType,
    /// How.
    pub mode: DeliveryMode,
}

/// See [`Command::RecordAttempt`].
#[derive(Clone, PartialEq, Debug)]
pub struct Attempt {
    /// Which one: 1, 2, 3 … One that is recorded already changes nothing.
    pub attempt: u32,
    /// How it was tried.
    pub mode: DeliveryMode,
    /// What came of it.
    pub outcome: Outcome,
    /// When.
    pub now: Timestamp,
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is handed over.
    Sent {
        /// The link that was made for this buyer, where one was.
        link: Option<String>,
    },
    /// It is not.
    Failed {
        /// A stable code.
        reason: String,
        /// An invite, where the buyer must come in before he can be given his role.
        link: Option<String>,
        /// Whether it is tried again.
        again: Again,
    },
}

/// Whether a failed attempt is followed by another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// On schedule. What only a person can lift is tried as well: he may do so meanwhile.
    OnSchedule {
        /// Seconds that the provider asks to be left alone for.
        retry_after: Option<u32>,
    },
    /// No: nobody should get it any more.
    Never,
}

rejections! {
    /// Why a delivery command is refused.
    pub enum Rejection {
        /// Nothing was asked for.
        NotFound = "delivery_not_found", "there is no such delivery";
        /// It was asked for differently before.
        AlreadyExists = "already_exists", "the delivery exists for another payment";
        /// The access that was bought is over.
        MembershipNotActive = "membership_not_active", "the membership is expired or revoked";
        /// An attempt is missing before this one.
        OutOfOrder {
            /// The attempt that is next.
            next: u32,
        } = "attempt_out_of_order", "the next attempt is number {next}";
        /// What was bought without a membership is not taken back.
        NoMembership = "membership_not_found", "the delivery is of no membership";
        /// Nothing is to be tried, or not yet.
        NotDue = "delivery_not_due", "no attempt is due";
    }
}

impl Decider for Delivery {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match (state, command) {
            (Delivery::Absent, Command::Request(request)) => Ok(vec![request.event().into()]),
            (Delivery::Case(case), Command::Request(request)) => match case.requested.payment_id == request.payment.event.payment_id {
                true => Ok(vec![]),
                false => Err(Rejection::AlreadyExists),
            },
            (Delivery::Absent, _) => Err(Rejection::NotFound),
            (Delivery::Case(case), Command::RecordAttempt(attempt)) => case.record(*attempt),
            (Delivery::Case(case), Command::RequestRetry { mode, access_runs }) => match access_runs {
                true => Ok(case.retry(mode)),
                false => Err(Rejection::MembershipNotActive),
            },
            (Delivery::Case(case), Command::RequestWithdrawal { ended }) => case.withdraw(ended),
            (Delivery::Case(case), Command::RecordWithdrawal(tried)) => case.take_back(*tried),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Delivery::Absent, Event::DeliveryRequested(requested)) => Delivery::Case(Box::new(Case {
                requested: requested.clone(),
                mode: requested.mode,
                attempts: 0,
                rescues: 0,
                stage: Stage::Pending(DeliveryTrigger::Settlement),
                withdrawal: Withdrawal::None,
            })),
            (Delivery::Case(case), event) => Delivery::Case(Box::new(case.after(event))),
            (Delivery::Absent, _) => Delivery::Absent,
        }
    }
}

impl Delivery {
    /// What was asked for, if anything was.
    pub fn case(&self) -> Option<&Case> {
        match self {
            Delivery::Absent => None,
            Delivery::Case(case) => Some(case),
        }
    }

    /// The contract's word (OBJ-07).
    pub fn status(&self) -> DeliveryStatus {
        self.case().map_or(DeliveryStatus::NotRequired, |case| match case.stage {
            Stage::Pending(_) => DeliveryStatus::Pending,
            Stage::Scheduled(_) => DeliveryStatus::RetryScheduled,
            Stage::Sent => DeliveryStatus::Sent,
            Stage::Failed => DeliveryStatus::Failed,
            Stage::ManualReview => DeliveryStatus::ManualReview,
        })
    }
}

impl Case {
    /// The attempt to make now, if one is due.
    pub fn due(&self, now: Timestamp) -> Option<u32> {
        let due = match self.stage {
            Stage::Pending(_) => true,
            Stage::Scheduled(at) => at <= now,
            Stage::Sent | Stage::Failed | Stage::ManualReview => false,
        };
        due.then(|| self.attempts.saturating_add(1))
    }
}
