//! `certificate`: after a rebuild, a statement that an auditor can keep: what was replaced, what it came to before and after, what the
//! log and the read models are now. It is written only if everything holds, signed by the operator with a key of his own, put on
//! record in the log, and checked by anyone with Ed25519.

mod key;

pub use key::{OperatorKey, public_key};

use crate::{
    attest::{OnRecord, attest},
    class::{Doing, Failure},
    progress::Progress,
    state::{Numbers, StateReport, verify_state},
};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use events::{
    clock::new_id,
    log::Context,
    proof::{Checkpointer, TreeHead},
    unit::Unit,
    vocab::{
        bytes::Hash32,
        event::RecoveryCertified,
        id::{EventId, RecoveryId},
        stream::Actor,
        time::Timestamp,
        words::ActorKind,
    },
};
use ledger::recovery::{self, Recovery};
use projections::{runner::Projections, state::canonical};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{FromRow, PgPool};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The form of the certificate.
pub const FORM: &str = "hilt-recovery-certificate/1";

/// Who certifies, and why.
#[derive(Clone, Debug)]
pub struct Certify<'a> {
    /// An opaque id, never a name or an address: it stays in the log.
    pub operator: String,
    /// The operator's key.
    pub key: &'a OperatorKey,
    /// What happened, as a stable code.
    pub reason: String,
    /// Where the files go: this name with `.json`, `.sig` and `.pem`.
    pub file: PathBuf,
}

/// A certificate on record.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Certificate {
    /// The recovery.
    pub recovery_id: RecoveryId,
    /// Its event.
    pub event_id: EventId,
    /// Where it is in the log.
    pub position: u64,
    /// SHA-256 of the certificate's bytes.
    pub certificate_hash: Hash32,
    /// What is certified.
    pub certificate: Value,
    /// The files that were written: the certificate, the signature, the public key.
    pub files: Vec<PathBuf>,
}

/// A swap that no certificate holds yet.
#[derive(FromRow)]
struct Swap {
    id: Uuid,
    name: String,
    version_before: i32,
    version_after: i32,
    checkpoint: i64,
    rows_before: i64,
    rows_after: i64,
    root_before: Vec<u8>,
    root_after: Vec<u8>,
    differences: i64,
    swapped_at: time::OffsetDateTime,
}

/// Holds everything against the log, and certifies the swaps that no certificate holds yet. Refuses when there are none.
pub async fn certify(
    models: &Projections,
    origin: Option<&str>,
    asked: &Certify<'_>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Certificate, Failure> {
    check(asked)?;
    let pool = &models.deps().pool;
    let swaps = pending(pool).await?;
    if swaps.is_empty() {
        return Err(Failure::Input("nothing was rebuilt with --shadow --swap since the last certificate".to_owned()));
    }
    // A number of before the recovery need not hold any more. The tables must, before a new one is put on record; then both do.
    verify_state(pool, &[], Numbers::PassBy, progress).await?;
    let on_record = attest(models).await?;
    let state = verify_state(pool, &[], Numbers::Hold, progress).await?;
    let head = signed(models, origin).await?;
    let recovery_id: RecoveryId = new_id();
    let issued_at = models.deps().log.clock().now();
    let certificate = statement(recovery_id, issued_at, asked, &swaps, &on_record, &state, &head);
    let bytes = canonical(&certificate);
    let (event_id, position) = put_on_record(models, recovery_id, asked, &bytes).await?;
    let ids: Vec<Uuid> = swaps.iter().map(|swap| swap.id).collect();
    sqlx::query(include_str!("sql/certify.sql")).bind(&ids).bind(recovery_id.0).execute(pool).await.doing("noting the certificate")?;
    let files = write(asked, &bytes)?;
    Ok(Certificate { recovery_id, event_id, position, certificate_hash: Hash32::of(&bytes), certificate, files })
}

fn check(asked: &Certify<'_>) -> Result<(), Failure> {
    if !recovery::is_operator(&asked.operator) {
        let rule = recovery::Rejection::OperatorInvalid.to_string();
        return Err(Failure::Input(rule));
    }
    let code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match (1..=64).contains(&asked.reason.len()) && asked.reason.chars().all(code) {
        true => Ok(()),
        false => Err(Failure::Input("reason is a code of 1 to 64 of a-z, 0-9 and _: it stays in the log".to_owned())),
    }
}

async fn pending(pool: &PgPool) -> Result<Vec<Swap>, Failure> {
    sqlx::query_as(include_str!("sql/pending_swaps.sql")).fetch_all(pool).await.doing("looking for what was rebuilt")
}

