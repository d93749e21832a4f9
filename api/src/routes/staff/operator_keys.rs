//! Operators' own keys: registered and retired by the operator himself, and seen by every other.

use super::Order;
use crate::{
    http::{
        answers,
        auth::LogReader,
        idempotency::{Answer, Commands, Draft},
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part, response::Response};
use events::{
    log::Log,
    proof::Checkpointer,
    unit::{Loaded, Unit, load},
    vocab::bytes::{Hash32, Malformed, Signature64},
};
use ledger::operator::{Command, Operator, Rejection, kid, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(register)).routes(routes!(retire)).routes(routes!(get))
}

/// A key of the caller's own.
#[derive(Deserialize, ToSchema)]
struct NewKey {
    /// The Ed25519 public key: 64 hexadecimal digits.
    public_key: String,
    /// Base64 of the key's signature over `{"form":"hilt-operator-key/1","log":…,"operator":…,"public_key":…}`, canonical (RFC 8785);
    /// `hilt operator key` makes both.
    signature: String,
}

/// Why a key is retired.
#[derive(Deserialize, ToSchema)]
struct Retirement {
    /// A code, such as `lost` or `replaced`.
    reason: Option<String>,
}

/// An operator's keys.
#[derive(Serialize, ToSchema)]
struct KeysView {
    operator: String,
    /// The key that he signs with; null while he has none.
    key: Option<KeyView>,
    /// Keys that count no more.
    retired: Vec<KeyView>,
    /// Whether what he asks for and approves must be signed: so it is for good once he has registered a key.
    must_sign: bool,
}

/// A key.
#[derive(Serialize, ToSchema)]
struct KeyView {
    /// First 16 hexadecimal digits of its SHA-256.
    kid: String,
    /// Ed25519, hex.
    #[schema(value_type = String)]
    public_key: Hash32,
}

impl KeyView {
    fn new(public_key: Hash32) -> Self {
        KeyView { kid: kid(&public_key), public_key }
    }
}

impl KeysView {
    fn new(operator: &str, keys: &Operator) -> Self {
        KeysView {
            operator: operator.to_owned(),
            key: keys.active.as_ref().map(|active| KeyView::new(active.public_key)),
            retired: keys.retired.iter().copied().map(KeyView::new).collect(),
            must_sign: keys.ever_had_a_key(),
        }
    }
}

/// The keys of that operator, as the log has them.
pub(super) async fn keys(log: &Log, operator: &str) -> Result<Loaded<Operator>, Problem> {
    load::<Operator>(log, stream(operator)).await.map_err(|error| rejection::read(&error))
}

fn refused(refused: Rejection) -> Problem {
    rejection::decided(refused.code(), refused)
}

/// Register a key of one's own
///
/// The service never sees the private part. From then on, and for good, what the operator asks for and approves must be signed.
#[utoipa::path(post, path = "/v1/admin/access/operator-keys", tag = "admin", operation_id = "register_operator_key",
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = NewKey, security(("bearer" = [])),
    responses((status = 201, description = "The operator's keys", body = KeysView), answers::Write))]
async fn register(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(checkpointer): Part<Checkpointer>,
    Order { act, asked }: Order<NewKey>,
) -> Result<Response, Problem> {
    let malformed = |field| move |rule: Malformed| Problem::field(Code::ValidationFailed, field, rule.to_string());
    let public_key: Hash32 = asked.public_key.parse().map_err(malformed("public_key"))?;
    let signature: Signature64 = asked.signature.parse().map_err(malformed("signature"))?;
    commands
        .run(act.operation(None), || async {
            let mut unit = Unit::new(&log, act.context(None, true));
            let operator = act.staff.id().to_owned();
            let mut known = keys(&log, &operator).await?;
            let cause = known.last_event;
            let log = checkpointer.origin().to_owned();
            let command = Command::Register { operator: operator.clone(), log, public_key, signature };
            unit.decide(&mut known, command, cause).map_err(refused)?;
            Ok(Draft { unit, answer: Answer::created(KeysView::new(&operator, &known.state))? })
        })
        .await
}

/// Retire one's own key
///
/// What it signed stays signed. Another must be registered before the operator can ask for an approval or give one.
#[utoipa::path(post, path = "/v1/admin/access/operator-keys/retire", tag = "admin", operation_id = "retire_operator_key",
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Retirement, security(("bearer" = [])),
    responses((status = 200, description = "The operator's keys", body = KeysView), answers::Write))]
async fn retire(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Order { act, asked }: Order<Retirement>,
) -> Result<Response, Problem> {
    commands
        .run(act.operation(None), || async {
            let mut unit = Unit::new(&log, act.context(None, true));
            let operator = act.staff.id().to_owned();
            let mut known = keys(&log, &operator).await?;
            let cause = known.last_event;
            let command = Command::Retire { operator: operator.clone(), reason: asked.reason.clone().unwrap_or_default() };
            unit.decide(&mut known, command, cause).map_err(refused)?;
            Ok(Draft { unit, answer: Answer::ok(KeysView::new(&operator, &known.state))? })
        })
        .await
}

/// An operator's keys
#[utoipa::path(get, path = "/v1/admin/access/operator-keys/{operator}", tag = "admin", operation_id = "get_operator_keys",
    params(("operator" = String, Path)), security(("bearer" = [])),
    responses((status = 200, description = "His keys", body = KeysView), answers::ReadOne))]
async fn get(Part(log): Part<Log>, _reader: LogReader, operator: Segment) -> Result<Json<KeysView>, Problem> {
    let known = keys(&log, &operator.0).await?;
    match known.is_new() {
        true => Err(Problem::of(Code::OperatorKeyNotFound)),
        false => Ok(Json(KeysView::new(&operator.0, &known.state))),
    }
}
