//! INV-84, Q-10: every write of `/v1/access`, by the document, asked for by 20 and by 200 callers at once with one idempotency key,
//! happens once.

use crate::{shop::Shop, wallet};
use api::http::jwt::Role;
use events::{clock::new_id, vocab::bytes::TxSignature};
use hilt_tests::app::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What takes no key: reads by POST, what providers send, and a payment that is itself the key (DIS-6).
const KEYLESS: [&str; 4] = ["check_entitlement", "agent_setup_status", "alchemy_webhook", "x402_resource_post"];

/// One request, which is right as it stands.
struct Write {
    method: Method,
    path: String,
    credential: Credential,
    body: Value,
}

#[derive(Clone)]
enum Credential {
    Key(String),
    Session(String),
    None,
}

/// What the writes are made on.
struct Scene<'a> {
    app: &'a TestApp,
    session: String,
}

impl Scene<'_> {
    async fn sandbox_product(&self) -> String {
        let external = format!("p-{}", new_id::<Uuid>().simple());
        let own = self.app.post(&self.app.sandbox_key, "/v1/access/apps", json!({"name": "A", "external_app_id": &external})).await.ok();
        let product = json!({"access_app_id": own["id"], "external_product_id": &external, "title": "P", "amount_minor_units": 1_000_000,
            "merchant_wallet": wallet(), "entitlement_duration_days": 30, "status": "active"});
        self.app.post(&self.app.sandbox_key, "/v1/access/products", product).await.ok();
        external
    }

    async fn intent(&self) -> Value {
        let agent = json!({"agent_name": "A", "requested_permissions": ["access:read"]});
        self.app.send(self.app.request(Method::POST, "/v1/access/agent-bootstrap").json(&agent)).await.ok()
    }

    async fn webhook(&self) -> String {
        // A name that is reserved for not being there (RFC 6761).
        let hook = json!({"url": "https://receiver.invalid/h", "subscribed_events": ["payment.confirmed"]});
        let hook = self.app.post(&self.app.live_key, "/v1/access/webhooks", hook).await.ok();
        format!("/v1/access/webhooks/{}", hook["id"].as_str().unwrap())
    }

    /// A delivery that was given up.
    async fn delivery(&self) -> String {
        let webhook = self.webhook().await;
        let sent = self.app.post(&self.app.live_key, &format!("{webhook}/test"), Value::Null).await.ok();
        let path = format!("{webhook}/deliveries/{}", sent["delivery_id"].as_str().unwrap());
        self.app.until(&self.app.live_key, &path, |body| body["dead_letter_reason"].is_string()).await;
        path
    }

    async fn api_key(&self) -> String {
        let body = json!({"label": "server", "permissions": ["access:read"], "livemode": false});
        let key: Uuid = new_id();
        let request = self.app.request(Method::POST, "/v1/access/api-keys").bearer_auth(&self.session);
        let made = self.app.send(request.header("Idempotency-Key", key.to_string()).json(&body)).await.ok();
        format!("/v1/access/api-keys/{}", made["id"].as_str().unwrap())
    }

    async fn test_clock(&self) -> String {
        let made = self.app.post(&self.app.sandbox_key, "/v1/access/sandbox/test-clocks", json!({"frozen_time": "2031-01-01T00:00:00Z"}));
        format!("/v1/access/sandbox/test-clocks/{}", made.await.ok()["id"].as_str().unwrap())
    }

    /// A request of that operation, on things of its own; `None` for an operation that nobody has written one for.
    async fn write(&self, operation: &str) -> Option<Write> {
        let (live, sandbox) = (|| Credential::Key(self.app.live_key.clone()), || Credential::Key(self.app.sandbox_key.clone()));
        let session = || Credential::Session(self.session.clone());
        let unique = new_id::<Uuid>().simple().to_string();
        let post = |path: &str, credential, body| Write { method: Method::POST, path: path.to_owned(), credential, body };
        Some(match operation {
            "create_app" => post("/v1/access/apps", live(), json!({"name": "A", "external_app_id": unique})),
            "create_access_product" => {
                let own = self.app.post(&self.app.live_key, "/v1/access/apps", json!({"name": "A", "external_app_id": &unique})).await.ok();
                let body = json!({"access_app_id": own["id"], "external_product_id": unique, "title": "P", "amount_minor_units": 1_000_000,
                    "merchant_wallet": wallet(), "entitlement_duration_days": 30});
                post("/v1/access/products", live(), body)
            }
            "change_access_product" => {
                let external = self.sandbox_product().await;
                let products = self.app.get(&self.app.sandbox_key, "/v1/access/products").await.ok();
                let product = products["items"].as_array().unwrap().iter().find(|row| row["external_product_id"] == json!(external));
                let path = format!("/v1/access/products/{}", product.unwrap()["id"].as_str().unwrap());
                Write { method: Method::PATCH, path, credential: sandbox(), body: json!({"title": unique}) }
            }
            "save_rail_setting" => {
                let body = json!({"enabled": true, "mode": "sandbox", "payout_address": wallet(), "label": unique});
                Write { method: Method::PUT, path: "/v1/access/rail-settings/solana_usdc".into(), credential: sandbox(), body }
            }
            "create_payment_session" => {
                let body = json!({"external_product_id": "pro-ai-api", "external_customer_id": unique});
                post("/v1/access/payment-sessions", live(), body)
            }
            "submit_payment_proof" => {
                let body = json!({"external_product_id": "pro-ai-api", "external_customer_id": &unique});
                let opened = self.app.post(&self.app.live_key, "/v1/access/payment-sessions", body).await.ok();
                let mut tx = [7; 64];
                tx[..16].copy_from_slice(new_id::<Uuid>().as_bytes());
                let body = json!({"payment_session_id": opened["payment_session"]["id"], "external_product_id": "pro-ai-api",
                    "external_customer_id": unique, "rail": "solana_usdc", "tx_signature": TxSignature(tx).to_string()});
                post("/v1/access/payment-proofs", live(), body)
            }
            "create_sandbox_session" => {
                let body = json!({"external_product_id": self.sandbox_product().await, "external_customer_id": unique,
                    "confirm_sandbox_mode": true});
                post("/v1/access/sandbox/payment-sessions", sandbox(), body)
            }
            "confirm_sandbox_session" => {
                let body = json!({"external_product_id": self.sandbox_product().await, "external_customer_id": unique,
                    "confirm_sandbox_mode": true});
                let tried = self.app.post(&self.app.sandbox_key, "/v1/access/sandbox/payment-sessions", body).await.ok();
                let tried = &tried["sandbox_session"];
                let path = format!("/v1/access/sandbox/payment-sessions/{}/confirm", tried["id"].as_str().unwrap());
                post(&path, sandbox(), json!({"proof": tried["proof"]}))
            }
            "create_webhook" => {
                let body = json!({"label": unique, "url": "https://api.example.com/h", "subscribed_events": ["payment.confirmed"]});
                post("/v1/access/webhooks", live(), body)
            }
            "change_webhook" => {
                Write { method: Method::PATCH, path: self.webhook().await, credential: live(), body: json!({"label": unique}) }
            }
            "delete_webhook" => Write { method: Method::DELETE, path: self.webhook().await, credential: live(), body: Value::Null },
            "pause_webhook" => post(&format!("{}/pause", self.webhook().await), live(), Value::Null),
            "resume_webhook" => {
                let webhook = self.webhook().await;
                self.app.post(&self.app.live_key, &format!("{webhook}/pause"), Value::Null).await.ok();
                post(&format!("{webhook}/resume"), live(), Value::Null)
            }
            "test_webhook" => post(&format!("{}/test", self.webhook().await), live(), Value::Null),
            "rotate_webhook_secret" => post(&format!("{}/rotate-secret", self.webhook().await), live(), json!({"overlap_seconds": 60})),
            "redeliver_webhooks" => post(&format!("{}/redeliver", self.webhook().await), live(), json!({"since": "2026-01-01T00:00:00Z"})),
            "redeliver_webhook" => post(&format!("{}/redeliver", self.delivery().await), live(), Value::Null),
            "approve_agent_setup" | "reject_agent_setup" => {
                let intent = self.intent().await;
                let verb = operation.split('_').next().unwrap();
                let path = format!("/v1/access/agent-bootstrap/{}/{verb}", intent["setup_intent"]["id"].as_str().unwrap());
                post(&path, session(), json!({}))
            }
            "attach_agent_manifest" => {
                let intent = self.intent().await;
                let path = format!("/v1/access/agent-bootstrap/{}/manifest", intent["setup_intent"]["id"].as_str().unwrap());
                let product = json!({"external_product_id": unique, "title": "P", "amount_minor_units": 1_000_000});
                let manifest = json!({"app": {"name": "A", "external_app_id": "a"}, "product": product});
                post(&path, Credential::None, json!({"setup_token": intent["setup_token"], "manifest": manifest}))
            }
            "begin_agent_setup" => post(
                "/v1/access/agent-bootstrap",
                Credential::None,
                json!({"agent_name": unique, "requested_permissions": ["access:read"]}),
            ),
            "create_test_clock" => post("/v1/access/sandbox/test-clocks", sandbox(), json!({"frozen_time": "2031-01-01T00:00:00Z"})),
            "advance_test_clock" => {
                post(&format!("{}/advance", self.test_clock().await), sandbox(), json!({"frozen_time": "2031-02-01T00:00:00Z"}))
            }
            "delete_test_clock" => {
                Write { method: Method::DELETE, path: self.test_clock().await, credential: sandbox(), body: Value::Null }
            }
            "create_api_key" => {
                post("/v1/access/api-keys", session(), json!({"label": unique, "permissions": ["access:read"], "livemode": false}))
            }
            "rotate_api_key" => post(&format!("{}/rotate", self.api_key().await), session(), json!({})),
            "revoke_api_key" => Write { method: Method::DELETE, path: self.api_key().await, credential: session(), body: Value::Null },
            _ => return None,
        })
    }

    async fn send(&self, write: &Write, key: Option<&str>) -> Answer {
        let mut request = self.app.request(write.method.clone(), &write.path);
        request = match &write.credential {
            Credential::Key(key) => request.header("X-Hilt-Key", key),
            Credential::Session(token) => request.bearer_auth(token),
            Credential::None => request,
        };
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if !write.body.is_null() {
            request = request.json(&write.body);
        }
        self.app.send(request).await
    }
}

