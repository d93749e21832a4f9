//! RT-089 `GET/PUT /v1/admin/access/settings/{key}`: what staff set for the whole deployment while it runs.

use super::{Order, refused};
use crate::{
    http::{
        answers,
        auth::Staff,
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
    unit::Unit,
    vocab::{event::SettingValue, words::SettingKey},
};
use ledger::platform::{self, Command, Platform};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(get, put))
}

/// A setting to set.
#[derive(Deserialize, ToSchema)]
struct SetSetting {
    /// `true` or `false`.
    #[schema(value_type = bool)]
    value: Value,
    /// Why.
    reason: Option<String>,
}

/// Every setting.
#[derive(Serialize, ToSchema)]
struct Settings {
    settings: Vec<SettingView>,
}

/// A setting.
#[derive(Serialize, ToSchema)]
struct SettingView {
    key: &'static str,
    value: bool,
    /// Who set it last; null while nobody has.
    changed_by: Option<String>,
    /// Why.
    reason: Option<String>,
}

impl SettingView {
    fn new(policy: &Platform, key: SettingKey) -> Self {
        let SettingValue::Flag(value) = policy.setting(key);
        let last = policy.last_change(key);
        SettingView {
            key: key.as_str(),
            value,
            changed_by: last.map(|change| change.by.clone()),
            reason: last.map(|change| change.reason.clone()),
        }
    }
}

fn key(path: &Segment) -> Result<SettingKey, Problem> {
    path.id(Code::SettingNotFound)
}

async fn policy(log: &Log) -> Result<Platform, Problem> {
    let policy = events::unit::load::<Platform>(log, platform::stream()).await;
    policy.map(|policy| policy.state).map_err(|error| rejection::read(&error))
}

/// Settings
#[utoipa::path(get, path = "/v1/admin/access/settings", tag = "admin", operation_id = "list_settings", security(("bearer" = [])),
    responses((status = 200, description = "Every setting", body = Settings), answers::Read))]
async fn list(Part(log): Part<Log>, _staff: Staff) -> Result<Json<Settings>, Problem> {
    let policy = policy(&log).await?;
    Ok(Json(Settings { settings: SettingKey::ALL.iter().map(|key| SettingView::new(&policy, *key)).collect() }))
}

/// One setting
#[utoipa::path(get, path = "/v1/admin/access/settings/{key}", tag = "admin", operation_id = "get_setting",
    params(("key" = String, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The setting", body = SettingView), answers::ReadOne))]
async fn get(Part(log): Part<Log>, _staff: Staff, path: Segment) -> Result<Json<SettingView>, Problem> {
    let key = key(&path)?;
    Ok(Json(SettingView::new(&policy(&log).await?, key)))
}

/// Set a setting
#[utoipa::path(put, path = "/v1/admin/access/settings/{key}", tag = "admin", operation_id = "set_setting",
    params(("key" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = SetSetting, security(("bearer" = [])),
    responses((status = 200, description = "The setting", body = SettingView), answers::Write))]
async fn put(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    path: Segment,
    Order { act, asked }: Order<SetSetting>,
) -> Result<Response, Problem> {
    let key = key(&path)?;
    let Value::Bool(flag) = asked.value else { return Err(Problem::field(Code::ValidationFailed, "value", "true or false")) };
    commands
        .run(act.operation(None), || async {
            let mut unit = Unit::new(&log, act.context(None, true));
            let mut policy = unit.load::<Platform>(platform::stream()).await.map_err(|error| rejection::read(&error))?;
            let said = act.said(asked.reason.as_deref().unwrap_or_default());
            let cause = policy.last_event;
            let command = Command::ChangeSetting { key, value: SettingValue::Flag(flag), said };
            unit.decide(&mut policy, command, cause).map_err(refused)?;
            Ok(Draft { unit, answer: Answer::ok(SettingView::new(&policy.state, key))? })
        })
        .await
}
