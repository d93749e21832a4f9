//! `POST /v1/access/api-keys`.

use super::{IssuedApiKey, shown_once};
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        idempotency::{Commands, Draft, Operation, RequiredKey},
        problem::{Code, FieldError, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::{context, input},
    services::keys::{self, Issue},
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{clock::Clock, log::Log, unit::Unit, vocab::words::Scope};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// An API key to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateApiKey {
    /// Your own words for it, at most 200 characters.
    #[schema(example = "backend, production")]
    pub label: String,
    /// What it may do, and nothing else: `access:read`, `access:write`, `access:webhooks`. Name as few as the caller needs.
    #[schema(example = json!(["access:read"]))]
    pub permissions: Vec<String>,
    /// Whether it moves real money.
    #[serde(default)]
    pub livemode: bool,
    /// Whether a live key may use the sandbox too.
    #[serde(default)]
    pub sandbox_capable: bool,
    /// When it stops working by itself; never when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<String>,
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_api_key))
}

/// Make an API key.
///
/// The key is shown once, in this answer; only its hash is kept. Keys belong on servers, never in a page or an app.
#[utoipa::path(
    post, path = "/v1/access/api-keys", tag = "access", operation_id = "create_api_key",
    params(("Idempotency-Key" = String, Header, description = "Unique to this operation, 1 to 255 visible ASCII characters")),
    request_body = CreateApiKey,
    responses(
        (status = 201, description = "The key, shown once", body = IssuedApiKey),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_token`", body = Problem),
        (status = 403, description = "`dashboard_session_required`, `merchant_required`", body = Problem),
        (status = 409, description = "`idempotency_in_progress`", body = Problem),
        (status = 422, description = "`label_required`, `permissions_required`, `unknown_permission`, `invalid_expiry`, `validation_failed`, `idempotency_key_reused`", body = Problem),
    ),
    security(("bearer" = []))
)]
async fn create_api_key(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<CreateApiKey>,
) -> Result<Response, Problem> {
    let issue = Issue {
        scopes: permissions(&body.permissions)?,
        expires_at: body.expires_at.as_deref().map(|text| input::instant("expires_at", text)).transpose()?,
        label: body.label,
        sandbox_capable: body.sandbox_capable,
    };
    let operation = Operation { owner: merchant.owner, name: "POST /v1/access/api-keys".into(), key: Some(key), request_hash: hash };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, body.livemode, &request_id));
            let now = clock.now();
            let issued =
                keys::decide_issue(&mut unit, issue.clone(), now).map_err(|refused| rejection::decided(refused.code(), refused))?;
            Ok(Draft { unit, answer: shown_once(issued, body.livemode, now)? })
        })
        .await
}

/// Permissions by their names; one that is unknown is named by its place.
pub fn permissions(names: &[String]) -> Result<Vec<Scope>, Problem> {
    let parse = |(index, name): (usize, &String)| {
        name.parse::<Scope>().map_err(|rule| FieldError { field: format!("permissions[{index}]"), message: rule.to_string() })
    };
    let (known, unknown): (Vec<_>, Vec<_>) = names.iter().enumerate().map(parse).partition(Result::is_ok);
    let errors: Vec<FieldError> = unknown.into_iter().filter_map(Result::err).collect();
    match errors.is_empty() {
        true => Ok(known.into_iter().flatten().collect()),
        false => Err(Problem { errors, ..Problem::new(Code::UnknownPermission, "permissions names a permission that there is not") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_permission_is_named_by_its_place() {
        let problem = permissions(&["access:read".to_owned(), "access:all".to_owned()]).unwrap_err();
        assert_eq!((problem.code, problem.errors[0].field.as_str()), ("unknown_permission", "permissions[1]"));
        assert_eq!(permissions(&["access:read".to_owned()]).unwrap(), [Scope::Read]);
    }
}
