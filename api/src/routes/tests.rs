//! What must hold of every route, whoever writes it.

use super::internal;
use crate::http::problem::Code;
use axum::{Router, body::Body, http::Request};
use serde_json::Value;
use tower::ServiceExt as _;

fn document() -> Value {
    super::openapi::document("https://api.example.com")
}

fn operations(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let named = |path: &str, item: &Value| -> Vec<(String, Value)> {
        item.as_object()
            .unwrap()
            .iter()
            .map(|(method, operation)| (format!("{} {path}", method.to_uppercase()), operation.clone()))
            .collect()
    };
    paths.iter().flat_map(|(path, item)| named(path, item)).collect()
}

/// Everything a response says, references followed.
fn shows_a_problem(response: &Value) -> bool {
    response.to_string().contains("#/components/schemas/Problem")
}

#[test]
fn every_route_documents_its_problems() {
    let document = document();
    for (name, operation) in
        operations(&document).into_iter().chain(operations(&serde_json::to_value(internal().split_for_parts().1).unwrap()))
    {
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.iter().any(|(status, _)| status.starts_with(['2', '3'])), "{name} documents no success");
        let errors: Vec<_> = responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])).collect();
        assert!(errors.iter().any(|(_, response)| shows_a_problem(response)), "{name} documents no problem");
        let secured = operation.get("security").is_some();
        assert!(!secured || responses.contains_key("401"), "{name} takes a credential and documents no 401");
        assert!(operation["operationId"].is_string(), "{name} has no operation id");
    }
}

#[test]
fn every_route_says_who_may_call_it_and_its_document_says_the_same() {
    use crate::http::permissions::{Permissions, TABLE, Who};
    let permissions = Permissions::new();
    let routes: Vec<_> =
        operations(&document()).into_iter().chain(operations(&serde_json::to_value(internal().split_for_parts().1).unwrap())).collect();
    for (name, operation) in &routes {
        let (method, path) = name.split_once(' ').unwrap();
        let who = permissions.of(&method.parse().unwrap(), path).unwrap_or_else(|| panic!("{name} is not in the table of permissions"));
        let schemes = operation["security"].to_string();
        let (takes_keys, takes_tokens) = (schemes.contains("hilt_key"), schemes.contains("bearer"));
        assert_eq!(takes_keys || takes_tokens, who.needs_credential(), "{name}: {who:?}, {schemes}");
        let for_keys = who.needs_credential() && !matches!(who, Who::Session | Who::Staff | Who::Reader);
        assert_eq!(takes_keys, for_keys, "{name}: {who:?}, {schemes}");
    }
    let listed: Vec<&str> = TABLE.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
    for row in &listed {
        assert_eq!(listed.iter().filter(|other| *other == row).count(), 1, "{row} is in the table twice");
    }
}

#[test]
fn every_counted_route_documents_that_there_may_be_too_many() {
    use crate::http::permissions::{Permissions, Who};
    let permissions = Permissions::new();
    for (name, operation) in operations(&document()) {
        let (method, path) = name.split_once(' ').unwrap();
        let counted = permissions.of(&method.parse().unwrap(), path).is_some_and(Who::is_limited);
        assert_eq!(operation["responses"].get("429").is_some(), counted, "{name}");
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document["components"]["schemas"].get(reference).is_some(), "{reference} is referred to and not there");
    }
    for scheme in ["hilt_key", "bearer"] {
        assert!(document["components"]["securitySchemes"].get(scheme).is_some(), "{scheme}");
    }
}

#[test]
fn every_parameter_in_a_path_is_a_part_of_it() {
    for (name, operation) in operations(&document()) {
        let parameters = operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "path");
        let mut told: Vec<_> = parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
        let mut there: Vec<_> = name.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
        told.sort();
        there.sort();
        assert_eq!(told, there, "{name}");
    }
}

/// A schema of a name that another has would silently take its place. What staff are shown is in no document.
#[test]
fn no_two_schemas_have_one_name() {
    let (mut folders, mut names) = (vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true if path.ends_with("staff") => {}
                true => folders.push(path),
                false => names.extend(schemas_of(&std::fs::read_to_string(&path).unwrap_or_default())),
            }
        }
    }
    assert!(names.len() > 100, "the search finds what is there: {}", names.len());
    names.sort();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Generators make a class of a schema and a variable of a field, and some then confuse the two.
#[test]
fn no_schema_has_the_name_of_a_field_of_its_own() {
    let plain = |name: &str| name.to_lowercase().replace('_', "");
    for (schema, body) in document()["components"]["schemas"].as_object().unwrap() {
        for field in body["properties"].as_object().into_iter().flat_map(|fields| fields.keys()) {
            assert_ne!(plain(schema), plain(field), "{schema}");
        }
    }
}

