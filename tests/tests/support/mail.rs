use crate::{Merchant, shop::events_of_type, until_events};
use api::{
    app::{self, Parts},
    config::Config,
};
use events::vocab::words::Scope;
use hilt_tests::{app::TestApp, processes::free_port, smtp::MailServer};
use ledger::rails::Rails;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::net::TcpListener;

const FROM: &str = "Hilt <receipts@hilt.example>";

async fn start(url: &str) -> TestApp {
    TestApp::start(&[("HILT_SMTP_URL", url), ("HILT_MAIL_FROM", FROM)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_of_a_receipt_reaches_the_buyer() {
    let mut server = MailServer::start().await;
    let app = start(&server.url()).await;
    let merchant = Merchant::open(&app).await;
    let (key, path, receipt) = (&merchant.key, merchant.send_proof(), merchant.paid.receipt_id);
    app.post(key, &path, json!({})).await.refused(422, "email_required");
    for bad in ["nobody", "a@b.io, c@d.io", "a@b.io\r\nBcc: c@d.io", "\"a b\"@c.io"] {
        let refused = app.post(key, &path, json!({"email": bad})).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], json!("email"), "{bad}");
    }
    app.post(key, &path, json!({"email": "a@b.io", "message": "x".repeat(2_001)})).await.refused(422, "text_too_long");
    app.post(key, "/v1/receipt/00000000-0000-7000-8000-000000000001/send-proof", json!({"email": "a@b.io"}))
        .await
        .refused(404, "receipt_not_found");
    let stranger = app.key(events::clock::new_id(), true, Scope::ALL).await;
    app.post(&stranger, &path, json!({"email": "a@b.io"})).await.refused(404, "receipt_not_found");
    app.post(key, &path, json!({"email": "a@b.io", "ticket_id": "hilt_ticket_none"})).await.refused(404, "ticket_not_found");
    assert_eq!(events_of_type(&app, "mail.queued").await.len(), 0, "what is refused changes nothing");

    let asked = json!({"email": "Buyer@Example.com", "message": "Grüße 領収書\r\n\r\nBcc: thief@example.com <script>"});
    let first = app.post_as(key, &path, "once", asked.clone()).await;
    assert_eq!(first.status.as_u16(), 202);
    let answer = first.ok();
    assert_eq!(answer, json!({"receipt_id": receipt, "sent_to": "Buyer@example.com", "status": "QUEUED"}));
    let again = app.post_as(key, &path, "once", asked).await;
    assert!(again.replayed && again.ok() == answer);

    let mails = server.until_mails(1).await;
    let mail = &mails[0];
    assert_eq!(mail.0["envelope"], json!({"from": "receipts@hilt.example", "to": ["Buyer@example.com"]}));
    assert!(mail.text("from").contains("Hilt") && mail.text("from").contains("receipts@hilt.example"), "{}", mail.text("from"));
    assert_eq!((mail.text("to"), mail.text("subject")), ("Buyer@example.com", "Proof of your payment"));
    assert!(mail.text("message_id").ends_with("@hilt.example>"), "{}", mail.text("message_id"));
    assert!(mail.headers().iter().any(|header| header.eq_ignore_ascii_case("auto-submitted: auto-generated")), "{:?}", mail.headers());
    assert!(!mail.headers().iter().any(|header| header.to_lowercase().starts_with("bcc")), "{:?}", mail.headers());
    let (page, verify) = (format!("https://www.hilt.so/r/{receipt}"), format!("https://api.hilt.so/v1/receipt/{receipt}/verify"));
    let (text, html) = (mail.text("text"), mail.text("html"));
    for needed in [page.as_str(), &verify, "25 USDC", &merchant.paid.tx.to_string(), "> Grüße 領収書", "> Bcc: thief@example.com <script>"]
    {
        assert!(text.contains(needed), "{needed} is not in {text}");
    }
    for needed in [&format!("href=\"{page}\""), &format!("href=\"{verify}\""), "&lt;script&gt;", "Grüße 領収書"] {
        assert!(html.contains(needed), "{needed} is not in {html}");
    }

    merchant.saves_email(&app, "invoice@example.com").await;
    let answer = app.post(key, &path, json!({})).await.ok();
    assert_eq!(answer["sent_to"], json!("invoice@example.com"));
    let mails = server.until_mails(2).await;
    assert_eq!(mails[1].text("to"), "invoice@example.com");
    assert_ne!(mails[0].text("message_id"), mails[1].text("message_id"));
    until_events(&app, "mail.sent", 2).await;
    let (queued, sent) = (events_of_type(&app, "mail.queued").await, events_of_type(&app, "receipt.proof_sent").await);
    assert_eq!((queued.len(), sent.len(), server.mails().len()), (2, 2, 2));
    assert_eq!(queued[0]["causation_id"], sent[0]["event_id"]);
    let shown = format!("{queued:?}{sent:?}").to_lowercase();
    assert!(!shown.contains("example.com") && !shown.contains("proof of your"), "{shown}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_waits_for_its_server_and_a_refusal_for_good_ends_it() {
    let port = free_port();
    let app = start(&format!("smtp://127.0.0.1:{port}?tls=none")).await;
    let merchant = Merchant::open(&app).await;
    let send = async |email: &str| app.post(&merchant.key, &merchant.send_proof(), json!({"email": email})).await.ok();
    send("one@example.com").await;
    let failed = until_events(&app, "mail.failed", 1).await;
    assert_eq!((&failed[0]["attempt"], &failed[0]["reason"]), (&json!(1), &json!("connection")));
    assert!(!failed[0]["retry_at"].is_null());

    let mut server = MailServer::start_on(port).await;
    // Not yet due, so the second mail overtakes it.
    send("two@example.com").await;
    assert_eq!(server.until_mails(1).await[0].text("to"), "two@example.com");
    app.clock.advance_seconds(61);
    assert_eq!(server.until_mails(2).await[1].text("to"), "one@example.com");
    let sent = until_events(&app, "mail.sent", 2).await;
    assert_eq!(sent[1]["attempt"], json!(2));

    server.refuse(451).await;
    send("three@example.com").await;
    let failed = until_events(&app, "mail.failed", 2).await;
    assert_eq!((&failed[1]["reason"], !failed[1]["retry_at"].is_null()), (&json!("smtp_451"), true));
    server.refuse(550).await;
    app.clock.advance_seconds(61);
    let failed = until_events(&app, "mail.failed", 3).await;
    assert_eq!((&failed[2]["attempt"], &failed[2]["reason"], &failed[2]["retry_at"]), (&json!(2), &json!("smtp_550"), &Value::Null));
    server.refuse(0).await;
    app.clock.advance_seconds(86_400);
    send("four@example.com").await;
    assert_eq!(server.until_mails(3).await[2].text("to"), "four@example.com", "what was given up is not sent");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_gets_no_mail() {
    let port = free_port();
    let app = start(&format!("smtp://127.0.0.1:{port}?tls=none")).await;
    let merchant = Merchant::open(&app).await;
    app.post(&merchant.key, &merchant.send_proof(), json!({"email": "one@example.com"})).await.ok();
    until_events(&app, "mail.failed", 1).await;
    merchant.erases(&app, merchant.paid.session.subject_id).await;
    let server = MailServer::start_on(port).await;
    app.clock.advance_seconds(61);
    let failed = until_events(&app, "mail.failed", 2).await;
    assert_eq!((&failed[1]["reason"], &failed[1]["retry_at"]), (&json!("subject_erased"), &Value::Null));
    assert!(server.mails().is_empty());
    app.post(&merchant.key, &merchant.send_proof(), json!({"email": "one@example.com"})).await.refused(422, "identity_erased");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_kept_from_strangers_and_wrong_ones_lose_no_mail() {
    let mut server = MailServer::start().await;
    // Its certificate is nobody's, so it is told nothing.
    let app = start(&format!("smtp://hilt:secret@127.0.0.1:{}", server.port)).await;
    let merchant = Merchant::open(&app).await;
    app.post(&merchant.key, &merchant.send_proof(), json!({"email": "one@example.com"})).await.ok();
    let failed = until_events(&app, "mail.failed", 1).await;
    assert_eq!((&failed[0]["reason"], !failed[0]["retry_at"].is_null()), (&json!("tls"), true));
    app.close().await;

    let app = start(&format!("smtp://hilt:wrong@127.0.0.1:{}?tls=none", server.port)).await;
    let merchant = Merchant::open(&app).await;
    app.post(&merchant.key, &merchant.send_proof(), json!({"email": "two@example.com"})).await.ok();
    let failed = until_events(&app, "mail.failed", 1).await;
    assert_eq!((&failed[0]["reason"], !failed[0]["retry_at"].is_null()), (&json!("smtp_535"), true));
    app.close().await;

    let app = start(&format!("smtp://hilt:p%40ss%20word@127.0.0.1:{}?tls=none", server.port)).await;
    let merchant = Merchant::open(&app).await;
    app.post(&merchant.key, &merchant.send_proof(), json!({"email": "three@example.com"})).await.ok();
    let mails = server.until_mails(1).await;
    assert_eq!((mails.len(), mails[0].text("to"), mails[0].text("user")), (1, "three@example.com", "hilt"));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_send_each_mail_once() {
    let mut server = MailServer::start().await;
    let app = start(&server.url()).await;
    let merchant = Merchant::open(&app).await;
    let settings = [
        ("HILT_SMTP_URL", server.url().as_str()),
        ("HILT_MAIL_FROM", FROM),
        ("HILT_ROLES", "workers"),
        ("HILT_FEE_WALLET", "11111111111111111111111111111112"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let parts = Parts {
        config: Config::parse(None, settings).unwrap(),
        database_url: app.database.service_url().to_owned(),
        nats_url: None,
        master_key: [7; 32],
        rails: Rails::standard(),
        clock: app.clock.clone(),
        check_network: false,
    };
    let other = app::build(parts).await.unwrap();
    for number in 0..20 {
        app.post(&merchant.key, &merchant.send_proof(), json!({"email": format!("b{number}@example.com")})).await.ok();
    }
    let mails = server.until_mails(20).await;
    until_events(&app, "mail.sent", 20).await;
    let ids: BTreeSet<_> = mails.iter().map(|mail| mail.text("message_id").to_owned()).collect();
    let to: BTreeSet<_> = mails.iter().map(|mail| mail.text("to").to_owned()).collect();
    assert_eq!((ids.len(), to.len(), server.mails().len()), (20, 20, 20));
    assert_eq!(events_of_type(&app, "mail.sent").await.len(), 20);
    other.serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), async {}).await.unwrap();
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_nothing_is_promised() {
    let app = TestApp::start(&[]).await;
    let merchant = Merchant::open(&app).await;
    app.post(&merchant.key, &merchant.send_proof(), json!({"email": "a@b.io"})).await.refused(503, "mail_not_configured");
    assert_eq!(events_of_type(&app, "mail.queued").await.len(), 0);
    let ready = app.get_public("/readyz").await.body;
    let smtp = ready["dependencies"].as_array().unwrap().iter().find(|part| part["name"] == "smtp").unwrap().clone();
    assert_eq!((&smtp["ok"], &smtp["required"]), (&json!(false), &json!(false)));
    let ticket = json!({"subject": "Proof", "category": "OTHER", "body": "The buyer asks for a proof.",
        "context": {"receipt_id": merchant.paid.receipt_id}});
    let opened = app.post(&merchant.key, "/v1/support/tickets", ticket).await.ok();
    let offered: Vec<_> = opened["actions"].as_array().unwrap().iter().map(|action| action["id"].clone()).collect();
    assert_eq!(offered, [json!("open_receipt_proof"), json!("verify_receipt")], "what would not work is not offered");
    app.close().await;
}
