//! A person is erased on the word of two: one key is destroyed, what he was called is nowhere any more, and every proof still verifies.

use crate::{log_key, text};
use api::http::jwt::Role;
use events::vocab::{
    id::{ProductId, SubjectId},
    stream::{Category, StreamId},
};
use hilt_tests::{
    app::{Answer, SOON, TestApp},
    bundles, payments,
    processes::{Folder, free_port},
    receiver::{Answer as Reply, Receiver},
    solana_tx::Keypair,
};
use replay_tool::{AsOf, ExportOptions, VerifyOptions, When, as_of, export, inspect, trail, verify, verify_bundle};
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path, time::Instant};
use tokio::process::Command;

/// What the buyer is called, and what is said of him: each stands in no other text.
const CUSTOMER: &str = "zaphodcustomer77";
const EMAIL: &str = "zaphodmail@beeblebrox.example";
const OTHERS: [&str; 15] = [
    "zaphodbuyer",
    "zaphodmetadata",
    "zaphodresource",
    "zaphodsandbox",
    "zaphodnotes",
    "zaphodgift",
    "zaphodhandle",
    "zaphodname",
    "zaphodbilling",
    "zaphodinvoice",
    "zaphodsubject",
    "zaphodbody",
    "zaphodmessage",
    "zaphodanswer",
    "zaphodreply",
];
/// Who he is at a platform: another person to the log, until somebody shows that it is he.
const TELEGRAM: &str = "728255790142";
/// What the tests' settlement says of every member.
const MADE_UP: [&str; 2] = ["crzypeas", "customer-1"];

fn needles() -> impl Iterator<Item = &'static str> {
    [CUSTOMER, "beeblebrox", TELEGRAM].into_iter().chain(OTHERS).chain(MADE_UP)
}

/// A merchant, a buyer of whom everything is known that may be, and what he has.
struct Scene {
    app: TestApp,
    receiver: Receiver,
    staff: [String; 2],
    payment: Value,
    receipt: Value,
    membership: Value,
    entitlement: Value,
    session: Value,
    ticket: Value,
    hook: Value,
    /// Requests under an `Idempotency-Key`, with what they were answered.
    answered: Vec<(String, String, Value)>,
}

fn id(value: &Value) -> &str {
    value.as_str().expect("an id")
}

impl Scene {
    async fn open() -> Self {
        // Nobody answers there: mail waits.
        let smtp = format!("smtp://127.0.0.1:{}?tls=none", free_port());
        let app = TestApp::start(&[("HILT_SMTP_URL", &smtp), ("HILT_MAIL_FROM", "Hilt <receipts@hilt.example>")]).await;
        let staff = [app.token_of("staff-1", Role::Staff, None).await, app.token_of("staff-2", Role::Staff, None).await];
        let receiver = Receiver::start().await;
        receiver.answers("hook", [], Reply::Said(500, "zaphodreply is unknown here"));
        let mut scene = Scene::bare(app, receiver, staff);
        scene.buys().await;
        scene.comes_from_telegram().await;
        scene.is_talked_of().await;
        scene
    }

    /// Of whom nothing is known yet.
    fn bare(app: TestApp, receiver: Receiver, staff: [String; 2]) -> Self {
        let [payment, receipt, membership, entitlement, session, ticket, hook] = [const { Value::Null }; 7];
        Scene { app, receiver, staff, payment, receipt, membership, entitlement, session, ticket, hook, answered: Vec::new() }
    }

    /// A write under a key of its own.
    async fn keyed(&mut self, method: Method, path: &str, body: Value) -> Value {
        let key = format!("write-{}", self.answered.len());
        let request = self.app.request(method.clone(), path).header("X-Hilt-Key", &self.app.live_key).header("Idempotency-Key", &key);
        let answer = self.app.send(request.json(&body)).await.ok();
        self.answered.push((format!("{method} {path}"), key, body));
        answer
    }

