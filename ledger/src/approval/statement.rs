//! What operators sign: canonical JSON (RFC 8785), each kind under a name of its own, so that no signature passes for one of another
//! kind, another log, another approval or another decision.

use super::{Approval, Rejection};
use crate::{
    Cited,
    operator::{Operator, kid, signed, verifying_key},
};
use events::vocab::{
    bytes::{Hash32, Signature64},
    event::{
        ApprovalApproved, ApprovalRequested, ApprovalSubject, OperatorKeyRegistered, OperatorSignature, SignedDecision, SignedRequest,
    },
    id::{ApprovalId, EventId},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The form of [`RequestStatement`].
pub const REQUEST_FORM: &str = "hilt-approval-request/1";
/// The form of [`DecisionStatement`].
pub const DECISION_FORM: &str = "hilt-approval-decision/1";
/// The form of [`KeyStatement`].
pub const KEY_FORM: &str = "hilt-operator-key/1";
/// The decision that is signed. Who does not agree need sign nothing: a refusal takes effect of nothing.
pub const APPROVED: &str = "approved";

/// That an operator asks for something.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestStatement {
    /// [`REQUEST_FORM`].
    pub form: String,
    /// The log's name in its checkpoints.
    pub log: String,
    /// The approval.
    pub approval_id: ApprovalId,
    /// The action, and everything that is to be approved.
    pub subject: ApprovalSubject,
    /// The operator.
    pub requested_by: String,
    /// Why.
    pub reason: String,
}

/// That another agrees.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionStatement {
    /// [`DECISION_FORM`].
    pub form: String,
    /// The log's name in its checkpoints.
    pub log: String,
    /// The approval.
    pub approval_id: ApprovalId,
    /// SHA-256 of the canonical [`RequestStatement`].
    pub request_sha256: Hash32,
    /// [`APPROVED`].
    pub decision: String,
    /// The operator.
    pub decided_by: String,
    /// Why.
    pub reason: String,
}

/// That a key is an operator's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyStatement {
    /// [`KEY_FORM`].
    pub form: String,
    /// The log's name in its checkpoints.
    pub log: String,
    /// The operator.
    pub operator: String,
    /// The Ed25519 public key, hex.
    pub public_key: Hash32,
}

impl RequestStatement {
    /// That `requested` is asked for, in the log of that name.
    pub fn of(log: &str, requested: &ApprovalRequested) -> Self {
        RequestStatement {
            form: REQUEST_FORM.to_owned(),
            log: log.to_owned(),
            approval_id: requested.approval_id,
            subject: requested.subject.clone(),
            requested_by: requested.by.clone(),
            reason: requested.reason.clone(),
        }
    }
    /// The bytes that are signed.
    pub fn canonical(&self) -> String {
        canonical(self)
    }
}

impl DecisionStatement {
    /// That `by` agrees to what `request` is the canonical statement of.
    pub fn approval(log: &str, approval_id: ApprovalId, request: &str, by: &str, reason: &str) -> Self {
        DecisionStatement {
            form: DECISION_FORM.to_owned(),
            log: log.to_owned(),
            approval_id,
            request_sha256: Hash32::of(request),
            decision: APPROVED.to_owned(),
            decided_by: by.to_owned(),
            reason: reason.to_owned(),
        }
    }
    /// The bytes that are signed.
    pub fn canonical(&self) -> String {
        canonical(self)
    }
}

impl KeyStatement {
    /// That the key is the operator's, in the log of that name.
    pub fn new(log: &str, operator: &str, public_key: Hash32) -> Self {
        KeyStatement { form: KEY_FORM.to_owned(), log: log.to_owned(), operator: operator.to_owned(), public_key }
    }
    /// The bytes that are signed.
    pub fn canonical(&self) -> String {
        canonical(self)
    }
}

/// Whether `text` is, byte for byte, a statement that operators sign; and which form it has.
pub fn form_of(text: &str) -> Option<&'static str> {
    if read::<RequestStatement>(text).is_some_and(|it| it.form == REQUEST_FORM) {
        return Some(REQUEST_FORM);
    }
    if read::<DecisionStatement>(text).is_some_and(|it| it.form == DECISION_FORM && it.decision == APPROVED) {
        return Some(DECISION_FORM);
    }
    read::<KeyStatement>(text).filter(|it| it.form == KEY_FORM).map(|_| KEY_FORM)
}

/// The statement that `text` is, byte for byte.
pub(crate) fn read<T: DeserializeOwned + Serialize>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok().filter(|statement| canonical(statement) == text)
}

