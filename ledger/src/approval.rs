//! Approvals (RT-105, RT-106): what one member of staff asks for takes effect only after another has agreed (INV-48).

use crate::{
    check::rejections,
    platform::{self, Said},
};
use events::{
    decider::Decider,
    vocab::{
        event::{ApprovalApplied, ApprovalApproved, ApprovalRejected, ApprovalRequested, ApprovalSubject, Event},
        id::{ApprovalId, EventId},
        stream::Fact,
    },
};

/// An approval.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Approval {
    /// Not asked for.
    #[default]
    Absent,
    /// Waits for another member of staff.
    Pending(Box<ApprovalRequested>),
    /// Another agreed; it may be applied once.
    Approved {
        /// What was asked for.
        requested: Box<ApprovalRequested>,
        /// Who agreed.
        approved: ApprovalApproved,
    },
    /// Another did not agree.
    Rejected(Box<ApprovalRequested>),
    /// It has taken effect.
    Applied(Box<ApprovalRequested>),
}

/// What is asked of an approval.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Ask for it.
    Request {
        /// Its id.
        approval_id: ApprovalId,
        /// What is to be approved.
        subject: Box<ApprovalSubject>,
        /// Who and why.
        said: Said,
    },
    /// Agree.
    Approve(Said),
    /// Do not agree.
    Reject(Said),
    /// It takes effect by that event.
    Apply {
        /// The event that it permits.
        applied_event: EventId,
        /// Who applies it.
        by: String,
    },
}

rejections! {
    /// Why an approval command is refused.
    pub enum Rejection {
        /// There is no such approval.
        NotFound = "approval_not_found", "there is no such approval";
        /// The id is in use for another approval.
        AlreadyExists = "already_exists", "the approval exists with other content";
        /// No reason was given.
        ReasonRequired = "reason_required", "reason: is required";
        /// The reason is too long.
        ReasonTooLong = "text_too_long", "reason: has at most 500 characters";
        /// Who asks does not decide (INV-48).
        SecondApproverRequired = "second_approver_required", "another member of staff than the one who asked must decide";
        /// It was decided already.
        NotPending {
            /// Where it is.
            status: &'static str,
        } = "approval_not_pending", "the approval is {status}";
        /// Nobody has agreed, or it was used already.
        NotApproved {
            /// Where it is.
            status: &'static str,
        } = "approval_not_approved", "the approval is {status}";
    }
}

impl Decider for Approval {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use Approval::{Absent, Approved, Pending};
        match (state, command) {
            (Absent, Command::Request { approval_id, subject, said }) => {
                let Said { by, reason } = said.for_approval()?;
                Ok(vec![ApprovalRequested { approval_id, subject: *subject, by, reason }.into()])
            }
            (_, Command::Request { .. }) => Err(Rejection::AlreadyExists),
            (Absent, _) => Err(Rejection::NotFound),

            (Pending(requested), Command::Approve(said)) => {
                let Said { by, reason } = said.second(requested)?;
                Ok(vec![ApprovalApproved { approval_id: requested.approval_id, by, reason }.into()])
            }
            (Pending(requested), Command::Reject(said)) => {
                let Said { by, reason } = said.second(requested)?;
                Ok(vec![ApprovalRejected { approval_id: requested.approval_id, by, reason }.into()])
            }
            (_, Command::Approve(_) | Command::Reject(_)) => Err(Rejection::NotPending { status: state.status() }),

            (Approved { requested, .. }, Command::Apply { applied_event, by }) => {
                Ok(vec![ApprovalApplied { approval_id: requested.approval_id, applied_event, by }.into()])
            }
            (_, Command::Apply { .. }) => Err(Rejection::NotApproved { status: state.status() }),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use Approval::{Absent, Applied, Approved, Pending, Rejected};
        match (state, event) {
            (Absent, Event::ApprovalRequested(requested)) => Pending(Box::new(requested.clone())),
            (Pending(requested), Event::ApprovalApproved(approved)) => Approved { requested, approved: approved.clone() },
            (Pending(requested), Event::ApprovalRejected(_)) => Rejected(requested),
            (Approved { requested, .. }, Event::ApprovalApplied(_)) => Applied(requested),
            (state, _) => state,
        }
    }
}

impl Approval {
    /// The contract's word.
    pub fn status(&self) -> &'static str {
        match self {
            Approval::Absent => "not_found",
            Approval::Pending(_) => "pending",
            Approval::Approved { .. } => "approved",
            Approval::Rejected(_) => "rejected",
            Approval::Applied(_) => "applied",
        }
    }

    /// What was asked for, once it was.
    pub fn requested(&self) -> Option<&ApprovalRequested> {
        match self {
            Approval::Absent => None,
            Approval::Pending(requested) | Approval::Rejected(requested) | Approval::Applied(requested) => Some(requested),
            Approval::Approved { requested, .. } => Some(requested),
        }
    }
}

impl Said {
    fn for_approval(self) -> Result<Said, Rejection> {
        self.checked().map_err(|refused| match refused {
            platform::Rejection::ReasonRequired => Rejection::ReasonRequired,
            _ => Rejection::ReasonTooLong,
        })
    }

    /// Said by another than the one who asked.
    fn second(self, requested: &ApprovalRequested) -> Result<Said, Rejection> {
        match self.by == requested.by {
            true => Err(Rejection::SecondApproverRequired),
            false => self.for_approval(),
        }
    }
}
