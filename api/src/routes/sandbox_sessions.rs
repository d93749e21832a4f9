//! `GET /v1/access/sandbox/payment-sessions[/{id}]`: what became of sandbox sessions. The proof is not among it (INV-41).

use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    routes::input,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    vocab::{
        id::{AccessProductId, EntitlementId, OwnerId, ProductId, SandboxSessionId, TestClockId},
        time::Timestamp,
    },
};
use projections::{
    Reader,
    sandbox_sessions::{self, SandboxSession, SandboxStatus},
    test_clocks,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list_sandbox_sessions)).routes(routes!(get_sandbox_session))
}

/// Which sessions.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SandboxParams {
    /// Only those on this test clock.
    pub test_clock_id: Option<String>,
    /// Rows of the page, 1 to 100; 20 when absent.
    pub limit: Option<u32>,
    /// Rows to skip.
    pub offset: Option<u64>,
    /// `next_cursor` of the page before; it wins over `offset`.
    pub cursor: Option<String>,
}

/// A sandbox session, without its proof.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SandboxSessionView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: SandboxSessionId,
    /// `pending`, `confirmed` or `expired`.
    #[schema(value_type = String, example = "pending")]
    pub status: SandboxStatus,
    /// The access product.
    #[schema(value_type = String, format = Uuid)]
    pub access_product_id: AccessProductId,
    /// The hosted product behind it.
    #[schema(value_type = String, format = Uuid)]
    pub product_id: ProductId,
    /// What it activates.
    #[schema(value_type = String, format = Uuid)]
    pub entitlement_id: EntitlementId,
    /// Your own id of the customer.
    pub external_customer_id: Option<String>,
    /// The customer's wallet.
    pub wallet: Option<String>,
    /// The customer's e-mail address.
    pub email: Option<String>,
    /// The rail that is tried out.
    #[schema(example = "x402")]
    pub rail: &'static str,
    /// The test clock whose time is its time.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub test_clock_id: Option<TestClockId>,
    /// When its proof is too late.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When its proof came.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmed_at: Option<Timestamp>,
    /// Wrong and late proofs so far.
    pub rejected_proofs: u32,
    /// Always false.
    pub livemode: bool,
    /// Always true.
    pub sandbox_only: bool,
    /// When it was opened, in everybody's time.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Sandbox sessions, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SandboxSessionList {
    /// The sessions.
    pub items: Vec<SandboxSessionView>,
    /// All of them.
    pub count: u64,
    /// Whether older ones follow.
    pub has_more: bool,
    /// Where they begin.
    pub next_cursor: Option<String>,
}

/// List sandbox sessions.
#[utoipa::path(get, path = "/v1/access/sandbox/payment-sessions", tag = "sandbox", operation_id = "list_sandbox_sessions",
    params(SandboxParams), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of sessions", body = SandboxSessionList), answers::Read))]
async fn list_sandbox_sessions(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    Params(params): Params<SandboxParams>,
) -> Result<Json<SandboxSessionList>, Problem> {
    let asked = Asked::by_offset(params.limit, params.offset, params.cursor.as_deref())?;
    let rule = |_| Problem::field(Code::ValidationFailed, "test_clock_id", "must be the id of a test clock");
    let test_clock = params.test_clock_id.as_deref().map(|id| input::id::<TestClockId>(id, Code::TestClockNotFound)).transpose();
    let test_clock = test_clock.map_err(rule)?;
    wait(&fresh, merchant.owner, min).await?;
    let page = sandbox_sessions::list(&reader, merchant.owner, test_clock, asked.window()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    let items = views(&reader, &clock, merchant.owner, rows).await?;
    Ok(Json(SandboxSessionList { items, count, has_more: more.has_more, next_cursor: more.next_cursor }))
}

/// Get a sandbox session.
#[utoipa::path(get, path = "/v1/access/sandbox/payment-sessions/{id}", tag = "sandbox", operation_id = "get_sandbox_session",
    params(("id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The session", body = SandboxSessionView), answers::ReadOne))]
async fn get_sandbox_session(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<SandboxSessionView>, Problem> {
    let id: SandboxSessionId = id.id(Code::SandboxSessionNotFound)?;
    wait(&fresh, merchant.owner, min).await?;
    let row = sandbox_sessions::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    let row = row.ok_or_else(|| Problem::of(Code::SandboxSessionNotFound))?;
    let view = views(&reader, &clock, merchant.owner, vec![row]).await?.pop();
    view.map(Json).ok_or_else(|| Problem::of(Code::SandboxSessionNotFound))
}

async fn wait(fresh: &Fresh, owner: OwnerId, min: MinPosition) -> Result<(), Problem> {
    for name in ["sandbox_sessions", "test_clocks"] {
        fresh.wait(name, Some(owner), min).await?;
    }
    Ok(())
}

/// The sessions as their own time shows them: one that nobody confirmed in time is expired before a sweep has said so.
async fn views(reader: &Reader, clock: &Clock, owner: OwnerId, rows: Vec<SandboxSession>) -> Result<Vec<SandboxSessionView>, Problem> {
    let mut times: BTreeMap<TestClockId, Timestamp> = BTreeMap::new();
    for id in rows.iter().filter_map(|row| row.test_clock_id) {
        if !times.contains_key(&id)
            && let Some(found) = test_clocks::find(reader, owner, id).await.map_err(rejection::query)?
        {
            times.insert(id, found.frozen_time);
        }
    }
    let everybodys = clock.now();
    let now = |row: &SandboxSession| row.test_clock_id.and_then(|id| times.get(&id).copied()).unwrap_or(everybodys);
    Ok(rows
        .into_iter()
        .map(|row| {
            let now = now(&row);
            view(row, now)
        })
        .collect())
}

fn view(row: SandboxSession, now: Timestamp) -> SandboxSessionView {
    let over = row.status == SandboxStatus::Pending && row.expires_at <= now;
    SandboxSessionView {
        id: SandboxSessionId(row.meta.id),
        status: if over { SandboxStatus::Expired } else { row.status },
        access_product_id: row.access_product_id,
        product_id: row.product_id,
        entitlement_id: row.entitlement_id,
        external_customer_id: row.external_customer_id,
        wallet: row.wallet,
        email: row.email,
        rail: row.rail_id.as_str(),
        test_clock_id: row.test_clock_id,
        expires_at: row.expires_at,
        confirmed_at: row.confirmed_at,
        rejected_proofs: row.rejected_proofs,
        livemode: false,
        sandbox_only: true,
        created_at: row.meta.created_at,
    }
}
