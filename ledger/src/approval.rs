//! Approvals (RT-105, RT-106): what one member of staff asks for takes effect only after another has agreed (INV-48). Who has a key of
//! his own signs what he asks for and what he agrees to, and the event of the agreement holds both signatures.

pub mod statement;

pub use statement::Signing;

use crate::{
    check::{is_code, rejections},
    platform::{self, Said},
};
use events::{
    decider::Decider,
    vocab::{
        event::{
            ApprovalApplied, ApprovalApproved, ApprovalRejected, ApprovalRequested, ApprovalSubject, Event, SignedDecision, SignedRequest,
        },
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
        approved: Box<ApprovalApproved>,
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
        /// What he signed.
        signing: Box<Signing>,
    },
    /// Agree.
    Approve {
        /// Who and why.
        said: Said,
        /// The event by which it was asked for.
        requested_event: EventId,
        /// What he signed.
        signing: Box<Signing>,
    },
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
        /// The words about an erasure stay in the log, so they are a code.
        ReasonNotACode = "validation_failed", "reason: of an erasure is a code of 1 to 64 of a-z, 0-9 and _, and says nothing about the person";
        /// Who asks does not decide (INV-48).
        SecondApproverRequired = "second_approver_required", "another member of staff than the one who asked must decide";
        /// It was decided already.
        NotPending {
            /// Where it is.
            status: &'static str,
        } = "approval_not_pending", "the approval is {status}";
        /// Everybody signs, or the operator had a key once, and he has none now.
        KeyRequired = "operator_key_required", "the operator signs with a key of his own, and none is registered";
        /// The operator has a key and did not use it.
        SignatureRequired = "operator_signature_required", "the operator has a key of his own, and has not signed";
        /// It is not his, or he signed something else.
        SignatureInvalid = "operator_signature_invalid", "signature: is not the operator's over this very statement";
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
            (Absent, Command::Request { approval_id, subject, said, signing }) => {
                let Said { by, reason } = said.about(&subject)?;
                let mut requested = ApprovalRequested { approval_id, subject: *subject, by, reason, signed: None };
                let statement_json = Approval::request_statement(&signing.log, &requested);
                let signature = signing.over(&statement_json)?;
                requested.signed = signature.map(|signature| SignedRequest { statement_json, signature });
                Ok(vec![requested.into()])
            }
            (_, Command::Request { .. }) => Err(Rejection::AlreadyExists),
            (Absent, _) => Err(Rejection::NotFound),

            (Pending(requested), Command::Approve { said, requested_event, signing }) => {
                let Said { by, reason } = said.second(requested)?;
                let stated = state.decision_statement(&signing.log, &by, &reason);
                let (request_json, decision_json) = stated.ok_or(Rejection::NotPending { status: state.status() })?;
                let request = requested.signed.as_ref().map(|signed| signed.signature.clone());
                let signed = signing.over(&decision_json)?.map(|decision| SignedDecision {
                    requested_event,
                    request_json,
                    request,
                    decision_json,
                    decision,
                });
                Ok(vec![ApprovalApproved { approval_id: requested.approval_id, by, reason, signed }.into()])
            }
            (Pending(requested), Command::Reject(said)) => {
                let Said { by, reason } = said.second(requested)?;
                Ok(vec![ApprovalRejected { approval_id: requested.approval_id, by, reason }.into()])
            }
            (_, Command::Approve { .. } | Command::Reject(_)) => Err(Rejection::NotPending { status: state.status() }),

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
            (Pending(requested), Event::ApprovalApproved(approved)) => Approved { requested, approved: approved.clone().into() },
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

    /// Said of that; of an erasure only by a code, since a person may be who the words are about.
    fn about(self, subject: &ApprovalSubject) -> Result<Said, Rejection> {
        let said = self.for_approval()?;
        match subject {
            ApprovalSubject::SubjectErasure(_) if !is_code(&said.reason) => Err(Rejection::ReasonNotACode),
            _ => Ok(said),
        }
    }

    /// Said by another than the one who asked.
    fn second(self, requested: &ApprovalRequested) -> Result<Said, Rejection> {
        match self.by == requested.by {
            true => Err(Rejection::SecondApproverRequired),
            false => self.about(&requested.subject),
        }
    }
}