fn canonical(statement: &impl Serialize) -> String {
    let bytes = serde_json_canonicalizer::to_vec(statement).expect("texts, ids and integers below 2^53 have a canonical form");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// What is known of the operator who speaks, and what he signed.
#[derive(Clone, PartialEq, Debug)]
pub struct Signing {
    /// The log's name in its checkpoints.
    pub log: String,
    /// The event that registered his key; `None` while he has none.
    pub key_event: Option<EventId>,
    /// His keys.
    pub operator: Operator,
    /// Whether everybody must sign.
    pub required: bool,
    /// What he signed, if he did.
    pub signature: Option<Signature64>,
}

impl Signing {
    /// His signature over `statement`; `None` where he has no key and needs none.
    pub(super) fn over(&self, statement: &str) -> Result<Option<OperatorSignature>, Rejection> {
        let key = self.key()?;
        match (key, self.signature) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Rejection::KeyRequired),
            (Some(_), None) => Err(Rejection::SignatureRequired),
            (Some(Cited { id, event }), Some(ed25519_sig)) => {
                let public_key = event.public_key;
                let signs = verifying_key(&public_key).is_some_and(|key| signed(&key, statement, &ed25519_sig));
                let signature = OperatorSignature { operator: event.operator, kid: event.kid, public_key, key_event: id, ed25519_sig };
                if signs { Ok(Some(signature)) } else { Err(Rejection::SignatureInvalid) }
            }
        }
    }

    fn key(&self) -> Result<Option<Cited<OperatorKeyRegistered>>, Rejection> {
        match (&self.operator.active, self.key_event) {
            (Some(active), Some(id)) => Ok(Some(Cited::new(id, (**active).clone()))),
            _ if self.required || self.operator.ever_had_a_key() => Err(Rejection::KeyRequired),
            _ => Ok(None),
        }
    }
}

impl Approval {
    /// What the operator who asks signs, if it was not asked for yet.
    pub fn request_statement(log: &str, requested: &ApprovalRequested) -> String {
        RequestStatement::of(log, requested).canonical()
    }

    /// What the operator who agrees signs, while it waits for him; and what it is about.
    pub fn decision_statement(&self, log: &str, by: &str, reason: &str) -> Option<(String, String)> {
        let Approval::Pending(requested) = self else { return None };
        let request = asked(log, requested);
        let decision = DecisionStatement::approval(log, requested.approval_id, &request, by, reason.trim()).canonical();
        Some((request, decision))
    }
}

/// The statement of what was asked for: as it was signed, if it was.
pub(super) fn asked(log: &str, requested: &ApprovalRequested) -> String {
    match &requested.signed {
        Some(signed) => signed.statement_json.clone(),
        None => RequestStatement::of(log, requested).canonical(),
    }
}

/// Whether what is on record of a request is what its operator signed.
pub fn check_requested(requested: &ApprovalRequested) -> Result<(), &'static str> {
    let Some(SignedRequest { statement_json, signature }) = &requested.signed else { return Ok(()) };
    let stated: RequestStatement = read(statement_json).ok_or("the statement is not one of a request")?;
    if stated != RequestStatement::of(&stated.log, requested) {
        return Err("the statement is of another request");
    }
    by(signature, &requested.by, statement_json)
}

/// Whether what is on record of an approval is what both operators signed.
pub fn check_approved(approved: &ApprovalApproved) -> Result<(), &'static str> {
    let Some(SignedDecision { request_json, request, decision_json, decision, .. }) = &approved.signed else { return Ok(()) };
    let asked: RequestStatement = read(request_json).ok_or("the statement is not one of a request")?;
    if asked.form != REQUEST_FORM || asked.approval_id != approved.approval_id {
        return Err("the statement is of another approval");
    }
    let decided = DecisionStatement::approval(&asked.log, approved.approval_id, request_json, &approved.by, &approved.reason);
    if decided.canonical() != *decision_json {
        return Err("the decision is of another request, or says something else than its event");
    }
    by(decision, &approved.by, decision_json)?;
    let Some(request) = request else { return Ok(()) };
    by(request, &asked.requested_by, request_json)?;
    match request.operator == decision.operator || request.public_key == decision.public_key {
        true => Err("one operator or one key signed for both"),
        false => Ok(()),
    }
}

fn by(signature: &OperatorSignature, operator: &str, statement: &str) -> Result<(), &'static str> {
    if signature.operator != operator || signature.kid != kid(&signature.public_key) {
        return Err("the signature is said to be of another operator or another key");
    }
    let key = verifying_key(&signature.public_key).ok_or("the key is not an Ed25519 public key")?;
    match signed(&key, statement, &signature.ed25519_sig) {
        true => Ok(()),
        false => Err("the signature is not the operator's"),
    }
}

/// What a request says, whichever log it is signed for: 16 bytes by which a decision that is about it can be told from others.
pub fn digest_of_request(requested: &ApprovalRequested) -> [u8; 16] {
    digest(RequestStatement::of("", requested))
}

/// The same of what a decision says it is about; `None` when that is no request.
pub fn digest_of_decision(signed: &SignedDecision) -> Option<[u8; 16]> {
    read::<RequestStatement>(&signed.request_json).map(|statement| digest(RequestStatement { log: String::new(), ..statement }))
}

fn digest(statement: RequestStatement) -> [u8; 16] {
    let Hash32(hash) = Hash32::of(statement.canonical());
    let mut out = [0; 16];
    out.copy_from_slice(&hash[..16]);
    out
}