/// A checkpoint that covers everything up to now, signed by the log's own key under the log's own name.
async fn signed(models: &Projections, origin: Option<&str>) -> Result<TreeHead, Failure> {
    let log = &models.deps().log;
    let known: Option<String> =
        sqlx::query_scalar(include_str!("sql/origin.sql")).fetch_optional(&models.deps().pool).await.doing("reading the log's name")?;
    let known = known.as_deref().and_then(|note| note.lines().next().map(str::to_owned));
    let origin = known.or_else(|| origin.map(str::to_owned));
    let origin =
        origin.ok_or_else(|| Failure::Input("the log has no signed checkpoint yet: give its name with --log-origin".to_owned()))?;
    Checkpointer::new(log.clone(), &origin).sign().await.map_err(|error| Failure::Append(error.into()))
}

fn statement(
    recovery_id: RecoveryId,
    issued_at: Timestamp,
    asked: &Certify<'_>,
    swaps: &[Swap],
    on_record: &OnRecord,
    state: &StateReport,
    head: &TreeHead,
) -> Value {
    let hex = |root: &[u8]| hex::encode(root);
    let rebuilt: Vec<Value> = swaps
        .iter()
        .map(|swap| {
            json!({
                "swap_id": swap.id,
                "projection": swap.name,
                "positions": { "from": 0, "to": swap.checkpoint },
                "before": { "version": swap.version_before, "rows": swap.rows_before, "root": hex(&swap.root_before) },
                "after": { "version": swap.version_after, "rows": swap.rows_after, "root": hex(&swap.root_after) },
                "differences": swap.differences,
                "swapped_at": Timestamp::from(swap.swapped_at),
            })
        })
        .collect();
    let models: Vec<Value> = state
        .models
        .iter()
        .map(|model| json!({ "projection": model.projection, "version": model.version, "position": model.checkpoint, "rows": model.rows, "root": model.root }))
        .collect();
    json!({
        "form": FORM,
        "recovery_id": recovery_id,
        "issued_at": issued_at,
        "reason": asked.reason,
        "operator": { "id": asked.operator, "ed25519_public_key": BASE64.encode(asked.key.public()) },
        "tool": { "name": "hilt-replay", "version": env!("CARGO_PKG_VERSION") },
        "rebuilt": rebuilt,
        "read_models": models,
        "state": { "attestation_id": on_record.attestation_id, "position": on_record.at_position, "root": on_record.root, "form": projections::state::FORM },
        "trial_balance": on_record.trial_balance,
        "checkpoint": { "size": head.size, "root": head.root, "note": head.note },
    })
}

async fn put_on_record(
    models: &Projections,
    recovery_id: RecoveryId,
    asked: &Certify<'_>,
    bytes: &[u8],
) -> Result<(EventId, u64), Failure> {
    let json = String::from_utf8(bytes.to_vec()).map_err(|_| Failure::Unreadable("a certificate that is no text"))?;
    let certified = RecoveryCertified {
        recovery_id,
        operator: asked.operator.clone(),
        operator_key: Hash32(asked.key.public()),
        certificate_hash: Hash32::of(&json),
        ed25519_sig: asked.key.sign(json.as_bytes()),
        certificate_json: json,
    };
    let actor = Actor { kind: ActorKind::Operator, id: Some(asked.operator.clone()) };
    let context = Context { owner_id: None, livemode: true, actor, request_id: None, correlation_id: recovery_id.0 };
    let mut unit = Unit::new(&models.deps().log, context);
    let mut recovery = unit.start::<Recovery>(recovery::stream(&certified));
    let command = recovery::Command::Certify(Box::new(certified));
    let decided = unit.decide(&mut recovery, command, None).map_err(|rejection| Failure::Input(rejection.to_string()))?;
    let appended = unit.commit().await.map_err(|error| Failure::Append(error.into()))?;
    let event_id = decided.first().copied().ok_or(Failure::Unreadable("a certificate without an event"))?;
    Ok((event_id, appended.last_position))
}

/// Three files that `openssl pkeyutl -verify -rawin` takes as they are.
fn write(asked: &Certify<'_>, bytes: &[u8]) -> Result<Vec<PathBuf>, Failure> {
    let file = |ending: &str| PathBuf::from(format!("{}.{ending}", asked.file.display()));
    let write =
        |path: &Path, bytes: &[u8]| std::fs::write(path, bytes).map_err(|error| Failure::Input(format!("{}: {error}", path.display())));
    let (json, signature, key) = (file("json"), file("sig"), file("pem"));
    write(&json, bytes)?;
    write(&signature, &asked.key.sign(bytes).0)?;
    write(&key, asked.key.public_pem().as_bytes())?;
    Ok(vec![json, signature, key])
}
