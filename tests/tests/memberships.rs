//! Memberships over HTTP, with a clock that the test moves: from the first payment to the end and on, and what a merchant does about
//! them. Payments are made through deciders; that real ones lead to the same is what the lifecycle's tests are for.

use api::http::jwt::Role;
use events::{
    log::Context,
    unit::Unit,
    vocab::{
        id::OwnerId,
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::Scope,
    },
};
use hilt_tests::{
    app::{Answer, SOON, TestApp},
    payments::{self, Paid, Shop, paid, paid_again},
    receiver::Receiver,
};
use ledger::subject::{self, Subject};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use workers::memberships::Sweep;

const DAY: i64 = 86_400;

struct Scene {
    app: TestApp,
    shop: Shop,
    key: String,
}

impl Scene {
    async fn open() -> Self {
        let app = TestApp::start(&[]).await;
        let shop = payments::shop(&app.state.log, true).await;
        let key = app.key(shop.owner_id, true, Scope::ALL).await;
        Scene { app, shop, key }
    }

    async fn join(&self) -> Paid {
        let paid = paid(&self.app.state.log, &self.shop).await;
        self.until(&paid, |member| member["latest_payment_id"] == json!(paid.session.payment_id)).await;
        paid
    }

    async fn renew(&self, member: &Paid) -> Paid {
        let again = paid_again(&self.app.state.log, &self.shop, member).await;
        self.until(member, |member| member["latest_payment_id"] == json!(again.session.payment_id)).await;
        again
    }

    async fn until(&self, member: &Paid, holds: impl Fn(&Value) -> bool) -> Value {
        self.app.until(&self.key, &path(member, ""), holds).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.get(&self.key, path).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.app.post(&self.key, path, body).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        let request = self.app.request(Method::PATCH, path).header("X-Hilt-Key", &self.key);
        self.app.send(request.json(&body)).await
    }

    async fn post_nothing(&self, path: &str) -> Answer {
        self.app.send(self.app.request(Method::POST, path).header("X-Hilt-Key", &self.key)).await
    }

    /// Whether the customer of every payment here has access.
    async fn check(&self) -> Value {
        let body = json!({"access_product_id": self.shop.access_product_id, "external_customer_id": "customer-1", "rail": "solana_usdc"});
        self.app.post(&self.key, "/v1/access/entitlements/check", body).await.ok()
    }

    async fn logged(&self, event_type: &str) -> usize {
        let token = self.app.token(Role::Auditor, None).await;
        let path = format!("/v1/admin/access/audit-events?type={event_type}&limit=100");
        let page = self.app.send(self.app.request(Method::GET, &path).bearer_auth(token)).await.ok();
        page["items"].as_array().map_or(0, Vec::len)
    }

    fn pass(&self, days: i64) {
        self.app.clock.advance_seconds(days * DAY);
    }
}

fn path(member: &Paid, rest: &str) -> String {
    format!("/v1/memberships/{}{rest}", member.membership_id)
}

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