    async fn buys(&mut self) {
        let shop = crate::shop::Shop::open(&self.app).await;
        let hook = json!({"url": self.receiver.url("hook"), "subscribed_events": ["payment.confirmed", "membership.activated"]});
        self.hook = self.app.post(&self.app.live_key, "/v1/access/webhooks", hook).await.ok()["id"].clone();
        let body = json!({"external_product_id": shop.product, "external_customer_id": CUSTOMER, "email": EMAIL, "rail": "solana_usdc",
            "metadata": {"note": "zaphodmetadata"}});
        let made = self.keyed(Method::POST, "/v1/access/payment-sessions", body).await;
        self.session = made["payment_session"]["id"].clone();
        let over_x402 = json!({"external_product_id": shop.product, "external_customer_id": CUSTOMER, "payment_protocol": "x402",
            "settlement_rail": "solana_usdc", "metadata": {"resource": "https://api.example.com/zaphodresource"}});
        self.keyed(Method::POST, "/v1/access/payment-sessions", over_x402).await;

        // The chain is of no matter here: the settlement is made by the deciders themselves.
        let log = self.app.state.log.clone();
        let session_id: uuid::Uuid = id(&self.session).parse().unwrap();
        let events = log.read_stream(StreamId::new(Category::PaymentSession, session_id), 0).await.unwrap();
        let events::vocab::event::Event::PaymentSessionCreated(created) = events[0].decode().unwrap() else { panic!("a session") };
        let open = payments::OpenSession {
            correlation_id: events[0].envelope.correlation_id,
            session_id: created.session_id,
            payment_id: created.payment_id,
            entitlement_id: created.entitlement_id,
            subject_id: created.subject_id,
        };
        let (product_id, access_product_id): (ProductId, _) = (created.product_id, created.access_product_id);
        let shop = payments::Shop { owner_id: self.app.owner, app_id: created.app_id, product_id, access_product_id };
        let (proof, tx) = payments::prove(&log, &shop, &open).await;
        let paid = payments::settle(&log, &shop, &open, proof, tx).await;
        self.payment = json!(open.payment_id);
        self.receipt = json!(paid.receipt_id);
        self.membership = json!(paid.membership_id);
        self.entitlement = json!(open.entitlement_id);
        self.app.caught_up().await;
    }

    /// The hosted checkout: a handoff of his merchant's, and an identity that his wallet is to sign for.
    async fn comes_from_telegram(&mut self) {
        let membership = json!({"enabled": true, "platform": "TELEGRAM", "access_mode": "INVITE_LINK",
            "identity_type": "TELEGRAM_USER_ID", "identity_label": "Telegram", "identity_required": true, "billing_interval_days": 30,
            "grace_period_days": 3, "renewal_reminder_offsets_days": [], "platform_target_label": "Private group"});
        let wallet = Keypair::generate().address().to_string();
        let product = json!({"product_type": "PAYMENT_LINK", "title": "Inner Circle", "amount_minor_units": 29_000_000,
            "token_mint": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "merchant_wallet": wallet, "delivery_type": "TELEGRAM_INVITE",
            "delivery_value": "https://t.me/+private", "membership_config": membership});
        let product = self.app.post(&self.app.live_key, "/v1/products", product).await.ok();
        let buyer = json!({"identity_type": "TELEGRAM_USER_ID", "identity_value": TELEGRAM, "identity_display": "@zaphodbuyer",
            "expires_in_minutes": 30});
        self.keyed(Method::POST, &format!("/v1/products/{}/handoff-link", id(&product["id"])), buyer).await;
        let start = json!({"slug": product["slug"], "wallet_address": Keypair::generate().address().to_string(),
            "wallet_source": "EXTERNAL_PHANTOM", "customer_reference_type": "TELEGRAM_USER_ID", "customer_reference_value": TELEGRAM,
            "customer_reference_display": "@zaphodbuyer"});
        self.app.send(self.app.request(Method::POST, "/v1/pay/identity/start").json(&start)).await.ok();
    }

