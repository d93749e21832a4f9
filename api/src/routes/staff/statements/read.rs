//! The statements that were held against the log, and the lists of each.

use super::view::{EntryView, StatementView, SumsView};
use crate::{
    http::{
        answers,
        auth::LogReader,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::{Asked, in_range},
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{
    Json,
    extract::{FromRef, State as Part},
};
use events::{
    log::Log,
    vocab::{
        bytes::Malformed,
        id::StatementId,
        words::{EntryStatus, StatementSource},
    },
};
use projections::{
    Reader, statement_entries,
    statements::{self, Statement},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(get)).routes(routes!(items))
}

/// Which statements.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `solana_usdc` or `stripe`.
    source: Option<String>,
    /// Of one wallet or account.
    account: Option<String>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Statements, newest first.
#[derive(Serialize, ToSchema)]
struct StatementList {
    statements: Vec<StatementView>,
    /// All that match.
    count: u64,
    has_more: bool,
    next_cursor: Option<String>,
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ItemsQuery {
    /// `matched`, `different`, `statement_only` or `ledger_only`; all of them unless told.
    status: Option<String>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Entries of a statement, by time.
#[derive(Serialize, ToSchema)]
struct EntryList {
    #[schema(value_type = String, format = Uuid)]
    statement_id: StatementId,
    items: Vec<EntryView>,
    /// All that match.
    count: u64,
    /// What the whole statement comes to, by status.
    sums: SumsView,
    has_more: bool,
    next_cursor: Option<String>,
}

/// What reads need.
#[derive(Clone)]
struct Books {
    reader: Reader,
    fresh: Fresh,
    log: Log,
}

impl FromRef<State> for Books {
    fn from_ref(state: &State) -> Self {
        Books { reader: state.reader.clone(), fresh: state.fresh.clone(), log: state.log.clone() }
    }
}

impl Books {
    async fn find(&self, id: StatementId, min: MinPosition) -> Result<Statement, Problem> {
        self.fresh.wait("statements", None, min.or_head(&self.log)).await?;
        let found = statements::find(&self.reader, id).await.map_err(rejection::query)?;
        found.ok_or_else(|| Problem::of(Code::StatementNotFound))
    }
}

fn invalid(field: &str) -> impl Fn(Malformed) -> Problem {
    move |Malformed(rule)| Problem::field(Code::ValidationFailed, field, rule)
}

/// Statements that were held against the log
#[utoipa::path(get, path = "/v1/admin/access/reconciliation/statements", tag = "admin", operation_id = "list_statements",
    params(ListQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of statements", body = StatementList), answers::Read))]
async fn list(
    Part(books): Part<Books>,
    _reader: LogReader,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<StatementList>, Problem> {
    let asked = Asked::by_offset(query.limit, None, query.cursor.as_deref())?;
    let source: Option<StatementSource> = query.source.as_deref().map(str::parse).transpose().map_err(invalid("source"))?;
    books.fresh.wait("statements", None, min.or_head(&books.log)).await?;
    let page = statements::list(&books.reader, source, query.account.as_deref(), asked.window()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    let statements = rows.into_iter().map(StatementView::from).collect();
    Ok(Json(StatementList { statements, count, has_more: more.has_more, next_cursor: more.next_cursor }))
}

/// One statement, and what came of it
#[utoipa::path(get, path = "/v1/admin/access/reconciliation/statements/{id}", tag = "admin", operation_id = "get_statement",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The statement", body = StatementView), answers::ReadOne))]
async fn get(Part(books): Part<Books>, _reader: LogReader, min: MinPosition, id: Segment) -> Result<Json<StatementView>, Problem> {
    Ok(Json(books.find(id.id(Code::StatementNotFound)?, min).await?.into()))
}

/// What matched, what differs, and what one side lacks
#[utoipa::path(get, path = "/v1/admin/access/reconciliation/statements/{id}/items", tag = "admin",
    operation_id = "list_statement_items", params(("id" = String, Path), ItemsQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of entries", body = EntryList), answers::ReadOne))]
async fn items(
    Part(books): Part<Books>,
    _reader: LogReader,
    min: MinPosition,
    id: Segment,
    Params(query): Params<ItemsQuery>,
) -> Result<Json<EntryList>, Problem> {
    let limit = in_range("limit", query.limit)?;
    let status: Option<EntryStatus> = query.status.as_deref().map(str::parse).transpose().map_err(invalid("status"))?;
    let no_cursor = |_| Problem::field(Code::ValidationFailed, "cursor", "a cursor is the next_cursor of an earlier page, as it was given");
    let after: u32 = query.cursor.as_deref().map(str::parse).transpose().map_err(no_cursor)?.unwrap_or(0);
    let id: StatementId = id.id(Code::StatementNotFound)?;
    let statement = books.find(id, min).await?;
    // Its entries follow it in the log.
    books.fresh.wait("statement_entries", None, min.or_head(&books.log)).await?;
    // One row more than the page tells whether another page follows.
    let page = statement_entries::list(&books.reader, id, status, after, limit + 1).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let has_more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = rows.last().filter(|_| has_more).map(|row| row.number.to_string());
    let items = rows.into_iter().map(EntryView::from).collect();
    Ok(Json(EntryList { statement_id: id, items, count, sums: statement.sums.get().into(), has_more, next_cursor }))
}
