//! `POST /v1/access/apps` (RT-055).

use super::{context, input};
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        problem::Problem,
        rejection,
        request_id::RequestId,
    },
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::{Clock, new_id},
    log::Log,
    unit::Unit,
    vocab::{
        id::AppId,
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::access_app::{AccessApp, Command, Create};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// An app boundary to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateApp {
    /// Shown in the dashboard.
    #[schema(example = "Pro AI API")]
    pub name: String,
    /// Your own id of the app, unique in the workspace and mode.
    #[schema(example = "pro-ai-api")]
    pub external_app_id: String,
    /// The rail used when none is named; the same as `default_rail`.
    #[schema(example = "solana_usdc")]
    pub rail: Option<String>,
    /// The rail used when none is named.
    #[schema(example = "solana_usdc")]
    pub default_rail: Option<String>,
}

/// An access app.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AppView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: AppId,
    /// Its name.
    pub name: String,
    /// Your own id of it.
    pub external_app_id: String,
    /// The rail used when none is named.
    pub rail_id: String,
    /// The rail used when none is named.
    pub default_rail: String,
    /// Whether it moves real money.
    pub livemode: bool,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_app))
}

/// Create an app.
#[utoipa::path(
    post, path = "/v1/access/apps", tag = "access", operation_id = "create_app",
    params(("Idempotency-Key" = String, Header, description = "Unique to this operation, 1 to 255 visible ASCII characters")),
    request_body = CreateApp,
    responses(
        (status = 201, description = "The app", body = AppView),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`", body = Problem),
        (status = 409, description = "`external_app_id_conflict`, `idempotency_in_progress`", body = Problem),
        (status = 422, description = "`validation_failed`, `unknown_rail`, `rail_conflict`, `idempotency_key_reused`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
async fn create_app(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<CreateApp>,
) -> Result<Response, Problem> {
    let default_rail = input::agreeing_rails(&[("default_rail", &body.default_rail), ("rail", &body.rail)])?;
    let default_rail = default_rail.unwrap_or(events::vocab::rail::RailId::SolanaUsdc);
    let operation = Operation { owner: merchant.owner, name: "POST /v1/access/apps".into(), key: Some(key), request_hash: hash };
    let app_id: AppId = new_id();
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, merchant.livemode(), &request_id));
            let mut app = unit.start::<AccessApp>(StreamId::new(Category::AccessApp, app_id));
            let create = Create { app_id, name: body.name.clone(), external_app_id: body.external_app_id.clone(), default_rail };
            unit.decide(&mut app, Command::Create(create), None).map_err(|refused| rejection::decided(refused.code(), refused))?;
            let answer = Answer::created(AppView {
                id: app_id,
                name: body.name.trim().to_owned(),
                external_app_id: body.external_app_id.trim().to_owned(),
                rail_id: default_rail.to_string(),
                default_rail: default_rail.to_string(),
                livemode: merchant.livemode(),
                created_at: clock.now(),
            })?
            .stamped();
            Ok(Draft { unit, answer })
        })
        .await
}
