//! RT-060 `GET /v1/access/apps[/{id}]`.

use super::create_app::AppView;
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
    services::isolation,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    log::Log,
    vocab::{
        id::AppId,
        stream::{Category, StreamId},
    },
};
use projections::{
    Reader,
    access_apps::{self, AccessApp},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows of a page: 1 to 100, 20 unless told.
    pub limit: Option<u32>,
    /// Rows to skip.
    pub offset: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// The page, checked.
    pub fn asked(&self) -> Result<Asked, Problem> {
        Asked::by_offset(self.limit, self.offset, self.cursor.as_deref())
    }
}

/// Apps, newest first.
#[derive(Serialize, ToSchema)]
struct AppList {
    items: Vec<AppView>,
    /// All apps.
    count: u64,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

impl From<AccessApp> for AppView {
    fn from(app: AccessApp) -> Self {
        AppView {
            id: AppId(app.meta.id),
            name: app.name,
            external_app_id: app.external_app_id,
            rail_id: app.default_rail.to_string(),
            default_rail: app.default_rail.to_string(),
            livemode: app.meta.livemode,
            created_at: app.meta.created_at,
        }
    }
}

/// Apps
#[utoipa::path(get, path = "/v1/access/apps", tag = "access", operation_id = "list_apps", params(PageQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of apps", body = AppList), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<PageQuery>,
) -> Result<Json<AppList>, Problem> {
    let asked = query.asked()?;
    fresh.wait("access_apps", Some(merchant.owner), min).await?;
    let page = access_apps::list(&reader, merchant.owner, merchant.livemode(), asked.window()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |app| (app.meta.created_at, app.meta.id));
    Ok(Json(AppList {
        items: rows.into_iter().map(AppView::from).collect(),
        count,
        has_more: more.has_more,
        next_cursor: more.next_cursor,
    }))
}

/// One app
#[utoipa::path(get, path = "/v1/access/apps/{id}", tag = "access", operation_id = "get_app", params(("id" = String, Path)),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The app", body = AppView), answers::ReadOne))]
async fn get(
    Part(reader): Part<Reader>,
    Part(log): Part<Log>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<AppView>, Problem> {
    let id: AppId = id.id(Code::AppNotFound)?;
    fresh.wait("access_apps", Some(merchant.owner), min).await?;
    let app = access_apps::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    match app.filter(|app| app.meta.livemode == merchant.livemode()) {
        Some(app) => Ok(Json(AppView::from(app))),
        None => Err(isolation::missing(&log, merchant.owner, StreamId::new(Category::AccessApp, id), Code::AppNotFound).await),
    }
}