fn schemas_of(source: &str) -> Vec<String> {
    let derives = source.split("#[derive(").skip(1).filter(|rest| rest.split(')').next().is_some_and(|list| list.contains("ToSchema")));
    let name = |rest: &str| {
        rest.split(['{', '(', ';'])
            .find_map(|head| ["struct ", "enum "].iter().find_map(|word| head.split_once(word)).map(|(_, name)| name.trim().to_owned()))
    };
    derives.filter_map(name).collect()
}

#[test]
fn the_document_is_typed_and_says_what_every_answer_is() {
    let document = document();
    for (name, operation) in operations(&document) {
        assert!(operation["tags"][0].is_string() && operation["summary"].is_string(), "{name} is not described");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(response["headers"]["X-Request-Id"].is_object(), "{name} {status}");
            for (kind, content) in response["content"].as_object().into_iter().flatten() {
                let schema = &content["schema"];
                assert!(schema.get("$ref").is_some() || schema.get("type").is_some(), "{name} {status} {kind} is of no known shape");
                let is_problem = schema["$ref"] == crate::http::answers::PROBLEM;
                assert_eq!(is_problem, kind == "application/problem+json", "{name} {status}");
            }
            let is_error = status.starts_with(['4', '5']);
            assert!(!is_error || response["content"].is_object(), "{name} {status} has no problem");
        }
        for kind in operation["requestBody"]["content"].as_object().into_iter().flat_map(|content| content.keys()) {
            assert_eq!(kind, "application/json", "{name}");
        }
    }
    let ids: std::collections::BTreeSet<_> =
        operations(&document).into_iter().map(|(_, operation)| operation["operationId"].clone().to_string()).collect();
    assert_eq!(ids.len(), operations(&document).len(), "operation ids are unique");
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (name, operation) in operations(&document) {
        assert!(tags.contains(&&operation["tags"][0]), "{name}: its tag is not described");
    }
}

#[test]
fn the_public_document_has_no_staff_route() {
    assert!(!document().to_string().contains("/v1/admin"));
    assert!(serde_json::to_string(&internal().split_for_parts().1).unwrap().contains("/v1/admin/access/audit-events"));
}

#[test]
fn the_routes_of_the_read_side_are_there() {
    let document = document();
    let there: Vec<_> = operations(&document).into_iter().map(|(name, _)| name).collect();
    for name in [
        "GET /v1/access/rails",
        "GET /v1/access/products/available-rails",
        "GET /v1/access/setup/readiness",
        "GET /v1/access/rail-settings",
        "GET /v1/access/rail-settings/{rail_id}",
        "GET /v1/access/apps",
        "GET /v1/access/apps/{id}",
        "GET /v1/access/products",
        "GET /v1/access/products/{id}",
        "PATCH /v1/access/products/{id}",
        "GET /v1/access/payment-sessions/{id}",
        "POST /v1/access/agent-bootstrap",
        "GET /v1/access/agent-bootstrap/{setup_intent_id}",
        "POST /v1/access/agent-bootstrap/{setup_intent_id}/approve",
        "POST /v1/access/agent-bootstrap/{setup_intent_id}/reject",
        "POST /v1/access/agent-bootstrap/{setup_intent_id}/status",
        "POST /v1/access/agent-bootstrap/{setup_intent_id}/manifest",
        "POST /v1/access/entitlements/check",
        "GET /v1/x402/supported",
        "POST /v1/x402/verify",
        "POST /v1/x402/settle",
        "GET /v1/access/x402/resource/{session_id}",
        "GET /v1/products",
        "GET /v1/products/{product_id}",
        "GET /v1/products/{product_id}/payments",
        "GET /v1/products/{product_id}/analytics",
        "GET /v1/products/p/{slug}",
        "POST /v1/products/p/{slug}/connect",
        "GET /v1/workspace/profile",
        "GET /v1/billing/summary",
        "POST /v1/billing/checkout/stripe",
        "POST /v1/billing/portal/stripe",
        "POST /v1/billing/refresh/stripe",
        "GET /v1/payments/{payment_id}",
        "GET /v1/memberships",
        "GET /v1/memberships/lookup",
        "GET /v1/memberships/{membership_id}",
        "GET /v1/receipts",
        "GET /v1/receipt/{receipt_id}",
        "GET /v1/receipt/{receipt_id}/verify",
        "POST /v1/receipt/{receipt_id}/send-proof",
        "POST /v1/support/tickets",
        "GET /v1/support/tickets",
        "GET /v1/support/tickets/{ticket_id}",
        "POST /v1/support/tickets/{ticket_id}/message",
        "GET /.well-known/jwks.json",
        "GET /v1/log/checkpoint",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
    ] {
        assert!(there.iter().any(|route| route == name), "{name}");
    }
}

