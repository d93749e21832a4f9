//! Data subjects: erasure destroys the key that seals a person's data; every proof still verifies.

use crate::check::{filled, is_code, rejections};
use events::{
    decider::Decider,
    vocab::{
        event::{ErasureApproval, Event, SubjectErased},
        id::SubjectId,
        stream::Fact,
    },
};

/// A data subject.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Subject {
    /// His data can be read.
    #[default]
    Readable,
    /// It cannot, for good.
    Erased,
}

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Forget him.
    Erase {
        /// Who.
        subject_id: SubjectId,
        /// A stable code, never words about the person: it stays in the log.
        reason: String,
        /// That two people agreed.
        approval: Option<ErasureApproval>,
    },
}

rejections! {
    /// Why an erasure is refused.
    pub enum Rejection {
        /// No reason, or one that could say something about the person.
        ReasonRequired = "reason_required", "reason: is a code of 1 to 64 of a-z, 0-9 and _";
    }
}

impl Decider for Subject {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match (state, command) {
            (Subject::Readable, Command::Erase { subject_id, reason, approval }) => {
                let reason = filled(&reason).filter(|reason| is_code(reason)).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![SubjectErased { subject_id, reason, approval }.into()])
            }
            (Subject::Erased, Command::Erase { .. }) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match event {
            Event::SubjectErased(_) => Subject::Erased,
            _ => state,
        }
    }
}
