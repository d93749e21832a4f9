//! The queue, and one of it.

use super::view::{ApprovalView, age};
use crate::{
    http::{
        answers,
        auth::Staff,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{clock::Clock, log::Log, vocab::id::ApprovalId};
use projections::{
    Reader,
    approvals::{self, ApprovalStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(get))
}

/// Which approvals.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `pending`, `approved`, `rejected` or `applied`.
    status: Option<String>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The queue, newest first.
#[derive(Serialize, ToSchema)]
struct Queue {
    approvals: Vec<ApprovalView>,
    /// All that match.
    count: u64,
    /// How long the oldest has waited; null while none waits.
    oldest_pending_age_seconds: Option<i64>,
    has_more: bool,
    next_cursor: Option<String>,
}

/// The queue of approvals
#[utoipa::path(get, path = "/v1/admin/access/approvals", tag = "admin", operation_id = "list_approvals", params(ListQuery),
    security(("bearer" = [])), responses((status = 200, description = "A page of the queue", body = Queue), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    _staff: Staff,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<Queue>, Problem> {
    let asked = Asked::by_offset(query.limit, None, query.cursor.as_deref())?;
    let unknown = || Problem::field(Code::ValidationFailed, "status", "pending, approved, rejected or applied");
    let status = query.status.as_deref().map(|text| ApprovalStatus::parse(text).ok_or_else(unknown)).transpose()?;
    fresh.wait("approvals", None, min.or_head(&log)).await?;
    let page = approvals::list(&reader, status, asked.window()).await.map_err(rejection::query)?;
    let oldest = approvals::oldest_pending(&reader).await.map_err(rejection::query)?;
    let (mut rows, count, now) = (page.items, page.total, clock.now());
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    Ok(Json(Queue {
        approvals: rows.into_iter().map(|row| ApprovalView::of_row(row, now)).collect(),
        count,
        oldest_pending_age_seconds: oldest.map(|row| age(row.meta.created_at, now)),
        has_more: more.has_more,
        next_cursor: more.next_cursor,
    }))
}

/// One approval
#[utoipa::path(get, path = "/v1/admin/access/approvals/{id}", tag = "admin", operation_id = "get_approval",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The approval", body = ApprovalView), answers::ReadOne))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    _staff: Staff,
    min: MinPosition,
    id: Segment,
) -> Result<Json<ApprovalView>, Problem> {
    let id: ApprovalId = id.id(Code::ApprovalNotFound)?;
    fresh.wait("approvals", None, min.or_head(&log)).await?;
    let row = approvals::find(&reader, id).await.map_err(rejection::query)?.ok_or_else(|| Problem::of(Code::ApprovalNotFound))?;
    Ok(Json(ApprovalView::of_row(row, clock.now())))
}
