//! A recovery that an operator has certified: his statement of what was rebuilt and what the log and the read models came to.

use crate::check::rejections;
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::{Event, RecoveryCertified},
        stream::{Category, Fact, StreamId},
    },
};

/// A certified recovery.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Recovery {
    /// Not on record.
    #[default]
    Absent,
    /// On record, for good.
    Certified(Box<RecoveryCertified>),
}

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Put the certificate on record.
    Certify(Box<RecoveryCertified>),
}

rejections! {
    /// Why it is refused.
    pub enum Rejection {
        /// The operator is not named by an opaque id.
        OperatorInvalid = "operator_invalid", "operator is an id of 1 to 64 of a-z, 0-9, ., _ and -, never a name or an address";
        /// The hash is not that of the certificate.
        HashMismatch = "certificate_hash_mismatch", "the hash is not that of the certificate";
        /// The recovery has a certificate.
        AlreadyCertified = "already_certified", "the recovery is certified";
    }
}

impl Decider for Recovery {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Certify(certified) = command;
        if !is_operator(&certified.operator) {
            return Err(Rejection::OperatorInvalid);
        }
        if Hash32::of(&certified.certificate_json) != certified.certificate_hash {
            return Err(Rejection::HashMismatch);
        }
        match state {
            Recovery::Absent => Ok(vec![(*certified).into()]),
            Recovery::Certified(known) if **known == *certified => Ok(vec![]),
            Recovery::Certified(_) => Err(Rejection::AlreadyCertified),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Recovery::Absent, Event::RecoveryCertified(certified)) => Recovery::Certified(Box::new(certified.clone())),
            (state, _) => state,
        }
    }
}

/// The stream of a recovery.
pub fn stream(certified: &RecoveryCertified) -> StreamId {
    StreamId::new(Category::Recovery, certified.recovery_id)
}

/// Whether a text is an opaque id: it stays in the log, which holds no names and no addresses.
pub fn is_operator(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&text.len()) && text.chars().all(allowed)
}
