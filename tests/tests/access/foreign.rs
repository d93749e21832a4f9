//! INV-19, INV-92, CV-9, by the document: whatever parameter or field of `/v1/access` names a thing, another owner's is answered as one
//! that does not exist.

use crate::{shop::Shop, wallet};
use api::http::jwt::Role;
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::Scope},
};
use hilt_tests::app::TestApp;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Names of parameters and fields that look like ids and name nothing that an owner has.
const NOBODYS: [&str; 7] =
    ["rail_id", "external_app_id", "external_customer_id", "platform_target_id", "request_id", "Idempotency-Key", "tx_hash"];

/// What anyone may ask for who knows the id: buyers pay there, with no credential.
const ANYONES: &str = "/v1/access/x402/resource/";

/// Everything an owner can have, by what parameters and fields call it.
struct Owned {
    live: String,
    sandbox: String,
    session: String,
    ids: BTreeMap<&'static str, String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

impl Owned {
    async fn new(app: &TestApp, owner: OwnerId) -> Self {
        let (live, sandbox) = (app.key(owner, true, Scope::ALL).await, app.key(owner, false, Scope::ALL).await);
        let session = app.token(Role::Owner, Some(owner)).await;
        let external = format!("product-{}", new_id::<Uuid>().simple());
        let payout = wallet();
        let mut made = Vec::new();
        for key in [&live, &sandbox] {
            let own = app.post(key, "/v1/access/apps", json!({"name": "A", "external_app_id": &external})).await.ok();
            let product = json!({"access_app_id": own["id"], "external_product_id": &external, "title": "P", "amount_minor_units": 1_000_000,
                "merchant_wallet": &payout, "entitlement_duration_days": 30, "status": "active", "live_mode_confirmed": true});
            made.push((own, app.post(key, "/v1/access/products", product).await.ok()));
        }
        let body = json!({"enabled": true, "mode": "live", "payout_address": &payout});
        let put = app.request(Method::PUT, "/v1/access/rail-settings/solana_usdc").header("X-Hilt-Key", &live);
        app.send(put.header("Idempotency-Key", "setting").json(&body)).await.ok();
        let customer = json!({"external_product_id": &external, "external_customer_id": "c"});
        let opened = app.post(&live, "/v1/access/payment-sessions", customer.clone()).await.ok();
        let mut tried = customer;
        tried["confirm_sandbox_mode"] = json!(true);
        let tried = app.post(&sandbox, "/v1/access/sandbox/payment-sessions", tried).await.ok();
        let clock = json!({"frozen_time": "2031-01-01T00:00:00Z"});
        let clock = app.post(&sandbox, "/v1/access/sandbox/test-clocks", clock).await.ok();
        let hook = json!({"url": "https://api.example.com/h", "subscribed_events": ["payment.confirmed"]});
        let hook = app.post(&live, "/v1/access/webhooks", hook).await.ok();
        let tested = app.post(&live, &format!("/v1/access/webhooks/{}/test", text(&hook["id"])), Value::Null).await.ok();
        let agent = json!({"agent_name": "A", "requested_permissions": ["access:read"]});
        let agent = app.send(app.request(Method::POST, "/v1/access/agent-bootstrap").json(&agent)).await.ok();
        let intent = text(&agent["setup_intent"]["id"]);
        let approve = app.request(Method::POST, &format!("/v1/access/agent-bootstrap/{intent}/approve")).bearer_auth(&session);
        let approved = app.send(approve.header("Idempotency-Key", "approve")).await.ok();
        let (own, product) = &made[0];
        let payment_session = &opened["payment_session"];
        let ids = BTreeMap::from([
            ("app", text(&own["id"])),
            ("access_product", text(&product["id"])),
            ("hosted_product", text(&product["product_id"])),
            ("external_product", external),
            ("sandbox_app", text(&made[1].0["id"])),
            ("sandbox_product", text(&made[1].1["id"])),
            ("payment_session", text(&payment_session["id"])),
            ("payment", text(&payment_session["payment_id"])),
            ("entitlement", text(&opened["pending_entitlement"]["id"])),
            ("sandbox_session", text(&tried["sandbox_session"]["id"])),
            ("test_clock", text(&clock["id"])),
            ("webhook", text(&hook["id"])),
            ("webhook_delivery", text(&tested["delivery_id"])),
            ("setup_intent", intent),
            ("api_key", text(&approved["live_api_key_id"])),
        ]);
        Owned { live, sandbox, session, ids }
    }
}

/// What the parameter or field may name.
fn kinds(path: &str, name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "access_app_id" | "app_id" => &["app", "sandbox_app"],
        "access_product_id" | "product_id" | "product_ids" => &["access_product", "hosted_product", "sandbox_product"],
        "external_product_id" => &["external_product"],
        "payment_session_id" | "session_id" => &["payment_session"],
        "payment_id" => &["payment"],
        "entitlement_id" => &["entitlement"],
        "sandbox_session_id" => &["sandbox_session"],
        "setup_intent_id" => &["setup_intent"],
        "test_clock_id" => &["test_clock"],
        "delivery_id" => &["webhook_delivery"],
        "id" | "key_id" | "endpoint_id" => match path {
            _ if path.contains("/apps/") => &["app", "sandbox_app"],
            _ if path.contains("/products/") => &["access_product", "sandbox_product"],
            _ if path.contains("/sandbox/payment-sessions/") => &["sandbox_session"],
            _ if path.contains("/payment-sessions/") => &["payment_session"],
            _ if path.contains("/webhooks/") => &["webhook"],
            _ if path.contains("/api-keys/") => &["api_key"],
            _ if path.contains("/test-clocks/") => &["test_clock"],
            _ => return None,
        },
        _ => return None,
    })
}

