//! Random appends whose outcomes can be checked afterwards against the log they left behind.

use events::{
    clock::{new_id, random_bytes},
    log::{Append, AppendError, Context, Expected, IdempotencyRow, Log, NewEvent, StreamWrite},
    vocab::{
        bytes::{Hash32, TxSignature},
        event::{Event, ProofFingerprinted, VerificationAttempted, WebhookEndpointDisabled},
        id::{EventId, OwnerId},
        money::Minor,
        rail::RailId,
        stream::{Actor, Category, StreamId},
        words::{Outcome, Trigger},
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The workspace of every history.
pub const OWNER: OwnerId = OwnerId(Uuid::from_u128(0xA11CE));
/// The operation of every idempotency key.
pub const OPERATION: &str = "POST /history";

/// What one append does to one stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Write {
    /// Which of the few streams.
    pub stream: u8,
    /// What it does.
    pub kind: Kind,
    /// What it expects of it.
    pub expected: Expectation,
    /// The event's id.
    pub event_id: Uuid,
}

/// What a write expects of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expectation {
    /// Anything.
    Any,
    /// No event yet.
    New,
    /// This last version.
    At(u64),
}

/// What happens to the stream.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// Nothing unique.
    Plain,
    /// Takes a fingerprint.
    Take(u8),
    /// Gives a fingerprint back, if the stream holds it.
    Release(u8),
}

/// One append, what came of it, and the positions between which it was decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its writes.
    pub writes: Vec<Write>,
    /// Its idempotency key, one of a few.
    pub key: Option<u8>,
    /// Number of events in the log before it was sent.
    pub before: u64,
    /// And after it was answered.
    pub after: u64,
    /// What came of it.
    pub outcome: End,
}

/// What came of an append.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Its first position.
    Done(u64),
    /// The stream and the version it was at.
    Conflict(String, Option<u64>),
    /// The stream that holds the claim.
    ClaimTaken(String),
    /// The key has an answer.
    Answered,
}

/// The stream of that number: fingerprints belong to proofs, the rest to endpoints.
pub fn stream(write: &Write) -> StreamId {
    let category = match write.kind {
        Kind::Plain => Category::WebhookEndpoint,
        Kind::Take(_) | Kind::Release(_) => Category::Proof,
    };
    StreamId::new(category, Uuid::from_u128(u128::from(write.stream)))
}

/// A fingerprint of a few.
pub fn fingerprint(number: u8) -> Hash32 {
    Hash32([number; 32])
}

fn expected(write: &Write) -> Expected {
    match write.expected {
        Expectation::Any => Expected::Any,
        Expectation::New => Expected::NoStream,
        Expectation::At(version) => Expected::Version(version),
    }
}

fn event(write: &Write) -> Event {
    let id = Uuid::from_u128(u128::from(write.stream));
    match write.kind {
        Kind::Plain => WebhookEndpointDisabled { endpoint_id: id.into(), reason: "history".into() }.into(),
        Kind::Take(number) => ProofFingerprinted {
            proof_id: id.into(),
            fingerprint: fingerprint(number),
            rail_id: RailId::SolanaUsdc,
            network: "solana:test".into(),
            tx_signature: Some(TxSignature([number; 64])),
            session_id: None,
            payment_id: id.into(),
            entitlement_id: None,
            access_product_id: None,
            product_id: id.into(),
            subject_id: id.into(),
            amount: Minor::ZERO,
            requirement_hash: None,
            trigger: Trigger::Proof,
            requirement_event: id.into(),
            x402: None,
        }
        .into(),
        Kind::Release(number) => VerificationAttempted {
            proof_id: id.into(),
            payment_id: id.into(),
            session_id: None,
            rail_id: RailId::SolanaUsdc,
            fingerprint: fingerprint(number),
            attempt: 1,
            verifier: "history".into(),
            trigger: Trigger::Proof,
            outcome: Outcome::Failed,
            reason: Some("wrong_memo".into()),
            observed: None,
            proof_event: id.into(),
        }
        .into(),
    }
}

/// The append of these writes.
pub fn append(writes: &[Write], key: Option<u8>) -> Append {
    let write = |write: &Write| StreamWrite {
        stream: stream(write),
        expected: expected(write),
        events: vec![NewEvent { event_id: EventId(write.event_id), event: event(write), personal: None, causation_id: None }],
    };
    Append {
        context: Context {
            owner_id: Some(OWNER),
            livemode: false,
            actor: Actor::system("history"),
            request_id: None,
            correlation_id: Uuid::from_u128(1),
        },
        writes: writes.iter().map(write).collect(),
        idempotency: key.map(|key| IdempotencyRow {
            owner_id: OWNER,
            operation: OPERATION.into(),
            key: key.to_string(),
            request_hash: [key; 32],
            status: 201,
            body: vec![key],
        }),
    }
}

/// A random append over few streams, fingerprints and keys, so that appends meet.
pub fn random_writes() -> (Vec<Write>, Option<u8>) {
    let [count, key, keyed, ..] = random_bytes::<8>();
    let writes = (0..1 + count % 3).map(|_| random_write()).collect();
    (writes, (keyed % 8 == 0).then_some(key % 200))
}

fn random_write() -> Write {
    let [stream, kind, number, expected, version, ..] = random_bytes::<8>();
    let kind = match kind % 4 {
        0 | 1 => Kind::Plain,
        2 => Kind::Take(number % 6),
        _ => Kind::Release(number % 6),
    };
    let expected = match expected % 8 {
        0 => Expectation::New,
        1 | 2 => Expectation::At(u64::from(version % 40)),
        _ => Expectation::Any,
    };
    Write { stream: stream % 8, kind, expected, event_id: new_id() }
}

/// Sends one random append and records what came of it.
pub async fn step(log: &Log) -> Record {
    let (writes, key) = random_writes();
    let before = log.head().await.unwrap().next_position;
    let outcome = log.append(append(&writes, key)).await;
    let after = log.head().await.unwrap().next_position;
    let outcome = match outcome {
        Ok(appended) => End::Done(appended.first_position),
        Err(AppendError::Conflict { stream, actual, .. }) => End::Conflict(stream.to_string(), actual),
        Err(AppendError::ClaimTaken { holder, .. }) => End::ClaimTaken(holder.to_string()),
        Err(AppendError::Answered(_)) => End::Answered,
        Err(other) => panic!("{other}: {:?}", std::error::Error::source(&other)),
    };
    Record { writes, key, before, after, outcome }
}
