//! Test clocks: `POST`, `GET`, `DELETE /v1/access/sandbox/test-clocks…` and `…/{id}/advance`. What hangs on a clock lives in the time
//! that it shows, so that a month of access can be tried in seconds. Nothing live can hang on one.

use crate::{
    http::{
        answers,
        auth::Merchant,
        body::{Body, Params},
        fresh::{Fresh, MinPosition},
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::{context, input},
    services::sandbox_time,
    state::State,
};
use axum::{
    Json,
    extract::State as Part,
    response::{IntoResponse as _, Response},
};
use events::{
    clock::new_id,
    log::Log,
    unit::{Unit, load},
    vocab::{bytes::Hash32, id::TestClockId, time::Timestamp},
};
use ledger::test_clock::{Command, Create, TestClock};
use projections::{Reader, test_clocks};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::expire;

/// Rounds of effects that an advance makes itself; what is left then is the sweep's.
const ROUNDS: u32 = 4;
/// What is put on record when a clock goes on is found through these.
const READ_MODELS: [&str; 2] = ["sandbox_sessions", "entitlements"];

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(create_test_clock, list_test_clocks))
        .routes(routes!(get_test_clock, delete_test_clock))
        .routes(routes!(advance_test_clock))
}

/// A test clock to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateTestClock {
    /// The time it shows first, from 2000-01-01 to 2999-12-31.
    #[schema(value_type = String, format = DateTime)]
    pub frozen_time: String,
    /// Your own words for it, at most 200 characters.
    #[schema(example = "renewals")]
    pub name: Option<String>,
}

/// Where a test clock goes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct AdvanceTestClock {
    /// A time later than what it shows.
    #[schema(value_type = String, format = DateTime)]
    pub frozen_time: String,
}

/// A test clock.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestClockView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: TestClockId,
    /// Your own words for it.
    pub name: Option<String>,
    /// The time it shows.
    #[schema(value_type = String, format = DateTime)]
    pub frozen_time: Timestamp,
    /// `ready`; `advancing` while ends up to its time are still put on record; `deleted`.
    #[schema(example = "ready")]
    pub status: &'static str,
    /// Always false.
    pub livemode: bool,
    /// Always true.
    pub sandbox_only: bool,
    /// When it was made, in everybody's time.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Test clocks, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestClockList {
    /// The clocks.
    pub items: Vec<TestClockView>,
    /// All of them.
    pub count: u64,
    /// Whether older ones follow.
    pub has_more: bool,
    /// Where they begin.
    pub next_cursor: Option<String>,
}

/// Which page.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClockParams {
    /// Rows of the page, 1 to 100; 20 when absent.
    pub limit: Option<u32>,
    /// Rows to skip.
    pub offset: Option<u64>,
    /// `next_cursor` of the page before; it wins over `offset`.
    pub cursor: Option<String>,
}

fn view(id: TestClockId, name: Option<String>, frozen_time: Timestamp, status: &'static str, created_at: Timestamp) -> TestClockView {
    TestClockView { id, name, frozen_time, status, livemode: false, sandbox_only: true, created_at }
}

fn of_row(row: test_clocks::TestClock) -> TestClockView {
    view(TestClockId(row.meta.id), row.name, row.frozen_time, "ready", row.meta.created_at)
}

