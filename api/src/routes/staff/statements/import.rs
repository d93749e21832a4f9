//! `POST …/reconciliation/statements`: a file is read whole or refused by line and column, held against what the log says of the account,
//! and put on record with what came of it. The same file again says nothing new.

use super::{super::Act, view::StatementView};
use crate::{
    http::{
        answers,
        auth::{Auth, Staff},
        body::{BodyLimit, Params, RawBody},
        fresh::{Fresh, MinPosition},
        idempotency::{Answer, Commands, Draft, OptionalKey},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    state::{Settings, State},
};
use axum::{
    extract::{FromRef, FromRequest, FromRequestParts as _, Request, State as Part},
    response::Response,
};
use events::{
    log::Log,
    unit::Unit,
    vocab::{
        bytes::{Hash32, Malformed, SolanaAddress},
        time::Timestamp,
        words::{StatementFormat, StatementSource},
    },
};
use ledger::statement::{self, Command, Import, Item, Leg, MOST_ENTRIES, Scope, Statement};
use projections::{Reader, movements};
use serde::Deserialize;
use std::{collections::BTreeSet, str::FromStr, sync::Arc};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(import))
}

/// Bytes that a file may have at most.
const MOST_BYTES: usize = 8 << 20;
/// Legs that are looked at: more than there can be entries, and fewer than would weigh on the process.
const MOST_LEGS: usize = 2 * MOST_ENTRIES;

/// What the file is a statement of.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StatementOf {
    /// `solana_usdc` or `stripe`.
    source: String,
    /// The wallet, or the account's id at Stripe (`acct_…`).
    account: String,
    /// `USDC` or `SOL` on Solana; at Stripe a currency by ISO 4217 in lower case.
    asset: String,
    /// USDC's mint; the deployment's own unless told.
    mint: Option<String>,
    /// Whether it concerns real money; `true` unless told.
    livemode: Option<bool>,
    /// The first moment that the statement covers, RFC 3339.
    from: String,
    /// The first moment that it does not cover any more, RFC 3339.
    to: String,
    /// `csv`, `json`, `solana_rpc` or `stripe_csv`.
    format: String,
}

/// A file, and what is said of it.
struct Upload {
    act: Act,
    of: StatementOf,
    file: Vec<u8>,
}

impl<S> FromRequest<S> for Upload
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let staff = Staff::from_request_parts(&mut parts, state).await?;
        let OptionalKey(key) = OptionalKey::from_request_parts(&mut parts, state).await?;
        let Ok(request_id) = RequestId::from_request_parts(&mut parts, state).await;
        let Params(of) = Params::<StatementOf>::from_request_parts(&mut parts, state).await?;
        let name = format!("{} {}", parts.method, parts.uri.path());
        let query = Hash32::of(parts.uri.query().unwrap_or_default());
        parts.extensions.insert(BodyLimit(MOST_BYTES));
        let RawBody(file) = RawBody::from_request(Request::from_parts(parts, body), state).await?;
        let hash = Hash32::of([query.0, Hash32::of(&file).0].concat()).0;
        Ok(Upload { act: Act { staff, request_id, name, key, hash }, of, file })
    }
}

/// What an import needs.
#[derive(Clone)]
struct Importer {
    commands: Commands,
    log: Log,
    reader: Reader,
    fresh: Fresh,
    settings: Arc<Settings>,
}

impl FromRef<State> for Importer {
    fn from_ref(state: &State) -> Self {
        Importer {
            commands: state.commands.clone(),
            log: state.log.clone(),
            reader: state.reader.clone(),
            fresh: state.fresh.clone(),
            settings: state.settings.clone(),
        }
    }
}

fn word<T: FromStr<Err = Malformed>>(field: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|Malformed(rule)| Problem::field(Code::ValidationFailed, field, rule))
}

fn time(field: &str, text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text).map_err(|_| Problem::field(Code::ValidationFailed, field, "is a time by RFC 3339"))
}