/// Every write under `/v1/access` that the document says takes a key.
async fn writes(app: &TestApp) -> Vec<(String, bool)> {
    let document = app.get_public("/openapi.json").await.ok();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/access/") {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
            let key = operation["parameters"].as_array().into_iter().flatten().find(|parameter| parameter["name"] == "Idempotency-Key");
            if method == "get" || !operation.is_object() || name.is_empty() {
                continue;
            }
            match key {
                Some(key) => found.push((name, key["required"] == json!(true))),
                None => assert!(KEYLESS.contains(&name.as_str()), "{method} {path} ({name}) writes and takes no Idempotency-Key"),
            }
        }
    }
    found
}

/// One effect; everyone else is told the same, or to come again.
async fn once(scene: &Scene<'_>, operation: &str, callers: usize) {
    let write = scene.write(operation).await.unwrap();
    let key = format!("at-once-{}", new_id::<Uuid>());
    let answers = futures::future::join_all((0..callers).map(|_| scene.send(&write, Some(&key)))).await;
    let (mut firsts, mut effects, mut bodies) = (0, BTreeSet::new(), BTreeSet::new());
    for answer in answers {
        match answer.status.as_u16() {
            409 => drop(answer.refused(409, "idempotency_in_progress")),
            _ => {
                firsts += usize::from(!answer.replayed);
                effects.insert(answer.position);
                if answer.replayed {
                    bodies.insert(answer.body.to_string());
                }
                answer.ok();
            }
        }
    }
    assert_eq!((firsts, effects.len()), (1, 1), "{operation} by {callers}: one effect");
    assert!(bodies.len() <= 1, "{operation}: everyone is told the same: {bodies:?}");

    let again = scene.send(&write, Some(&key)).await;
    assert!(again.replayed, "{operation}");
    // What has no body is the same request whatever is sent beside it.
    if !write.body.is_null() {
        let mut body = write.body.clone();
        body["something_else"] = json!(1);
        scene.send(&Write { body, ..write }, Some(&key)).await.refused(422, "idempotency_key_reused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_happens_once_whoever_asks_at_the_same_time() {
    let app = TestApp::start(&[]).await;
    Shop::open(&app).await;
    let session = app.token(Role::Owner, Some(app.owner)).await;
    let scene = Scene { app: &app, session };
    let (mut tried, mut unknown) = (0, Vec::new());
    for (operation, required) in writes(&app).await {
        let Some(write) = scene.write(&operation).await else {
            unknown.push(operation);
            continue;
        };
        if required {
            scene.send(&write, None).await.refused(400, "idempotency_key_required");
        }
        once(&scene, &operation, 20).await;
        once(&scene, &operation, 200).await;
        tried += 1;
    }
    assert_eq!(unknown, Vec::<String>::new(), "say in write() how they are asked for");
    assert!(tried >= 12, "{tried}");
    app.close().await;
}
