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
};
use replay_tool::{ExportOptions, VerifyOptions, export, verify, verify_bundle};
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path, time::Instant};
use tokio::process::Command;

/// What the buyer is called, and what is said of him: each stands in no other text.
const CUSTOMER: &str = "zaphodcustomer77";
const EMAIL: &str = "zaphodmail@beeblebrox.example";
const OTHERS: [&str; 14] = [
    "zaphodmetadata", "zaphodresource", "zaphodsandbox", "zaphodnotes", "zaphodgift", "zaphodhandle", "zaphodname", "zaphodbilling",
    "zaphodinvoice", "zaphodsubject", "zaphodbody", "zaphodmessage", "zaphodanswer", "zaphodreply",
];
/// What the tests' settlement says of every member.
const MADE_UP: [&str; 2] = ["crzypeas", "customer-1"];

fn needles() -> impl Iterator<Item = &'static str> {
    [CUSTOMER, "beeblebrox"].into_iter().chain(OTHERS).chain(MADE_UP)
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
        let none = Value::Null;
        let (payment, receipt, membership, entitlement, session, ticket) =
            (none.clone(), none.clone(), none.clone(), none.clone(), none.clone(), none);
        let mut scene =
            Scene { app, receiver, staff, payment, receipt, membership, entitlement, session, ticket, answered: Vec::new() };
        scene.buys().await;
        scene.is_talked_of().await;
        scene
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
        self.app.post(&self.app.live_key, "/v1/access/webhooks", hook).await.ok();
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
        let sandbox = json!({"external_product_id": "pro-ai-api", "external_customer_id": CUSTOMER, "email": EMAIL,
            "metadata": {"note": "zaphodsandbox"}, "confirm_sandbox_mode": true});
        // The live product is none of the sandbox's; where it is refused there is nothing to erase.
        self.app.post(&self.app.sandbox_key, "/v1/access/sandbox/payment-sessions", sandbox).await;
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
        ] {
            let answer = self.app.request(Method::GET, &path).header("X-Hilt-Key", &self.app.live_key).send().await.unwrap();
            read.push((path, String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned()));
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
    let unseen: Vec<&str> = needles().filter(|needle| !before.contains(needle)).collect();
    println!("not shown by any read before: {unseen:?}");
    for needle in [CUSTOMER, "beeblebrox", "zaphodnotes", "zaphodhandle", "zaphodname", "zaphodsubject", "zaphodbody", "zaphodanswer"] {
        assert!(before.contains(needle), "{needle} is shown before");
    }
    assert!(!app.database.tables_holding(CUSTOMER).await.is_empty() && !app.database.tables_holding("zaphodsubject").await.is_empty());

    // Whatever support knows of him leads to him, and to nobody who is not there.
    let him = scene.persons(json!({"payment_id": scene.payment})).await;
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
        assert!(!found.is_empty() && found.is_subset(&him), "{key}: {found:?}, {him:?}");
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
    assert!(scene.persons(json!({"payment_id": scene.payment})).await.is_superset(&him), "ids stay, and lead to nothing");
    scene
        .staff(0, "/subjects/find", json!({"owner_id": app.owner, "email": EMAIL}))
        .await
        .refused(404, "subject_not_found");

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
    let none = Value::Null;
    let scene = Scene {
        app,
        receiver,
        staff,
        payment: none.clone(),
        receipt: none.clone(),
        membership: none.clone(),
        entitlement: none.clone(),
        session: none.clone(),
        ticket: none,
        answered: Vec::new(),
    };
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