impl StatementOf {
    fn scope(&self, usdc: SolanaAddress) -> Result<Scope, Problem> {
        let invalid = |invalid: statement::ScopeInvalid| Problem::field(Code::ValidationFailed, invalid.field, invalid.rule);
        let source: StatementSource = word("source", &self.source)?;
        let mint = self.mint.as_deref().map(|mint| word("mint", mint)).transpose()?;
        let scope = Scope {
            source,
            account: self.account.clone(),
            asset: statement::asset(source, &self.asset, mint.unwrap_or(usdc)).map_err(invalid)?,
            livemode: self.livemode.unwrap_or(true),
            period_start: time("from", &self.from)?,
            period_end: time("to", &self.to)?,
        };
        scope.checked().map_err(invalid)
    }
}

impl Importer {
    /// What the log says of the account, and the position up to which it was asked.
    async fn ledger(&self, scope: &Scope, items: &[Item]) -> Result<(Vec<Leg>, u64), Problem> {
        self.fresh.wait("movements", None, MinPosition(None).or_head(&self.log)).await?;
        let references: BTreeSet<&str> = items.iter().map(|item| item.reference.as_str()).collect();
        let period = (scope.period_start, scope.period_end);
        let asked = movements::Asked {
            references: references.into_iter().map(str::to_owned).collect(),
            limit: u32::try_from(MOST_LEGS + 1).unwrap_or(u32::MAX),
            ..movements::Asked::of(scope.source, &scope.account, scope.asset.clone(), scope.livemode, period)
        };
        let found = movements::moved(&self.reader, &asked).await.map_err(rejection::query)?;
        if found.items.len() > MOST_LEGS {
            return Err(refused(statement::Rejection::TooLarge));
        }
        let through = u64::try_from(found.checkpoint);
        let through = through.map_err(|_| Problem::new(Code::ProjectionBehind, "the log has no event yet").retry_after(1))?;
        let legs = found.items.iter().filter_map(|row| row.leg_at(through)).map(|(reference, leg)| Leg { reference, leg });
        Ok((legs.collect(), through))
    }
}

fn refused(refused: statement::Rejection) -> Problem {
    rejection::decided(refused.code(), refused)
}

/// Hold a statement against the log
///
/// The body is the file as it is. It is read whole or not at all, and its SHA-256 becomes part of the log.
#[utoipa::path(post, path = "/v1/admin/access/reconciliation/statements", tag = "admin", operation_id = "import_statement",
    params(StatementOf, ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body(content = String, content_type = "application/octet-stream"), security(("bearer" = [])),
    responses((status = 201, description = "What came of it", body = StatementView),
        (status = 200, description = "The file is on record: what came of it then", body = StatementView), answers::Write))]
async fn import(Part(importer): Part<Importer>, Upload { act, of, file }: Upload) -> Result<Response, Problem> {
    let scope = of.scope(importer.settings.usdc_mint)?;
    let format: StatementFormat = word("format", &of.format)?;
    let items = scope.read(format, &file);
    let items = items.map_err(|unreadable| Problem::field(Code::ValidationFailed, unreadable.place, unreadable.rule))?;
    let (digest, bytes) = (Hash32::of(&file), file.len() as u64);
    drop(file);
    let (importer, act, livemode) = (&importer, &act, scope.livemode);
    importer
        .commands
        .run(act.operation(None), || async {
            let mut unit = Unit::new(&importer.log, act.context(None, livemode));
            let known = unit.load::<Statement>(statement::stream(scope.statement(&digest))).await;
            let mut known = known.map_err(|error| rejection::read(&error))?;
            let (legs, through_position) = match known.is_new() {
                true => importer.ledger(&scope, &items).await?,
                false => (Vec::new(), 0),
            };
            let (scope, items, by) = (scope.clone(), items.clone(), act.staff.id().to_owned());
            let import = Import { scope, format, digest, bytes, items, legs, through_position, by };
            unit.decide(&mut known, Command::Import(Box::new(import)), None).map_err(refused)?;
            let Statement::Imported(imported) = &known.state else { return Err(Problem::of(Code::Internal)) };
            let answer = StatementView::of_event(imported, livemode, known.created_at);
            let answer = match known.is_new() {
                true => Answer::created(answer)?.stamped(),
                false => Answer::ok(answer)?,
            };
            Ok(Draft { unit, answer })
        })
        .await
}