    async fn is_talked_of(&mut self) {
        let (membership, receipt) = (id(&self.membership).to_owned(), id(&self.receipt).to_owned());
        let member = |path: &str| format!("/v1/memberships/{membership}{path}");
        self.keyed(Method::PATCH, &member("/notes"), json!({"notes": "zaphodnotes"})).await;
        self.keyed(Method::POST, &member("/gift"), json!({"days": 2, "note": "zaphodgift"})).await;
        self.keyed(Method::PATCH, &member("/profile"), json!({"platform_display": "@zaphodhandle"})).await;
        let invoice = json!({"invoice_number": "zaphodinvoice", "buyer_name": "zaphodname", "buyer_email": EMAIL,
            "billing_reference": "zaphodbilling", "notes": "zaphodnotes"});
        self.keyed(Method::PATCH, &format!("/v1/receipt/{receipt}/invoice-metadata"), invoice).await;
        let mail = json!({"email": EMAIL, "message": "zaphodmessage"});
        self.keyed(Method::POST, &format!("/v1/receipt/{receipt}/send-proof"), mail).await;
        let ticket = json!({"subject": "zaphodsubject has no access", "category": "OTHER", "body": "zaphodbody cannot get in",
            "context": {"membership_id": membership}});
        self.ticket = self.keyed(Method::POST, "/v1/support/tickets", ticket).await["ticket_id"].clone();
        let path = format!("/v1/support/tickets/{}/message", id(&self.ticket));
        self.keyed(Method::POST, &path, json!({"body": "zaphodanswer is what he says", "author_type": "BUYER"})).await;
        let key = self.app.sandbox_key.clone();
        let own = self.app.post(&key, "/v1/access/apps", json!({"name": "Pro", "external_app_id": "try"})).await.ok();
        let product = json!({"access_app_id": own["id"], "external_product_id": "try", "title": "Pro", "amount_minor_units": 25_000_000,
            "merchant_wallet": "11111111111111111111111111111112", "entitlement_duration_days": 30, "default_rail": "x402",
            "allowed_rails": ["x402"], "status": "active"});
        self.app.post(&key, "/v1/access/products", product).await.ok();
        let sandbox = json!({"external_product_id": "try", "external_customer_id": CUSTOMER, "email": "zaphodsandbox@example.com",
            "rail": "x402", "confirm_sandbox_mode": true});
        self.app.post(&key, "/v1/access/sandbox/payment-sessions", sandbox).await.ok();
        let deadline = Instant::now() + SOON;
        while self.receiver.received("hook").len() < 2 {
            assert!(Instant::now() < deadline, "the receiver is told of the payment and of the membership");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        crate::shop::until_event(&self.app, "webhook.retry_scheduled").await;
        crate::shop::until_event(&self.app, "mail.failed").await;
        self.app.caught_up().await;
    }

    async fn staff(&self, who: usize, path: &str, body: Value) -> Answer {
        let request = self.app.request(Method::POST, &format!("/v1/admin/access{path}")).bearer_auth(&self.staff[who]);
        self.app.send(request.json(&body)).await
    }

    /// Everyone whom `key` leads to.
    async fn persons(&self, key: Value) -> BTreeSet<String> {
        let found = self.staff(0, "/subjects/find", key).await.ok();
        found["subjects"].as_array().unwrap().iter().map(|person| id(&person["subject_id"]).to_owned()).collect()
    }

    async fn asked(&self, subject: &str) -> Value {
        let asked = json!({"action": "subject_erasure", "target": subject, "reason": "gdpr_request"});
        self.staff(0, "/approvals", asked).await.ok()
    }

    async fn agreed(&self, subject: &str) -> String {
        let asked = self.asked(subject).await;
        let path = format!("/approvals/{}/approve", id(&asked["id"]));
        self.staff(0, &path, json!({"reason": "gdpr_request"})).await.refused(403, "second_approver_required");
        self.staff(1, &path, json!({"reason": "checked"})).await.ok();
        id(&asked["id"]).to_owned()
    }

    async fn erase(&self, subject: &str, approval: &str) -> Answer {
        self.staff(0, &format!("/subjects/{subject}/erase"), json!({"approval_id": approval})).await
    }

    /// `hilt erase-subject`: whether it succeeded, and what it said.
    async fn command(&self, subject: &str, approval: &str) -> (bool, String) {
        let binaries = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned();
        let run = Command::new(binaries.join("hilt"))
            .args(["erase-subject", subject, "--approval", approval])
            .env("HILT_DATABASE_URL", self.app.database.service_url())
            .env("HILT_MASTER_KEY", "07".repeat(32))
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        (run.status.success(), format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr)))
    }

    /// Everything that anybody can read of him over the API, with where it was read.
    async fn reads(&self) -> Vec<(String, String)> {
        let (payment, receipt, membership) = (id(&self.payment), id(&self.receipt), id(&self.membership));
        let (entitlement, session, ticket) = (id(&self.entitlement), id(&self.session), id(&self.ticket));
        let mut read = Vec::new();
        for path in [
            "/v1/access/payment-sessions".to_owned(),
            format!("/v1/access/payment-sessions/{session}"),
            "/v1/access/entitlements".to_owned(),
            format!("/v1/access/entitlements/{entitlement}"),
            "/v1/access/events".to_owned(),
            "/v1/access/webhooks".to_owned(),
            "/v1/memberships".to_owned(),
            format!("/v1/memberships/{membership}"),
            format!("/v1/memberships/lookup?identity={CUSTOMER}"),
            format!("/v1/memberships/lookup?identity={EMAIL}"),
            "/v1/payments".to_owned(),
            format!("/v1/payments/{payment}"),
            format!("/v1/payments/{payment}/history"),
            "/v1/receipts".to_owned(),
            format!("/v1/receipt/{receipt}"),
            format!("/v1/receipt/{receipt}/pdf"),
            "/v1/support/tickets".to_owned(),
            format!("/v1/support/tickets/{ticket}"),
            "/v1/support/tickets?search=zaphodsubject".to_owned(),
            format!("/v1/access/webhooks/{}/deliveries", id(&self.hook)),
        ] {
            let answer = self.app.request(Method::GET, &path).header("X-Hilt-Key", &self.app.live_key).send().await.unwrap();
            read.push((path, String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned()));
        }
        let deliveries = format!("/v1/access/webhooks/{}/deliveries", id(&self.hook));
        let listed = self.app.get(&self.app.live_key, &deliveries).await.ok();
        for delivery in listed["items"].as_array().unwrap() {
            let path = format!("{deliveries}/{}", id(&delivery["id"]));
            let told = self.app.get(&self.app.live_key, &path).await.ok();
            read.push((path, told.to_string()));
        }
        for path in ["/v1/access/sandbox/payment-sessions", "/v1/access/entitlements"] {
            let answer = self.app.request(Method::GET, path).header("X-Hilt-Key", &self.app.sandbox_key).send().await.unwrap();
            read.push((format!("sandbox {path}"), String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned()));
        }
        for path in [format!("/v1/receipt/{receipt}/public"), format!("/r/{receipt}"), format!("/v1/receipt/{receipt}/proof?format=json")] {
            read.push((path.clone(), text(&self.app, &path).await));
        }
        for path in [
            "/v1/admin/access/audit-events?limit=200".to_owned(),
            "/v1/admin/access/entitlements".to_owned(),
            format!("/v1/admin/access/entitlements/{entitlement}"),
            "/v1/admin/access/approvals".to_owned(),
            "/v1/admin/support/tickets".to_owned(),
            format!("/v1/admin/support/tickets/{ticket}"),
            "/v1/admin/access/webhooks".to_owned(),
        ] {
            let answer = self.app.request(Method::GET, &path).bearer_auth(&self.staff[0]).send().await.unwrap();
            read.push((path, String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned()));
        }
        read
    }
}