/// Bodies name things in full; a plain `id` is of the thing that a path is about.
fn is_id(place: &str, name: &str) -> bool {
    let like = (name == "id" && place != "body") || name.ends_with("_id") || name.ends_with("_ids");
    like && !NOBODYS.contains(&name)
}

/// Of a document: every operation under `/v1/access`.
struct Operations(Value);

struct Operation {
    method: Method,
    path: String,
    parameters: Vec<(String, String)>,
    fields: Vec<String>,
    example: Map<String, Value>,
}

impl Operations {
    fn all(&self) -> Vec<Operation> {
        let paths =
            self.0["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1/access/") && !path.starts_with(ANYONES));
        let of_path = |(path, item): (&String, &Value)| {
            let item = item.as_object().unwrap().clone();
            let methods = item.into_iter().filter(|(name, _)| ["get", "post", "put", "patch", "delete"].contains(&name.as_str()));
            methods.map(|(method, operation)| self.one(path, &method, &operation)).collect::<Vec<_>>()
        };
        paths.flat_map(of_path).collect()
    }

    fn one(&self, path: &str, method: &str, operation: &Value) -> Operation {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| (text(&parameter["in"]), text(&parameter["name"]))).collect();
        let schema = self.resolved(&operation["requestBody"]["content"]["application/json"]["schema"]);
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let required: BTreeSet<_> = schema["required"].as_array().into_iter().flatten().map(text).collect();
        let example = properties.iter().filter(|(name, _)| required.contains(*name));
        let example = example.map(|(name, property)| (name.clone(), self.sample(property))).collect();
        let fields = properties.keys().cloned().collect();
        Operation { method: method.to_uppercase().parse().unwrap(), path: path.to_owned(), parameters, fields, example }
    }

    fn resolved(&self, schema: &Value) -> Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).cloned().unwrap_or_default(),
            None => schema.clone(),
        }
    }

    /// A value of that schema, so that a request is not refused before its ids are looked at.
    fn sample(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        let one = schema["example"].clone();
        match schema["type"].as_str() {
            _ if !one.is_null() => one,
            Some("integer") => json!(1),
            Some("boolean") => json!(true),
            Some("array") => json!([]),
            Some("object") => {
                let properties = schema["properties"].as_object().cloned().unwrap_or_default();
                Value::Object(properties.iter().map(|(name, property)| (name.clone(), self.sample(property))).collect())
            }
            _ => json!("x"),
        }
    }
}

/// Fields that make a request of the stranger's own complete.
fn own_fields(operation: &Operation, mine: &Owned) -> Map<String, Value> {
    let mut body = operation.example.clone();
    let mut set = |name: &str, value: Value| {
        if operation.fields.iter().any(|field| field == name) {
            body.insert(name.to_owned(), value);
        }
    };
    set("access_app_id", json!(mine.ids["app"]));
    set("external_product_id", json!(mine.ids["external_product"]));
    set("payment_session_id", json!(mine.ids["payment_session"]));
    set("external_customer_id", json!("c"));
    set("confirm_sandbox_mode", json!(true));
    set("frozen_time", json!("2040-01-01T00:00:00Z"));
    set("merchant_wallet", json!(wallet()));
    set("url", json!("https://api.example.com/h"));
    set("subscribed_events", json!(["payment.confirmed"]));
    set("tx_signature", json!(events::vocab::bytes::TxSignature([3; 64]).to_string()));
    body
}

/// What tells an answer about a foreign thing from one about nothing.
fn told(status: reqwest::StatusCode, body: &Value, named: &str) -> (u16, String) {
    let mut body = body.clone();
    for member in ["request_id", "id", "created_at"] {
        if let Some(members) = body.as_object_mut() {
            members.remove(member);
        }
    }
    (status.as_u16(), if status.is_success() { String::new() } else { body.to_string().replace(named, "<id>") })
}

