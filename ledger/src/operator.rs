//! Operators' own keys: a member of staff registers the public part of a key that the service never holds, and from then on signs what
//! he asks for and what he approves (INV-48). Who ever had a key signs for good: retiring one takes no signature away, it asks for
//! another key.

use crate::{
    approval::statement::{self, KeyStatement},
    check::{filled, is_code, rejections},
    recovery::is_operator,
};
use ed25519_dalek::{Signature, VerifyingKey};
use events::{
    decider::Decider,
    vocab::{
        bytes::{Hash32, Signature64},
        event::{Event, OperatorKeyRegistered, OperatorKeyRetired},
        id::OperatorId,
        stream::{Category, Fact, StreamId},
    },
};

/// A member of staff, and his keys.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Operator {
    /// The key that he signs with now.
    pub active: Option<Box<OperatorKeyRegistered>>,
    /// Keys that count no more.
    pub retired: Vec<Hash32>,
}

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// A key is his.
    Register {
        /// The member of staff.
        operator: String,
        /// The log's name: a signature for one log is worth nothing in another.
        log: String,
        /// The Ed25519 public key.
        public_key: Hash32,
        /// Made with it over [`KeyStatement`], which shows that he has it.
        signature: Signature64,
    },
    /// His key counts no more.
    Retire {
        /// The member of staff.
        operator: String,
        /// A stable code, such as `lost`.
        reason: String,
    },
}

rejections! {
    /// Why an operator's key is refused.
    pub enum Rejection {
        /// The member of staff is not named by an opaque id.
        OperatorInvalid = "operator_invalid", "operator is an id of 1 to 64 of a-z, 0-9, ., _ and -, never a name or an address";
        /// He has a key.
        KeyActive = "operator_key_active", "a key is registered: retire it first";
        /// The key was retired.
        KeyRetired = "operator_key_retired", "the key is retired, for good";
        /// The bytes are no key that signatures can be checked with.
        KeyInvalid = "validation_failed", "public_key: is an Ed25519 public key, 64 hexadecimal digits";
        /// He does not have the key, or signed something else.
        SignatureInvalid = "operator_signature_invalid", "signature: is not the key's over the statement that it is this operator's, in this log";
        /// No reason was given, or one that could say something about a person.
        ReasonRequired = "reason_required", "reason: is a code of 1 to 64 of a-z, 0-9 and _";
        /// He has no key.
        KeyRequired = "operator_key_required", "no key is registered";
    }
}

impl Decider for Operator {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match command {
            Command::Register { operator, log, public_key, signature } => {
                if !is_operator(&operator) {
                    return Err(Rejection::OperatorInvalid);
                }
                match &state.active {
                    Some(active) if active.public_key == public_key => return Ok(vec![]),
                    Some(_) => return Err(Rejection::KeyActive),
                    None if state.retired.contains(&public_key) => return Err(Rejection::KeyRetired),
                    None => {}
                }
                let key = verifying_key(&public_key).ok_or(Rejection::KeyInvalid)?;
                let statement_json = KeyStatement::new(&log, &operator, public_key).canonical();
                if !signed(&key, &statement_json, &signature) {
                    return Err(Rejection::SignatureInvalid);
                }
                let operator_id = OperatorId::of(&operator);
                let kid = kid(&public_key);
                Ok(vec![OperatorKeyRegistered { operator_id, operator, kid, public_key, statement_json, ed25519_sig: signature }.into()])
            }
            Command::Retire { operator, reason } => {
                let reason = filled(&reason).filter(|reason| is_code(reason)).ok_or(Rejection::ReasonRequired)?;
                let active = state.active.as_ref().ok_or(Rejection::KeyRequired)?;
                let OperatorKeyRegistered { operator_id, kid, public_key, .. } = (**active).clone();
                Ok(vec![OperatorKeyRetired { operator_id, operator, kid, public_key, reason }.into()])
            }
        }
    }

    fn evolve(mut state: Self, event: &Event) -> Self {
        match event {
            Event::OperatorKeyRegistered(registered) => state.active = Some(Box::new(registered.clone())),
            Event::OperatorKeyRetired(retired) => {
                state.active = None;
                state.retired.push(retired.public_key);
            }
            _ => {}
        }
        state
    }
}

impl Operator {
    /// Whether he has or had a key.
    pub fn ever_had_a_key(&self) -> bool {
        self.active.is_some() || !self.retired.is_empty()
    }
}

/// The stream of an operator's keys.
pub fn stream(operator: &str) -> StreamId {
    StreamId::new(Category::Operator, OperatorId::of(operator))
}

/// First 16 hexadecimal digits of the key's SHA-256.
pub fn kid(public_key: &Hash32) -> String {
    Hash32::of(public_key).to_string().chars().take(16).collect()
}

/// The key of these bytes, if signatures can be checked with it. Keys of small order sign everything, and are none.
pub fn verifying_key(public_key: &Hash32) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&public_key.0).ok().filter(|key| !key.is_weak())
}

/// Whether the key signed these words.
pub fn signed(key: &VerifyingKey, words: &str, signature: &Signature64) -> bool {
    key.verify_strict(words.as_bytes(), &Signature::from_bytes(&signature.0)).is_ok()
}

/// Whether what is on record of a key is what its operator signed, word for word.
pub fn check(registered: &OperatorKeyRegistered) -> Result<(), &'static str> {
    let OperatorKeyRegistered { operator_id, operator, public_key, statement_json, ed25519_sig, .. } = registered;
    let stated: KeyStatement = statement::read(statement_json).ok_or("the statement is not one of an operator's key")?;
    let expected = KeyStatement::new(&stated.log, operator, *public_key).canonical();
    if expected != *statement_json || OperatorId::of(operator) != *operator_id || kid(public_key) != registered.kid {
        return Err("the statement is of another operator or another key");
    }
    let key = verifying_key(public_key).ok_or("the key is not an Ed25519 public key")?;
    match signed(&key, statement_json, ed25519_sig) {
        true => Ok(()),
        false => Err("the key did not sign its registration"),
    }
}