/// What of that type happened to a member.
fn happened<'a>(member: &'a Value, event: &str) -> Vec<&'a Value> {
    member["history"].as_array().unwrap().iter().filter(|happened| happened["event"] == json!(event)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_goes_over_reminders_and_grace_to_its_end_and_begins_again_with_a_payment() {
    let scene = Scene::open().await;
    let receiver = Receiver::start().await;
    let hook = json!({"label": "ended", "url": receiver.url("ended"), "product_ids": [], "subscribed_events": ["membership.expired"]});
    scene.post("/v1/access/webhooks", hook).await.ok();
    let member = scene.join().await;
    let first = scene.get(&path(&member, "")).await.ok();
    assert_eq!((&first["status"], &first["platform"]), (&json!("ACTIVE"), &json!("TELEGRAM")), "{first}");
    assert_eq!(first["platform_identity"], json!({"type": "TELEGRAM_USER_ID", "value": "7710", "display": "@crzypeas"}));
    let (start, end) = (time(&first["current_period_start_at"]), time(&first["current_period_end_at"]));
    assert_eq!(start.plus_days(30), end, "MON-7");
    assert_eq!(first["receipt_id"], json!(member.receipt_id));

    for (days, offset) in [(23, 7), (5, 2), (1, 1)] {
        scene.pass(days);
        let reminded = |member: &Value| happened(member, "membership.renewal_reminder_sent").last().map(|sent| sent["days"].clone());
        scene.until(&member, |member| reminded(member) == Some(json!(offset))).await;
    }
    let due = scene.get(&path(&member, "/subscription")).await.ok();
    assert_eq!((&due["collection_state"], &due["next_action"]), (&json!("renewal_due"), &json!("buyer_approves_renewal")), "{due}");
    assert_eq!(due["paid_through_at"], first["current_period_end_at"]);

    scene.pass(1);
    assert_eq!(scene.get(&path(&member, "")).await.ok()["status"], json!("GRACE"), "by the clock, whether or not it is on record");
    assert_eq!(scene.check().await["reason"], json!("active_membership"), "grace keeps access");
    scene.until(&member, |member| happened(member, "membership.entered_grace").len() == 1).await;
    scene.pass(3);
    assert_eq!(scene.get(&path(&member, "")).await.ok()["status"], json!("EXPIRED"));
    assert_eq!(scene.check().await["has_access"], json!(false));
    let over = scene.until(&member, |member| happened(member, "membership.expired").len() == 1).await;
    assert_eq!(happened(&over, "membership.renewal_reminder_sent").len(), 3, "each once: {over}");

    let report = scene.get("/v1/memberships/renewal-intelligence").await.ok();
    assert_eq!((&report["summary"]["lapsed"], &report["summary"]["active"]), (&json!(1), &json!(0)), "{report}");
    let recent: Vec<&str> = report["recent_events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert!(recent.contains(&"membership.expired") && recent.contains(&"membership.entered_grace"), "{recent:?}");

    scene.renew(&member).await;
    let back = scene.get(&path(&member, "")).await.ok();
    assert_eq!(
        (&back["status"], back["history"].as_array().unwrap().last().unwrap()["event"].as_str()),
        (&json!("ACTIVE"), Some("membership.renewed"))
    );
    assert!(time(&back["current_period_end_at"]) >= end.plus_days(33), "a late payment begins now: {back}");
    assert_eq!(scene.check().await["has_access"], json!(true));

    let deadline = Instant::now() + SOON;
    while receiver.received("ended").is_empty() {
        assert!(Instant::now() < deadline, "nobody was told of the end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene.pass(34);
    scene.until(&member, |member| happened(member, "membership.expired").len() == 2).await;
    while receiver.received("ended").len() < 2 {
        assert!(Instant::now() < deadline + SOON, "nobody was told of the second end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told: Vec<Value> = receiver.received("ended").iter().map(|message| message.json()).collect();
    assert_eq!(told.len(), 2, "each end once");
    assert_eq!(told[0]["type"], json!("membership.expired"));
    let ended = &told[0]["data"]["membership"];
    assert_eq!((&ended["id"], &ended["status"]), (&json!(member.membership_id), &json!("EXPIRED")), "{ended}");
    assert_eq!((&ended["current_period_end_at"], &ended["external_customer_id"]), (&json!(end), &json!("customer-1")));
    assert!(told[0]["data"]["access"]["access_product"]["id"].is_string(), "{}", told[0]);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_found_and_listed_by_what_support_is_told() {
    let scene = Scene::open().await;
    let empty = json!({"items": [], "count": 0, "has_more": false, "next_cursor": null});
    // A service that has just started builds its read models first.
    let asked = "/v1/memberships?status=ACTIVE&platform=TELEGRAM&q=crzy&limit=20&offset=0";
    scene.app.until(&scene.key, asked, |body| *body == empty).await;
    let member = scene.join().await;
    assert_eq!(scene.get(asked).await.ok()["count"], json!(1), "AC-28");
    let latest = scene.renew(&member).await;
    let full = scene.get(&path(&member, "")).await.ok();
    let wallet = full["wallet"].as_str().unwrap();
    let keys = ["wallet=".to_owned() + wallet, format!("tx_signature={}", member.tx), format!("tx_signature={}", latest.tx)];
    let identities = ["@crzypeas", "CrzyPeas", "7710", "customer-1", "Buyer@Example.com"].map(|identity| format!("identity={identity}"));
    for key in keys.iter().chain(&identities) {
        let found = scene.get(&format!("/v1/memberships/lookup?{key}")).await.ok();
        assert_eq!((&found["count"], &found["items"][0]["id"]), (&json!(1), &json!(member.membership_id)), "AC-29: {key}");
    }
    for nobody in ["wallet=nobody", "identity=crzy", "identity=%25", "tx_signature=nothing"] {
        assert_eq!(scene.get(&format!("/v1/memberships/lookup?{nobody}")).await.ok(), json!({"items": [], "count": 0}), "{nobody}");
    }
    for wrong in ["", "?wallet=a&identity=b", "?identity=", "?email=a@example.com"] {
        scene.get(&format!("/v1/memberships/lookup{wrong}")).await.refused(422, "lookup_key_required");
    }

    let product = format!("product_id={}", scene.shop.product_id);
    let access = format!("product_id={}", scene.shop.access_product_id);
    let tx = format!("q={}", member.tx.to_string()[3..20].to_uppercase());
    let (q_wallet, other) = (format!("q={}", wallet[2..12].to_lowercase()), format!("product_id={}", scene.shop.app_id));
    for (query, count) in [
        ("status=active", 1),
        ("status=GRACE", 0),
        ("status=REVOKED", 0),
        ("platform=telegram", 1),
        ("platform=DISCORD", 0),
        ("q=ZYPE", 1),
        ("q=771", 1),
        ("q=zy%25as", 0),
        (&tx, 1),
        (&q_wallet, 1),
        (&product, 1),
        (&access, 1),
        (&other, 0),
        ("limit=1&offset=1", 1),
    ] {
        assert_eq!(scene.get(&format!("/v1/memberships?{query}")).await.ok()["count"], json!(count), "RT-025: {query}");
    }
    for wrong in ["status=GONE", "platform=SLACK", "product_id=x", "limit=0", "limit=101", "cursor=x"] {
        scene.get(&format!("/v1/memberships?{wrong}")).await.refused(422, "validation_failed");
    }
    let second = scene.join().await;
    let page = scene.get("/v1/memberships?limit=1").await.ok();
    assert_eq!((&page["items"][0]["id"], &page["has_more"]), (&json!(second.membership_id), &json!(true)));
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = scene.get(&format!("/v1/memberships?limit=1&cursor={cursor}")).await.ok();
    assert_eq!((&rest["items"][0]["id"], &rest["count"], &rest["has_more"]), (&json!(member.membership_id), &json!(2), &json!(false)));

    scene.pass(57);
    let report = scene.get("/v1/memberships/renewal-intelligence").await.ok();
    let mut keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["expiring_memberships", "product_reports", "recent_events", "summary"], "AC-43");
    let expiring = report["expiring_memberships"].as_array().unwrap();
    assert_eq!((expiring.len(), &expiring[0]["id"]), (1, &json!(member.membership_id)), "ends in three days: {report}");
    assert_eq!((&expiring[0]["days_left"], &expiring[0]["collection_state"]), (&json!(2), &json!("renewal_due")));
    assert_eq!((&report["summary"]["expiring"], &report["summary"]["lapsed"]), (&json!(1), &json!(0)), "the other is over for longer");
    assert_eq!(report["product_reports"][0]["product_id"], json!(scene.shop.product_id));
    let none = scene.get(&format!("/v1/memberships/renewal-intelligence?{other}&window_days=1")).await.ok();
    assert_eq!(none["summary"]["expiring"], json!(0));
    scene.get("/v1/memberships/renewal-intelligence?window_days=0").await.refused(422, "validation_failed");
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_handles_gifts_and_revocations_are_answered_as_they_are_read_later() {
    let scene = Scene::open().await;
    let member = scene.join().await;
    let before = scene.get(&path(&member, "")).await.ok();
    let text = "Buyer is part of a managed migration cohort.";
    let noted = scene.patch(&path(&member, "/notes"), json!({"notes": text})).await.ok();
    assert_eq!(noted["notes"], json!(text), "AC-30");
    let named = scene.patch(&path(&member, "/profile"), json!({"platform_display": "@renamed"})).await.ok();
    assert_eq!((&named["platform_display"], &named["platform_identity"]), (&json!("@renamed"), &before["platform_identity"]));
    for handle in ["renamed", "@crzypeas"] {
        assert_eq!(scene.get(&format!("/v1/memberships/lookup?identity={handle}")).await.ok()["count"], json!(1), "{handle}");
    }
    for public in [format!("/v1/payments/{}", member.session.payment_id), format!("/v1/receipt/{}/verify", member.receipt_id)] {
        let shown = scene.app.get_public(&public).await.ok().to_string();
        assert!(!shown.contains("cohort") && !shown.contains("renamed"), "INV-73: {shown}");
    }

    let money = (scene.logged("payment.created").await, scene.logged("receipt.created").await);
    let gift = json!({"days": 30, "note": "Courtesy extension while we fix delivery automation."});
    let gifted = scene.app.post_as(&scene.key, &path(&member, "/gift"), "gift-1", gift.clone()).await.ok();
    let end = time(&before["current_period_end_at"]).plus_days(30);
    assert_eq!(time(&gifted["current_period_end_at"]), end, "AC-31");
    let again = scene.app.post_as(&scene.key, &path(&member, "/gift"), "gift-1", gift).await;
    assert!(again.replayed);
    assert_eq!(again.ok(), gifted, "a repeat gives nothing twice");
    scene.app.post_as(&scene.key, &path(&member, "/gift"), "gift-1", json!({"days": 1})).await.refused(422, "idempotency_key_reused");
    assert_eq!((scene.logged("payment.created").await, scene.logged("receipt.created").await), money, "INV-72");
    let read = scene.get(&path(&member, "")).await.ok();
    for (key, value) in gifted.as_object().unwrap() {
        assert_eq!(&read[key], value, "{key} is answered as it is read later");
    }
    assert_eq!(happened(&read, "membership.gifted")[0]["note"], json!("Courtesy extension while we fix delivery automation."));
    scene.pass(40);
    let held = scene.check().await;
    assert_eq!((&held["has_access"], time(&held["expires_at"])), (&json!(true), end), "days that were given give access");

    for (rest, body, code) in [
        ("/gift", json!({"days": 0}), "gift_days_out_of_range"),
        ("/gift", json!({"days": -1}), "gift_days_out_of_range"),
        ("/gift", json!({"days": 367}), "gift_days_out_of_range"),
        ("/gift", json!({"days": "30"}), "validation_failed"),
        ("/revoke", json!({"reason": "Ana was rude"}), "reason_required"),
        ("/revoke", json!({}), "validation_failed"),
    ] {
        scene.post(&path(&member, rest), body).await.refused(422, code);
    }
    scene.patch(&path(&member, "/profile"), json!({"platform_display": " "})).await.refused(422, "platform_display_required");
    scene.patch(&path(&member, "/notes"), json!({"notes": "x".repeat(5_001)})).await.refused(422, "text_too_long");
    assert_eq!(scene.patch(&path(&member, "/notes"), json!({"notes": null})).await.ok()["notes"], Value::Null);

    let cancelled = scene.post_nothing(&path(&member, "/cancel-renewal")).await.ok();
    assert_eq!(cancelled["cancel_at_period_end"], json!(true));
    assert_eq!(scene.get(&path(&member, "/subscription")).await.ok()["collection_state"], json!("cancelled"));
    scene.post_nothing(&path(&member, "/cancel-renewal")).await.ok();
    assert_eq!(scene.post_nothing(&path(&member, "/resume-renewal")).await.ok()["cancel_at_period_end"], json!(false));

    let revoke = json!({"reason": "refund", "note": "asked within the week"});
    let revoked = scene.post(&path(&member, "/revoke"), revoke.clone()).await.ok();
    assert_eq!((&revoked["status"], &revoked["revoke_reason"]), (&json!("REVOKED"), &json!("refund")));
    let denied = scene.check().await;
    assert_eq!((&denied["has_access"], &denied["reason"]), (&json!(false), &json!("entitlement_revoked")), "at once: {denied}");
    let repeated = scene.post(&path(&member, "/revoke"), revoke).await.ok();
    assert_eq!(repeated["updated_at"], revoked["updated_at"], "a repeat changes nothing");
    assert_eq!((scene.logged("membership.revoked").await, scene.logged("entitlement.revoked").await), (1, 1), "a repeat changes nothing");
    scene.post(&path(&member, "/gift"), json!({"days": 1})).await.refused(409, "membership_revoked");
    scene.post_nothing(&path(&member, "/cancel-renewal")).await.refused(409, "membership_revoked");
    let receipt = scene.app.get_public(&format!("/v1/receipt/{}/verify", member.receipt_id)).await.ok();
    assert_eq!(receipt["valid"], json!(true), "AC-40: the receipt outlives the membership");

    scene.renew(&member).await;
    let back = scene.get(&path(&member, "")).await.ok();
    let (start, end) = (time(&back["current_period_start_at"]), time(&back["current_period_end_at"]));
    assert_eq!((&back["status"], start.plus_days(30)), (&json!("ACTIVE"), end), "money that came all the same begins it anew: {back}");
    assert_eq!(scene.check().await["has_access"], json!(true));
    scene.pass(40);
    scene.post(&path(&member, "/revoke"), json!({"reason": "late"})).await.refused(409, "membership_not_active");
    let brought_back = scene.post(&path(&member, "/gift"), json!({"days": 5})).await.ok();
    assert_eq!(brought_back["status"], json!("ACTIVE"));
    assert_eq!(scene.check().await["has_access"], json!(true), "also when it had ended");
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_owner_a_sandbox_key_and_nobody_get_nowhere() {
    let scene = Scene::open().await;
    let member = scene.join().await;
    let routes = [
        (Method::GET, "", Value::Null),
        (Method::GET, "/subscription", Value::Null),
        (Method::PATCH, "/notes", json!({"notes": "x"})),
        (Method::PATCH, "/profile", json!({"platform_display": "x"})),
        (Method::POST, "/gift", json!({"days": 1})),
        (Method::POST, "/revoke", json!({"reason": "refund"})),
        (Method::POST, "/cancel-renewal", Value::Null),
        (Method::POST, "/resume-renewal", Value::Null),
    ];
    let sandbox = scene.app.key(scene.shop.owner_id, false, Scope::ALL).await;
    let owner: OwnerId = scene.shop.owner_id;
    let session = scene.app.token(Role::Owner, Some(owner)).await;
    let unknown = format!("/v1/memberships/{}", events::clock::new_id::<uuid::Uuid>());
    for (method, rest, body) in routes {
        let ask = |at: &str| {
            let request = scene.app.request(method.clone(), &format!("{at}{rest}"));
            if body.is_null() { request } else { request.json(&body) }
        };
        let own = path(&member, "");
        scene.app.send(ask(&own).header("X-Hilt-Key", &scene.app.live_key)).await.refused(404, "membership_not_found");
        scene.app.send(ask(&unknown).header("X-Hilt-Key", &scene.key)).await.refused(404, "membership_not_found");
        scene.app.send(ask("/v1/memberships/x").header("X-Hilt-Key", &scene.key)).await.refused(404, "membership_not_found");
        scene.app.send(ask(&own).header("X-Hilt-Key", &sandbox)).await.refused(403, "live_key_required");
        scene.app.send(ask(&own)).await.refused(401, "auth_required");
    }
    assert_eq!(scene.app.get(&scene.app.live_key, "/v1/memberships").await.ok()["count"], json!(0));
    let strangers = scene.app.get(&scene.app.live_key, "/v1/memberships/renewal-intelligence").await.ok();
    assert_eq!((&strangers["summary"]["active"], &strangers["recent_events"]), (&json!(0), &json!([])));
    for event in ["membership.notes_saved", "membership.gifted", "membership.revoked", "subscription.cancel_requested"] {
        assert_eq!(scene.logged(event).await, 0, "{event} by a stranger");
    }
    let by_session = scene.app.request(Method::GET, &path(&member, "")).bearer_auth(session);
    assert_eq!(scene.app.send(by_session).await.ok()["status"], json!("ACTIVE"), "the owner's dashboard session may");
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sweeps_of_several_processes_put_everything_on_record_once() {
    let scene = Scene::open().await;
    let mut members = Vec::new();
    for _ in 0..12 {
        members.push(scene.join().await);
    }
    let (state, clock) = (&scene.app.state, scene.app.clock.clone());
    let (log, reader, handover) = (state.log.clone(), state.reader.clone(), state.handover.clone());
    let sweep = Sweep { log, reader, clock, handover, reminders: None };
    // The service's own sweep runs beside these.
    let at_once = || async {
        let sweeps = (0..6).map(|_| sweep.once());
        for swept in futures::future::join_all(sweeps).await {
            swept.unwrap();
        }
    };
    scene.pass(29);
    at_once().await;
    for member in &members {
        scene.until(member, |member| !happened(member, "membership.renewal_reminder_sent").is_empty()).await;
    }
    at_once().await;
    assert_eq!(scene.logged("membership.renewal_reminder_sent").await, 12, "three were missed: the nearest is sent, alone");
    scene.pass(10);
    at_once().await;
    for member in &members {
        scene.until(member, |member| !happened(member, "membership.expired").is_empty()).await;
    }
    at_once().await;
    assert_eq!((scene.logged("membership.entered_grace").await, scene.logged("membership.expired").await), (12, 12));
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_member_is_blank_and_cannot_be_found_and_his_time_still_ends() {
    let scene = Scene::open().await;
    let member = scene.join().await;
    scene.patch(&path(&member, "/notes"), json!({"notes": "Ana knows the founder"})).await.ok();
    scene.post(&path(&member, "/gift"), json!({"days": 2, "note": "sorry, Ana"})).await.ok();
    let log = &scene.app.state.log;
    let subject_id = member.session.subject_id;
    log.vault().erase(subject_id).await.unwrap();
    let context = Context {
        owner_id: Some(scene.shop.owner_id),
        livemode: true,
        actor: Actor::system("test"),
        request_id: None,
        correlation_id: subject_id.0,
    };
    let mut unit = Unit::new(log, context);
    let mut stream = unit.load::<Subject>(StreamId::new(Category::Subject, subject_id)).await.unwrap();
    unit.decide(&mut stream, subject::Command::Erase { subject_id, reason: "asked".into(), approval: None }, None).unwrap();
    unit.commit().await.unwrap();

    let blank = scene.until(&member, |member| member["email"].is_null()).await;
    let text = blank.to_string();
    for personal in ["crzypeas", "7710", "customer-1", "example.com", "Ana"] {
        assert!(!text.contains(personal), "{personal} is left in {text}");
    }
    for identity in ["@crzypeas", "7710", "customer-1", "buyer@example.com"] {
        assert_eq!(scene.get(&format!("/v1/memberships/lookup?identity={identity}")).await.ok()["count"], json!(0), "{identity}");
    }
    scene.patch(&path(&member, "/notes"), json!({"notes": "again"})).await.refused(422, "identity_erased");
    scene.pass(36);
    scene.until(&member, |member| happened(member, "membership.expired").len() == 1).await;
    scene.app.close().await;
}