#[test]
fn every_rejection_of_the_ledger_has_a_status() {
    use ledger::*;
    let all: &[(&str, &[&str])] = &[
        ("access_app", access_app::Rejection::CODES),
        ("access_product", access_product::Rejection::CODES),
        ("agent_setup", agent_setup::Rejection::CODES),
        ("api_key", api_key::Rejection::CODES),
        ("delivery", delivery::Rejection::CODES),
        ("evm_requirement", evm_requirement::Rejection::CODES),
        ("fee_leg", fee_leg::Rejection::CODES),
        ("credits", credits::Rejection::CODES),
        ("entitlement", entitlement::Rejection::CODES),
        ("mail", mail::Rejection::CODES),
        ("membership", membership::Rejection::CODES),
        ("payment", payment::Rejection::CODES),
        ("payment_session", payment_session::Rejection::CODES),
        ("product", product::Rejection::CODES),
        ("proof", proof::Rejection::CODES),
        ("rail_setting", rail_setting::Rejection::CODES),
        ("receipt", receipt::Rejection::CODES),
        ("sandbox_session", sandbox_session::Rejection::CODES),
        ("subject", subject::Rejection::CODES),
        ("test_clock", test_clock::Rejection::CODES),
        ("ticket", ticket::Rejection::CODES),
        ("webhook_delivery", webhook_delivery::Rejection::CODES),
        ("webhook_endpoint", webhook_endpoint::Rejection::CODES),
        ("workspace", workspace::Rejection::CODES),
        ("workspace_billing", workspace_billing::Rejection::CODES),
    ];
    for (decider, codes) in all {
        for code in *codes {
            assert!(Code::parse(code).is_some(), "{decider}: {code} has no status");
        }
    }
    for blocker in rail_gates::Blocker::ALL {
        assert!(Code::parse(blocker.session_code()).is_some(), "{} has no status", blocker.session_code());
    }
}

/// The layers and fallbacks of the service around one route that panics and one that takes a body.
fn service() -> Router {
    async fn panics() -> &'static str {
        panic!("secret@example.com")
    }
    async fn takes(_: crate::http::body::Body<Value>) -> &'static str {
        "taken"
    }
    let routes = Router::new().route("/panics", axum::routing::get(panics)).route("/takes", axum::routing::post(takes));
    super::dress(routes, None, 1024)
}

async fn ask(request: Request<Body>) -> (u16, axum::http::HeaderMap, Value) {
    let response = service().oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, headers, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).header("x-request-id", "req-7").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn what_no_route_answers_is_a_problem_too() {
    let (status, headers, body) = ask(get("/v1/nothing/here")).await;
    assert_eq!((status, &body["code"], &body["request_id"]), (404, &"not_found".into(), &"req-7".into()));
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["x-request-id"], "req-7");
    let (status, headers, body) = ask(get("/takes")).await;
    assert_eq!((status, &body["code"]), (405, &"method_not_allowed".into()));
    assert_eq!(headers["allow"], "POST");
}

#[tokio::test]
async fn a_panic_tells_nothing() {
    let (status, _, body) = ask(get("/panics")).await;
    assert_eq!((status, &body["code"], &body["request_id"]), (500, &"internal_error".into(), &"req-7".into()));
    assert!(!body.to_string().contains("secret"));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let large = Request::post("/takes").header("content-type", "application/json").body(Body::from(vec![b' '; 2048])).unwrap();
    let (status, _, body) = ask(large).await;
    assert_eq!((status, &body["code"]), (413, &"payload_too_large".into()));
}

#[tokio::test]
async fn every_answer_keeps_browsers_from_guessing() {
    let (_, headers, _) = ask(get("/v1/nothing")).await;
    assert_eq!(
        (&headers["x-content-type-options"], &headers["cache-control"]),
        (&"nosniff".parse().unwrap(), &"no-store".parse().unwrap())
    );
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
}

#[tokio::test]
async fn the_documentation_needs_nothing_from_elsewhere() {
    let pages: Router = super::openapi::pages(document());
    let page = pages.clone().oneshot(get("/docs/")).await.unwrap();
    assert_eq!(page.status(), 200);
    let bytes = axum::body::to_bytes(page.into_body(), 1 << 20).await.unwrap();
    let html = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!html.contains("https://") && !html.contains("cdn"), "{html}");
    let start = pages.clone().oneshot(get("/docs/swagger-initializer.js")).await.unwrap();
    let bytes = axum::body::to_bytes(start.into_body(), 1 << 20).await.unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("/openapi.json"));
    let document = pages.oneshot(get("/openapi.json")).await.unwrap();
    assert_eq!(document.headers()["content-type"], "application/json");
}
