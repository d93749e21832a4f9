//! API keys (RT-077, INV-40, 57, 83): made, shown once, rotated with an overlap, noted when used, and gone everywhere within a second.

use crate::has_keys;
use api::http::jwt::Role;
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::Scope},
};
use hilt_tests::{
    app::{Answer, SOON, TestApp},
    processes::{free_port, hilt},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};

const KEYS: &str = "/v1/access/api-keys";
/// What a key with `access:read` may read.
const READS: &str = "/v1/access/rails";

/// The owner's dashboard session.
struct Desk<'a> {
    app: &'a TestApp,
    token: String,
}

impl<'a> Desk<'a> {
    async fn of(app: &'a TestApp, owner: OwnerId) -> Self {
        Desk { app, token: app.token(Role::Owner, Some(owner)).await }
    }
    async fn send(&self, method: Method, path: &str, idempotency: &str, body: Option<Value>) -> Answer {
        let request = self.app.request(method, path).bearer_auth(&self.token).header("Idempotency-Key", idempotency);
        self.app
            .send(match body {
                Some(body) => request.json(&body),
                None => request,
            })
            .await
    }
    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &new_id::<uuid::Uuid>().to_string(), Some(body)).await
    }
    async fn get(&self, path: &str) -> Answer {
        self.app.send(self.app.request(Method::GET, path).bearer_auth(&self.token)).await
    }
    async fn delete(&self, id: &str) -> Answer {
        self.send(Method::DELETE, &format!("{KEYS}/{id}"), &new_id::<uuid::Uuid>().to_string(), None).await
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_does_what_it_was_made_for() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app, app.owner).await;
    let body = json!({"label": "checks", "permissions": ["access:read", "access:read"], "livemode": true, "sandbox_capable": true});
    let made = desk.send(Method::POST, KEYS, "first", Some(body.clone())).await;
    assert_eq!(made.status.as_u16(), 201);
    let made = made.ok();
    has_keys(&made, &["id", "label", "prefix", "permissions", "livemode", "sandbox_capable", "status", "expires_at", "created_at"]);
    let (id, key) = (text(&made["id"]), text(&made["api_key"]));
    assert!(key.starts_with("hk_live_") && key.starts_with(text(&made["prefix"])) && text(&made["prefix"]).len() < 20);
    assert_eq!((&made["permissions"], &made["status"]), (&json!(["access:read"]), &json!("active")));
    let again = desk.send(Method::POST, KEYS, "first", Some(body)).await;
    assert!(again.replayed);
    let again = again.ok();
    assert_eq!((&again["api_key"], &again["idempotent_replay"], &again["id"]), (&Value::Null, &json!(true), &made["id"]));

    app.get(key, READS).await.ok();
    app.post(key, "/v1/access/apps", json!({"name": "x", "external_app_id": "x"})).await.refused(403, "scope_required");
    let shown = desk.get(&format!("{KEYS}/{id}")).await.ok();
    assert!(shown.get("api_key").is_none() && !shown.to_string().contains(key), "never again");
    let sandbox = desk.post(KEYS, json!({"label": "try", "permissions": ["access:write"]})).await.ok();
    assert!(text(&sandbox["api_key"]).starts_with("hk_sandbox_"), "the narrowest mode when none is named");
    let listed = desk.get(KEYS).await.ok();
    assert_eq!(listed["items"][0]["id"], sandbox["id"]);
    assert_eq!(desk.get(&format!("{KEYS}?livemode=false&limit=1")).await.ok()["items"].as_array().unwrap().len(), 1);

    for (change, code) in [
        (json!({"permissions": []}), "permissions_required"),
        (json!({"permissions": ["access:all"]}), "unknown_permission"),
        (json!({"label": " "}), "label_required"),
        (json!({"label": "x".repeat(201)}), "text_too_long"),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), "invalid_expiry"),
        (json!({"expires_at": "tomorrow"}), "validation_failed"),
    ] {
        let mut body = json!({"label": "x", "permissions": ["access:read"]});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        desk.post(KEYS, body).await.refused(422, code);
    }
    let other = Desk::of(&app, new_id()).await;
    for path in [format!("{KEYS}/{id}"), format!("{KEYS}/nothing")] {
        other.get(&path).await.refused(404, "api_key_not_found");
    }
    other.delete(id).await.refused(404, "api_key_not_found");
    other.post(&format!("{KEYS}/{id}/rotate"), json!({})).await.refused(404, "api_key_not_found");
    assert_eq!(other.get(KEYS).await.ok()["count"], json!(0));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_manages_keys_and_no_key_is_anywhere_but_in_its_answer() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app, app.owner).await;
    let made = desk
        .post(KEYS, json!({"label": "x", "permissions": ["access:read", "access:write", "access:webhooks"], "livemode": true}))
        .await
        .ok();
    let (id, key) = (text(&made["id"]), text(&made["api_key"]));
    let staff = app.token(Role::Staff, None).await;
    for (method, path) in [
        (Method::POST, KEYS.to_owned()),
        (Method::GET, KEYS.to_owned()),
        (Method::GET, format!("{KEYS}/{id}")),
        (Method::DELETE, format!("{KEYS}/{id}")),
        (Method::POST, format!("{KEYS}/{id}/rotate")),
    ] {
        let request = || {
            let request = app.request(method.clone(), &path).header("Idempotency-Key", new_id::<uuid::Uuid>().to_string());
            request.json(&json!({"label": "x", "permissions": ["access:read"]}))
        };
        for held in [key, &app.live_key, &app.sandbox_key] {
            app.send(request().header("X-Hilt-Key", held)).await.refused(403, "dashboard_session_required");
        }
        app.send(request().bearer_auth(&staff)).await.refused(403, "merchant_required");
        app.send(request()).await.refused(401, "auth_required");
    }
    let secret = &key["hk_live_".len() + 8..];
    let pool = app.database.admin_pool().await;
    let found: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM log.events e WHERE encode(e.payload, 'escape') LIKE '%' || $1 || '%')
              + (SELECT count(*) FROM log.idempotency i WHERE encode(i.body, 'escape') LIKE '%' || $1 || '%')",
    )
    .bind(secret)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(found, 0);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_works_beside_its_successor_until_the_overlap_ends() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app, app.owner).await;
    let made = desk.post(KEYS, json!({"label": "backend", "permissions": ["access:read"], "livemode": true})).await.ok();
    let (id, old) = (text(&made["id"]), text(&made["api_key"]));
    let rotate = format!("{KEYS}/{id}/rotate");
    desk.post(&rotate, json!({"overlap_seconds": 2_592_001})).await.refused(422, "overlap_out_of_range");
    let rotated = desk.send(Method::POST, &rotate, "turn", Some(json!({"overlap_seconds": 3600}))).await.ok();
    let new = text(&rotated["api_key"]);
    assert_eq!(
        (&rotated["rotated_from"], &rotated["permissions"], &rotated["label"]),
        (&made["id"], &json!(["access:read"]), &json!("backend"))
    );
    let replay = desk.send(Method::POST, &rotate, "turn", Some(json!({"overlap_seconds": 3600}))).await;
    assert!(replay.replayed && replay.body["api_key"].is_null());
    desk.post(&rotate, json!({})).await.refused(409, "api_key_rotated");
    for key in [old, new] {
        app.get(key, READS).await.ok();
    }
    let listed = desk.get(KEYS).await.ok();
    let of = |id: &Value| listed["items"].as_array().unwrap().iter().find(|item| item["id"] == *id).unwrap().clone();
    assert_eq!((&of(&made["id"])["status"], &of(&made["id"])["rotated_to"]), (&json!("rotating"), &rotated["id"]), "told in the list");
    assert!(of(&made["id"])["expires_at"].is_string() && of(&rotated["id"])["expires_at"].is_null());
    app.clock.advance_seconds(3601);
    app.get(old, READS).await.refused(401, "invalid_api_key");
    app.get(new, READS).await.ok();
    let path = format!("{KEYS}/{id}");
    let status = async || desk.get(&path).await.ok()["status"].clone();
    assert_eq!(status().await, json!("expired"));
    desk.delete(id).await.ok();
    assert_eq!(status().await, json!("revoked"));
    desk.post(&rotate, json!({})).await.refused(409, "api_key_revoked");

    let until = app.clock.now().plus_seconds(60);
    let short =
        desk.post(KEYS, json!({"label": "short", "permissions": ["access:read"], "livemode": true, "expires_at": until})).await.ok();
    let heir = desk.post(&format!("{KEYS}/{}/rotate", text(&short["id"])), json!({"overlap_seconds": 10})).await.ok();
    assert_eq!(heir["expires_at"], short["expires_at"], "rotating does not lengthen a key's life");
    app.clock.advance_seconds(61);
    for gone in [&short, &heir] {
        app.get(text(&gone["api_key"]), READS).await.refused(401, "invalid_api_key");
    }
    desk.post(&format!("{KEYS}/{}/rotate", text(&heir["id"])), json!({})).await.refused(409, "api_key_expired");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_is_noted_to_the_minute_and_costs_no_event() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app, app.owner).await;
    let made = desk.post(KEYS, json!({"label": "x", "permissions": ["access:read"], "livemode": true})).await.ok();
    let (path, key) = (format!("{KEYS}/{}", text(&made["id"])), text(&made["api_key"]));
    assert_eq!(desk.get(&path).await.ok()["last_used_at"], Value::Null);
    let head = app.state.log.head().await.unwrap().next_position;
    let noted = async |before: Value| {
        let begun = Instant::now();
        loop {
            let used = desk.get(&path).await.ok()["last_used_at"].clone();
            if used != before {
                return used;
            }
            assert!(begun.elapsed() < SOON, "the use is noted");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    app.get(key, READS).await.ok();
    let first = noted(Value::Null).await;
    for _ in 0..20 {
        app.get(key, READS).await.ok();
    }
    app.clock.advance_seconds(30);
    app.get(key, READS).await.ok();
    assert_eq!(desk.get(&path).await.ok()["last_used_at"], first, "the same minute");
    app.clock.advance_seconds(31);
    app.get(key, READS).await.ok();
    noted(first).await;
    assert_eq!(app.state.log.head().await.unwrap().next_position, head, "no event");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_gone_in_every_process_within_a_second() {
    let app = TestApp::start(&[]).await;
    let listen = format!("127.0.0.1:{}", free_port());
    let mut command = hilt(&["serve", "--roles", "api"]);
    command
        .env("HILT_DATABASE_URL", app.database.service_url())
        .env("HILT_NATS_URL", hilt_tests::stack::nats_url())
        .env("HILT_NATS_PREFIX", hilt_tests::stack::nats_prefix())
        .env("HILT_MASTER_KEY", hex::encode([7; 32]))
        .env("HILT_FEE_WALLET", "11111111111111111111111111111112")
        .env("HILT_LISTEN", &listen)
        .env("HILT_LOG", "error");
    let _second = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let there = async |key: &str| {
        let answer = http.get(format!("http://{listen}{READS}")).header("X-Hilt-Key", key).send().await;
        answer.map(|answer| answer.status().as_u16()).ok()
    };
    let begun = Instant::now();
    while there(&app.live_key).await != Some(200) {
        assert!(begun.elapsed() < SOON, "the second process is up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let desk = Desk::of(&app, app.owner).await;
    let made = desk.post(KEYS, json!({"label": "x", "permissions": [Scope::Read], "livemode": true})).await.ok();
    let key = text(&made["api_key"]);
    assert_eq!(there(key).await, Some(200), "a new key works at once everywhere");
    app.get(key, READS).await.ok();
    desk.delete(text(&made["id"])).await.ok();
    let revoked = Instant::now();
    let (mut last_here, mut last_there) = (Duration::ZERO, Duration::ZERO);
    while revoked.elapsed() < Duration::from_secs(1) {
        if app.get(key, READS).await.status.is_success() {
            last_here = revoked.elapsed();
        }
        if there(key).await == Some(200) {
            last_there = revoked.elapsed();
        }
    }
    println!("revoked: worked for {last_here:?} in this process and for {last_there:?} in the other");
    app.get(key, READS).await.refused(401, "invalid_api_key");
    assert_eq!(there(key).await, Some(401));
    app.close().await;
}
