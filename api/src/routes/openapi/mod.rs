//! The public document, generated from the routes themselves, and pages to read it.

mod complete;
mod examples;
pub mod shapes;
mod words;

use crate::http::{
    answers,
    permissions::{Permissions, Who},
};
use axum::{Json, Router, http::Method, response::Redirect, routing::get};
use serde_json::{Value, json};
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
model is there. Answers to requests that are counted carry `RateLimit-Policy` and `RateLimit`; one too many is answered 429 with \
`Retry-After`. Amounts are integers in the asset's minor unit, at most 2^53 - 1.";

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

/// What each tag is about, in the order of the document.
const TAGS: [(&str, &str); 16] = [
    ("access", "Apps, rails, products, sessions, proofs and the entitlement check."),
    ("sandbox", "The same without money."),
    ("x402", "The facilitator that verifies and settles x402 payments, and sessions that are paid without a resource server."),
    ("products", "Hosted products."),
    ("checkout", "What a hosted checkout asks for. No credential."),
    ("pay", "What a buyer's wallet asks for. No credential."),
    ("phantom", "Phantom on a phone. No credential."),
    ("payments", "Payments, as their buyers see them."),
    ("memberships", "Members, and how what they bought was handed over."),
    ("receipts", "Receipts, their proofs, the credits that receipts made by hand use, and the trial balance of what was settled."),
    ("support", "Tickets."),
    ("workspace", "What buyers are shown of the merchant."),
    ("billing", "The merchant's own subscription of Hilt, kept by Stripe. His dashboard session only; no key."),
    ("provider webhooks", "Wake-ups by providers, signed by them."),
    ("log", "What the log has promised."),
    ("health", "How the service is."),
];

/// The whole document, for a service at `public_api_url`.
pub fn document(public_api_url: &str) -> Value {
    finish(super::public().split_for_parts().1, public_api_url)
}

/// Adds to what the routes say of themselves what holds of all of them.
pub fn finish(mut document: OpenApi, public_api_url: &str) -> Value {
    tell_of_limits(&mut document);
    // A document of plain strings and maps always has a JSON form.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["servers"] = json!([{"url": public_api_url}]);
    document["tags"] = TAGS.iter().map(|(name, description)| json!({"name": name, "description": description})).collect();
    document["components"]["schemas"]["Problem"]["properties"]["code"]["description"] = answers::all_codes().into();
    complete::complete(&mut document);
    words::name(&mut document);
    examples::give(&mut document);
    document
}

/// Adds the answer 429 to every route that has a limit.
fn tell_of_limits(document: &mut OpenApi) {
    let permissions = Permissions::new();
    for (path, item) in &mut document.paths.paths {
        let operations = [
            (Method::GET, &mut item.get),
            (Method::POST, &mut item.post),
            (Method::PUT, &mut item.put),
            (Method::PATCH, &mut item.patch),
            (Method::DELETE, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation
                && permissions.of(&method, path).is_some_and(Who::is_limited)
            {
                let mut response = answers::problem();
                response.description = "`rate_limited`".to_owned();
                operation.responses.responses.entry("429".to_owned()).or_insert_with(|| response.into());
            }
        }
    }
}

/// `/openapi.json` and `/docs`.
pub fn pages<S: Clone + Send + Sync + 'static>(document: Value) -> Router<S> {
    let document = Arc::new(document);
    let reader = SwaggerUi::new("/docs").config(Config::from("/openapi.json").validator_url("none"));
    Router::new()
        .route("/openapi.json", get(move || async move { Json(document) }))
        .route("/", get(|| async { Redirect::temporary("/docs/") }))
        .merge(Router::<S>::from(reader))
}