/// Make a test clock.
#[utoipa::path(post, path = "/v1/access/sandbox/test-clocks", tag = "sandbox", operation_id = "create_test_clock",
    params(("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = CreateTestClock, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 201, description = "The clock", body = TestClockView), answers::Write))]
async fn create_test_clock(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<CreateTestClock>,
) -> Result<Response, Problem> {
    let frozen_time = input::instant("frozen_time", &body.frozen_time)?;
    let name = "POST /v1/access/sandbox/test-clocks".to_owned();
    let operation = Operation { owner: merchant.owner, name, key: Some(key), request_hash: hash };
    commands
        .run(operation, || async {
            let id: TestClockId = new_id();
            let mut unit = Unit::new(&log, context(&merchant, false, &request_id));
            let mut clock = unit.start::<TestClock>(sandbox_time::stream(id));
            let create = Create { test_clock_id: id, name: body.name.clone(), frozen_time, livemode: unit.context().livemode };
            unit.decide(&mut clock, Command::Create(create), None).map_err(|refused| rejection::decided(refused.code(), refused))?;
            let TestClock::Frozen { created, frozen_time } = clock.state else { return Err(Problem::of(Code::Internal)) };
            // Its own time stands in until the log has said when it took it.
            let answer = Answer::created(view(id, created.name, frozen_time, "ready", frozen_time))?.stamped();
            Ok(Draft { unit, answer })
        })
        .await
}

/// List test clocks.
#[utoipa::path(get, path = "/v1/access/sandbox/test-clocks", tag = "sandbox", operation_id = "list_test_clocks", params(ClockParams),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of clocks", body = TestClockList), answers::Read))]
async fn list_test_clocks(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Params(params): Params<ClockParams>,
) -> Result<Json<TestClockList>, Problem> {
    let asked = Asked::by_offset(params.limit, params.offset, params.cursor.as_deref())?;
    fresh.wait("test_clocks", Some(merchant.owner), min).await?;
    let page = test_clocks::list(&reader, merchant.owner, asked.window()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    let items = rows.into_iter().map(of_row).collect();
    Ok(Json(TestClockList { items, count, has_more: more.has_more, next_cursor: more.next_cursor }))
}

/// Get a test clock.
#[utoipa::path(get, path = "/v1/access/sandbox/test-clocks/{id}", tag = "sandbox", operation_id = "get_test_clock",
    params(("id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The clock", body = TestClockView), answers::ReadOne))]
async fn get_test_clock(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<TestClockView>, Problem> {
    let id: TestClockId = id.id(Code::TestClockNotFound)?;
    for name in ["test_clocks", "sandbox_sessions", "entitlements"] {
        fresh.wait(name, Some(merchant.owner), min).await?;
    }
    let row = test_clocks::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    let row = row.filter(|row| !row.deleted).ok_or_else(|| Problem::of(Code::TestClockNotFound))?;
    let status = if test_clocks::has_due(&reader, id, row.frozen_time).await.map_err(rejection::query)? { "advancing" } else { "ready" };
    Ok(Json(TestClockView { status, ..of_row(row) }))
}

/// Advance a test clock.
///
/// The answer comes when every end up to the new time is on record, in its order and at its own time; if there are very many, `status`
/// is `advancing` and reading the clock tells when it is `ready`.
#[utoipa::path(post, path = "/v1/access/sandbox/test-clocks/{id}/advance", tag = "sandbox", operation_id = "advance_test_clock",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = AdvanceTestClock, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The clock", body = TestClockView), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn advance_test_clock(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    id: Segment,
    Body { value: body, hash }: Body<AdvanceTestClock>,
) -> Result<Response, Problem> {
    let id: TestClockId = id.id(Code::TestClockNotFound)?;
    let frozen_time = input::instant("frozen_time", &body.frozen_time)?;
    let name = format!("POST /v1/access/sandbox/test-clocks/{id}/advance");
    let operation = Operation { owner: merchant.owner, name, key: Some(key), request_hash: hash };
    let answered = commands.run(operation, || decide(&log, &merchant, &request_id, id, Command::Advance { frozen_time })).await?;
    let ready = make_effects(&log, &reader, &fresh, &merchant, id, frozen_time).await?;
    let row = test_clocks::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    let row = row.ok_or_else(|| Problem::of(Code::TestClockNotFound))?;
    let status = if ready { "ready" } else { "advancing" };
    let mut answer = Json(TestClockView { frozen_time, status, ..of_row(row) }).into_response();
    answer.headers_mut().extend(answered.headers().clone());
    Ok(answer)
}

/// Puts on record what is over by `now` in the clock's time; false when there is more than this request may wait for.
async fn make_effects(
    log: &Log,
    reader: &Reader,
    fresh: &Fresh,
    merchant: &Merchant,
    id: TestClockId,
    now: Timestamp,
) -> Result<bool, Problem> {
    for _ in 0..ROUNDS {
        // Up to what the log holds now: a round sees what the round before made.
        let all = MinPosition(None).or_head(log);
        for name in READ_MODELS.into_iter().chain(["test_clocks"]) {
            fresh.wait(name, Some(merchant.owner), all).await?;
        }
        if expire::on_test_clock(log, reader, id, now).await.map_err(|error| Problem::internal(&error, "put ends on record"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Delete a test clock.
///
/// Nothing new can hang on it. What does stays in the time that it showed last, for good.
#[utoipa::path(delete, path = "/v1/access/sandbox/test-clocks/{id}", tag = "sandbox", operation_id = "delete_test_clock",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The clock, as it was", body = TestClockView), answers::Write))]
async fn delete_test_clock(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    id: Segment,
) -> Result<Response, Problem> {
    let id: TestClockId = id.id(Code::TestClockNotFound)?;
    let name = format!("DELETE /v1/access/sandbox/test-clocks/{id}");
    let operation = Operation { owner: merchant.owner, name, key: Some(key), request_hash: Hash32::of([]).0 };
    commands.run(operation, || decide(&log, &merchant, &request_id, id, Command::Delete)).await
}

/// Decides on the owner's clock and answers with it.
async fn decide<'a>(log: &'a Log, merchant: &Merchant, request_id: &str, id: TestClockId, command: Command) -> Result<Draft<'a>, Problem> {
    let mut clock = load::<TestClock>(log, sandbox_time::stream(id)).await.map_err(|error| rejection::read(&error))?;
    let created_at = clock.created_at.filter(|_| clock.owner_id == Some(merchant.owner));
    let (Some(created_at), Some(before)) = (created_at, clock.state.now()) else { return Err(Problem::of(Code::TestClockNotFound)) };
    let mut unit = Unit::new(log, context(merchant, false, request_id));
    unit.decide(&mut clock, command, None).map_err(|refused| rejection::decided(refused.code(), refused))?;
    let view = match clock.state {
        TestClock::Frozen { created, frozen_time } => view(id, created.name, frozen_time, "ready", created_at),
        TestClock::Deleted { created } => view(id, created.name, before, "deleted", created_at),
        TestClock::Absent => return Err(Problem::of(Code::TestClockNotFound)),
    };
    Ok(Draft { unit, answer: Answer::ok(view)? })
}