/// The parts of `text` that name him; where he is asked for by name, the question may stand in the answer.
fn named(place: &str, text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    needles().filter(|needle| text.contains(needle) && !place.contains(needle)).collect()
}

fn says_nothing_of_him(folder: &Path) {
    for (name, bytes) in bundles::files(folder) {
        for needle in needles() {
            assert!(!bytes.windows(needle.len()).any(|part| part == needle.as_bytes()), "{name} holds {needle}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_he_was_called_is_left_anywhere_and_every_proof_still_verifies() {
    let scene = Scene::open().await;
    let app = &scene.app;
    // He can be read before, in every place that is searched after; else the search would find nothing because it looks at nothing.
    let before: BTreeSet<&str> = scene.reads().await.iter().flat_map(|(place, text)| named(place, text)).collect();
    // What is only sealed in the log is shown by nobody: the words in a mail, and who has not paid yet.
    let sealed = ["zaphodmessage", "zaphodbuyer", TELEGRAM];
    for needle in needles().filter(|needle| !sealed.contains(needle)) {
        assert!(before.contains(needle), "{needle} is shown before");
    }
    let end = app.state.log.watch_head().borrow().saturating_sub(1);
    assert!(!app.database.tables_holding(CUSTOMER).await.is_empty() && !app.database.tables_holding("zaphodsubject").await.is_empty());

    // Whatever support knows of him leads to him, and to nobody who is not there.
    let mut him = scene.persons(json!({"payment_id": scene.payment})).await;
    let telegram = json!({"owner_id": app.owner, "identity_type": "TELEGRAM_USER_ID", "identity_value": TELEGRAM});
    let known = him.clone();
    him.extend(scene.persons(telegram.clone()).await);
    assert!(him.len() > known.len(), "nobody has shown that the two are one");
    for key in [
        json!({"membership_id": scene.membership}),
        json!({"receipt_id": scene.receipt}),
        json!({"entitlement_id": scene.entitlement}),
        json!({"payment_session_id": scene.session}),
        json!({"ticket_id": scene.ticket}),
        json!({"owner_id": app.owner, "email": EMAIL.to_uppercase()}),
        json!({"owner_id": app.owner, "external_customer_id": CUSTOMER}),
    ] {
        let found = scene.persons(key.clone()).await;
        assert!(!found.is_empty() && found.is_subset(&known), "{key}: {found:?}, {known:?}");
    }
    scene.staff(0, "/subjects/find", json!({})).await.refused(422, "lookup_key_required");
    scene.staff(0, "/subjects/find", json!({"owner_id": app.owner, "email": "nobody@example.com"})).await.refused(404, "subject_not_found");
    let merchant = app.request(Method::POST, "/v1/admin/access/subjects/find").header("X-Hilt-Key", &app.live_key);
    app.send(merchant.json(&json!({"payment_id": scene.payment}))).await.refused(403, "staff_required");

    let proof = text(app, &format!("/v1/receipt/{}/proof", id(&scene.receipt))).await;
    for subject in &him {
        let approval = scene.agreed(subject).await;
        let (done, said) = scene.command(subject, &approval).await;
        assert!(done && said.contains("is erased"), "{said}");
    }
    app.caught_up().await;
    // What was due is looked at once more: nobody is told, and nothing is mailed.
    let told = scene.receiver.received("hook").len();
    app.clock.advance_seconds(3_600);
    crate::shop::until_event(app, "webhook.dead_lettered").await;
    let deadline = Instant::now() + SOON;
    while !crate::shop::events_of_type(app, "mail.failed").await.iter().any(|event| event["data"]["reason"] == json!("subject_erased")) {
        assert!(Instant::now() < deadline, "the mail is given up");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(scene.receiver.received("hook").len(), told, "no message after the erasure");
    app.caught_up().await;

    for needle in needles() {
        assert_eq!(app.database.tables_holding(needle).await, Vec::<String>::new(), "{needle}");
    }
    for (place, text) in scene.reads().await {
        assert_eq!(named(&place, &text), Vec::<&str>::new(), "{place}: {text}");
    }
    // Answers that were stored say nothing any more, and are not given as new ones.
    for (route, key, body) in &scene.answered {
        let (method, path) = route.split_once(' ').unwrap();
        let request = app.request(method.parse().unwrap(), path).header("X-Hilt-Key", &app.live_key).header("Idempotency-Key", key);
        let again = app.send(request.json(body)).await.refused(422, "identity_erased");
        assert_eq!(named("", &again.to_string()), Vec::<&str>::new(), "{route}");
    }
    assert!(scene.persons(json!({"payment_id": scene.payment})).await.is_superset(&known), "ids stay, and lead to nothing");
    for gone in [json!({"owner_id": app.owner, "email": EMAIL}), telegram] {
        scene.staff(0, "/subjects/find", gone).await.refused(404, "subject_not_found");
    }
    // Nor does the past tell, with every key that is left.
    let pool = app.database.pool().await;
    for projection in ["payment_sessions", "payments", "entitlements", "memberships", "receipts", "tickets", "webhook_deliveries"] {
        let asked = AsOf { projection: projection.to_owned(), when: When::Position(end), owner: None, ids: Vec::new() };
        let then = as_of(&pool, Some(&app.state.vault), &asked, &|_| {}).await.unwrap();
        let shown = serde_json::to_string(&then).unwrap();
        assert!(then.table_rows > 0, "{projection}");
        assert_eq!(named("", &shown), Vec::<&str>::new(), "{projection} at {end}: {shown}");
    }
    for named_by in [&scene.payment, &scene.membership, &scene.receipt] {
        let told = serde_json::to_string(&trail(&pool, id(named_by)).await.unwrap()).unwrap();
        assert_eq!(named("", &told), Vec::<&str>::new(), "{told}");
    }
    for position in 0..=end {
        let laid_open = serde_json::to_string(&inspect(&pool, &position.to_string()).await.unwrap()).unwrap();
        assert_eq!(named("", &laid_open), Vec::<&str>::new(), "{laid_open}");
    }

    // Everything that was provable is provable.
    let auditor = app.database.auditor_pool().await;
    let key = log_key(app).await;
    let vkey = Some(key.to_string());
    app.state.checkpointer.sign().await.unwrap();
    verify(&auditor, &VerifyOptions { vkey: vkey.clone(), ..VerifyOptions::default() }, &|_| {}).await.unwrap();
    for sealed in [false, true] {
        let folder = Folder::new();
        let options =
            ExportOptions { folder: folder.path().to_owned(), vkey: key.to_string(), from: 0, to: None, sealed, segment_events: 64 };
        export(&auditor, &options, &|_| {}).await.unwrap();
        verify_bundle(folder.path(), &VerifyOptions { vkey: vkey.clone(), ..VerifyOptions::default() }, &|_| {}).await.unwrap();
        says_nothing_of_him(folder.path());
    }
    let verdict = app.get_public(&format!("/v1/receipt/{}/verify", id(&scene.receipt))).await.ok();
    assert!(verdict.to_string().contains("true") && !verdict.to_string().contains("false"), "{verdict}");
    let later = text(app, &format!("/v1/receipt/{}/proof", id(&scene.receipt))).await;
    assert_eq!(later.lines().nth(1), proof.lines().nth(1), "at the place where it was");
    app.rebuilt_equals_live().await;
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_takes_two_people_is_done_once_and_goes_on_after_a_crash() {
    let app = TestApp::start(&[]).await;
    let staff = [app.token_of("staff-1", Role::Staff, None).await, app.token_of("staff-2", Role::Staff, None).await];
    let receiver = Receiver::start().await;
    let scene = Scene::bare(app, receiver, staff);
    let app = &scene.app;
    let vault = &app.state.vault;
    let mut people = Vec::new();
    for _ in 0..3 {
        people.push(vault.new_subject(app.owner).await.unwrap());
    }
    let [one, other, third] = [people[0].to_string(), people[1].to_string(), people[2].to_string()];
    let nobody = events::clock::new_id::<SubjectId>().to_string();
    let asked = |target: &str, reason: &str| json!({"action": "subject_erasure", "target": target, "reason": reason});
    scene.staff(0, "/approvals", asked(&nobody, "gdpr_request")).await.refused(404, "subject_not_found");
    scene.staff(0, "/approvals", asked(&one, "Zaphod asked for it")).await.refused(422, "validation_failed");

    let pending = scene.asked(&one).await;
    assert_eq!(pending["subject"]["subject_id"], json!(one));
    let pending = id(&pending["id"]).to_owned();
    scene.erase(&one, &pending).await.refused(409, "approval_not_approved");
    let words = json!({"reason": "Zaphod is right"});
    scene.staff(1, &format!("/approvals/{pending}/approve"), words).await.refused(422, "validation_failed");
    scene.staff(1, &format!("/approvals/{pending}/reject"), json!({"reason": "not_him"})).await.ok();
    scene.erase(&one, &pending).await.refused(409, "approval_not_approved");
    assert!(!vault.standing(people[0]).await.unwrap().unwrap().erased, "what is refused changes nothing");

    let approval = scene.agreed(&one).await;
    scene.erase(&other, &approval).await.refused(409, "approval_not_approved");
    scene.erase(&one, &nobody).await.refused(404, "approval_not_found");
    let (done, said) = scene.command(&other, &approval).await;
    assert!(!done && said.contains("approval_not_approved"), "{said}");
    assert!(!vault.standing(people[1]).await.unwrap().unwrap().erased);

    // A crash between the two steps: the key is gone, and nothing is on record. Whoever comes again finishes.
    vault.erase(people[0]).await.unwrap();
    let (done, said) = scene.command(&one, &approval).await;
    assert!(done && said.contains("is erased"), "{said}");
    let (done, said) = scene.command(&one, &approval).await;
    assert!(done && said.contains("was erased before"), "{said}");
    let again = scene.erase(&one, &approval).await.ok();
    assert_eq!((&again["repeated"], &again["approval_id"]), (&json!(true), &json!(approval)));
    let erased = crate::shop::events_of_type(app, "subject.erased").await;
    assert_eq!((erased.len(), &erased[0]["event_id"]), (1, &again["event_id"]));
    assert_eq!(erased[0]["data"]["approval"]["approved_by"], json!("staff-2"));
    let applied = crate::shop::events_of_type(app, "approval.applied").await;
    assert_eq!((applied.len(), &applied[0]["data"]["applied_event"]), (1, &again["event_id"]));
    scene.staff(0, "/approvals", asked(&one, "gdpr_request")).await.refused(422, "identity_erased");

    // Several at once: one of them does it.
    let approval = scene.agreed(&third).await;
    let at_once = futures::future::join_all((0..6).map(|_| scene.erase(&third, &approval))).await;
    let repeated = at_once.into_iter().map(|answer| answer.ok()["repeated"].clone()).filter(|repeated| *repeated == json!(true)).count();
    assert_eq!((repeated, crate::shop::events_of_type(app, "subject.erased").await.len()), (5, 2));
    app.caught_up().await;
    app.rebuilt_equals_live().await;
    scene.app.close().await;
}
