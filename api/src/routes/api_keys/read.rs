//! `GET /v1/access/api-keys[/{id}]`.

use super::ApiKeyView;
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
    services::key_uses::KeyUses,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{clock::Clock, vocab::id::ApiKeyId};
use projections::{
    Reader,
    api_keys::{self, ApiKey},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Which keys.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct KeyParams {
    /// Only live keys, or only sandbox keys; both when absent.
    pub livemode: Option<bool>,
    /// Rows of the page, 1 to 100; 20 when absent.
    pub limit: Option<u32>,
    /// Rows to skip.
    pub offset: Option<u64>,
    /// `next_cursor` of the page before; it wins over `offset`.
    pub cursor: Option<String>,
}

/// API keys, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiKeyList {
    /// The keys, revoked ones included.
    pub items: Vec<ApiKeyView>,
    /// All of them.
    pub count: u64,
    /// Whether older ones follow.
    pub has_more: bool,
    /// Where they begin.
    pub next_cursor: Option<String>,
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list_api_keys)).routes(routes!(get_api_key))
}

/// List API keys, revoked and expired ones included.
#[utoipa::path(get, path = "/v1/access/api-keys", tag = "access", operation_id = "list_api_keys", params(KeyParams),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of keys, without the keys themselves", body = ApiKeyList), answers::Read))]
async fn list_api_keys(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(uses): Part<KeyUses>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    Params(params): Params<KeyParams>,
) -> Result<Json<ApiKeyList>, Problem> {
    let asked = Asked::by_offset(params.limit, params.offset, params.cursor.as_deref())?;
    fresh.wait("api_keys", Some(merchant.owner), min).await?;
    let page = api_keys::list(&reader, merchant.owner, params.livemode, asked.window()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    let items = views(rows, &uses, &clock).await?;
    Ok(Json(ApiKeyList { items, count, has_more: more.has_more, next_cursor: more.next_cursor }))
}

/// Get an API key.
#[utoipa::path(get, path = "/v1/access/api-keys/{id}", tag = "access", operation_id = "get_api_key", params(("id" = String, Path)),
    security(("bearer" = [])),
    responses((status = 200, description = "The key, without the key itself", body = ApiKeyView), answers::ReadOne))]
async fn get_api_key(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(uses): Part<KeyUses>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<ApiKeyView>, Problem> {
    let id: ApiKeyId = id.id(Code::ApiKeyNotFound)?;
    fresh.wait("api_keys", Some(merchant.owner), min).await?;
    let row = api_keys::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    let row = row.ok_or_else(|| Problem::of(Code::ApiKeyNotFound))?;
    views(vec![row], &uses, &clock).await?.pop().map(Json).ok_or_else(|| Problem::of(Code::ApiKeyNotFound))
}

async fn views(rows: Vec<ApiKey>, uses: &KeyUses, clock: &Clock) -> Result<Vec<ApiKeyView>, Problem> {
    let ids: Vec<_> = rows.iter().map(|row| row.meta.id).collect();
    let last = uses.last(&ids).await.map_err(|error| rejection::read(&error))?;
    let now = clock.now();
    Ok(rows
        .into_iter()
        .map(|row| {
            let used = last.get(&row.meta.id).copied();
            ApiKeyView::of_row(row, used, now)
        })
        .collect())
}