async fn call(app: &TestApp, operation: &Operation, credential: &(&str, String), put: (&str, &str, &str), mine: &Owned) -> (u16, String) {
    let (place, name, named) = put;
    let mut path = operation.path.clone();
    for (where_, parameter) in &operation.parameters {
        if where_ == "path" {
            let own = kinds(&operation.path, parameter).map_or("solana_usdc", |kinds| mine.ids[kinds[0]].as_str());
            let value = if place == "path" && parameter == name { named } else { own };
            path = path.replace(&format!("{{{parameter}}}"), value);
        }
    }
    if place == "query" {
        path = format!("{path}?{name}={named}");
    }
    let mut request = app.request(operation.method.clone(), &path);
    request = match credential.0 {
        "bearer" => request.bearer_auth(&credential.1),
        _ => request.header("X-Hilt-Key", &credential.1),
    };
    if operation.method != Method::GET {
        let idempotency: Uuid = new_id();
        let mut body = own_fields(operation, mine);
        if place == "body" {
            // Another way of naming a product would win over the one that is tried.
            if name.contains("product_id") && name != "external_product_id" {
                body.remove("external_product_id");
            }
            body.insert(name.to_owned(), if name.ends_with("_ids") { json!([named]) } else { json!(named) });
        }
        request = request.header("Idempotency-Key", idempotency.to_string()).json(&body);
    }
    let answer = app.send(request).await;
    told(answer.status, &answer.body, named)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_names_a_thing_another_owners_is_as_nothing() {
    let app = TestApp::start(&[]).await;
    let document = app.get_public("/openapi.json").await.ok();
    let (theirs, mine) = (Owned::new(&app, app.owner).await, Owned::new(&app, new_id()).await);
    let before = isolation_failures(&app).await;
    let (mut tried, mut answered_404) = (0, 0);
    for operation in Operations(document).all() {
        let places = operation.parameters.iter().map(|(place, name)| (place.as_str(), name.as_str()));
        let places = places.chain(operation.fields.iter().map(|name| ("body", name.as_str())));
        for (place, name) in places.filter(|(place, name)| is_id(place, name)) {
            let what = format!("{} {} {place} {name}", operation.method, operation.path);
            let kinds = kinds(&operation.path, name).unwrap_or_else(|| panic!("{what}: say in kinds() what it names"));
            for kind in kinds {
                for credential in [("key", mine.live.clone()), ("key", mine.sandbox.clone()), ("bearer", mine.session.clone())] {
                    let nothing = if *kind == "external_product" { "nothing".to_owned() } else { new_id::<Uuid>().to_string() };
                    let foreign = call(&app, &operation, &credential, (place, name, &theirs.ids[kind]), &mine).await;
                    let none = call(&app, &operation, &credential, (place, name, &nothing), &mine).await;
                    assert_eq!(foreign, none, "{what} with another owner's {kind}");
                    tried += 1;
                    answered_404 += usize::from(foreign.0 == 404);
                }
            }
        }
    }
    assert!(tried > 60 && answered_404 > 30, "{tried} tried, {answered_404} not found");
    assert!(isolation_failures(&app).await > before, "OPS-43");

    // And what was tried is there, for its owner: nothing of it was changed.
    for (path, kind) in [("apps", "app"), ("products", "access_product"), ("payment-sessions", "payment_session"), ("webhooks", "webhook")]
    {
        app.get(&theirs.live, &format!("/v1/access/{path}/{}", theirs.ids[kind])).await.ok();
    }
    for list in ["apps", "products", "payment-sessions", "webhooks"] {
        let mine = app.get(&mine.live, &format!("/v1/access/{list}")).await.ok().to_string();
        // Anyone may call his own product as another calls his.
        for (kind, id) in theirs.ids.iter().filter(|(kind, _)| **kind != "external_product") {
            assert!(!mine.contains(id.as_str()), "{list} shows another owner's {kind}");
        }
    }
    app.close().await;
}

/// How often somebody named what another owner has.
async fn isolation_failures(app: &TestApp) -> u64 {
    let metrics = app.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    let lines = metrics.lines().filter(|line| line.starts_with("access_owner_isolation_failures_total"));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).map(|count| count as u64).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_of_ones_own_is_found_by_every_name() {
    let app = TestApp::start(&[]).await;
    Shop::open(&app).await;
    let product = app.get(&app.live_key, "/v1/access/products").await.ok()["items"][0].clone();
    for (name, value) in
        [("external_product_id", json!("pro-ai-api")), ("product_id", product["product_id"].clone()), ("product_id", product["id"].clone())]
    {
        let query = format!("{name}={}", value.as_str().unwrap());
        app.get(&app.live_key, &format!("/v1/access/products/available-rails?{query}")).await.ok();
        app.get(&app.live_key, &format!("/v1/access/setup/readiness?{query}")).await.ok();
        let mut body = json!({"external_customer_id": "c"});
        body[name] = value;
        app.post(&app.live_key, "/v1/access/payment-sessions", body.clone()).await.ok();
        app.post(&app.live_key, "/v1/access/entitlements/check", body).await.ok();
    }
    app.close().await;
}
