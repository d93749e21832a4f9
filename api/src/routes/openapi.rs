//! The public document, generated from the routes themselves, and pages to read it.

use crate::http::answers;
use axum::{Json, Router, response::Redirect, routing::get};
use std::sync::Arc;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Name of the API key's scheme in `security(...)`.
pub const API_KEY: &str = "hilt_key";
/// Name of the bearer token's scheme.
pub const BEARER: &str = "bearer";

const DESCRIPTION: &str = "\
An event-sourced payment ledger for paid access.

Authenticate with `X-Hilt-Key` or `Authorization: Bearer`. Errors are `application/problem+json` (RFC 9457) with a stable `code`. \
Writes take an `Idempotency-Key` and answer with `Hilt-Position`; reads take `Hilt-Min-Position` and then wait until their read \
model is there. Amounts are integers in the asset's minor unit, at most 2^53 - 1.";

/// The document before the routes add themselves.
pub fn base() -> OpenApi {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some("A dashboard session.")).build();
    let key = ApiKeyValue::with_description("X-Hilt-Key", "An API key: hk_live_… or hk_sandbox_….");
    let components = answers::schemas()
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| components.schema(name, schema))
        .security_scheme(API_KEY, SecurityScheme::ApiKey(ApiKey::Header(key)))
        .security_scheme(BEARER, SecurityScheme::Http(bearer));
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Hilt Ledger").version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION)).build())
        .components(Some(components.build()))
        .build()
}

/// `/openapi.json` and `/docs`.
pub fn pages<S: Clone + Send + Sync + 'static>(document: OpenApi) -> Router<S> {
    let document = Arc::new(document);
    let reader = SwaggerUi::new("/docs").config(Config::from("/openapi.json").validator_url("none"));
    Router::new()
        .route("/openapi.json", get(move || async move { Json(document) }))
        .route("/", get(|| async { Redirect::temporary("/docs/") }))
        .merge(Router::<S>::from(reader))
}
