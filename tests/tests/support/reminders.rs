//! Reminders of a membership's end, by mail (OPS-62).

use crate::{Merchant, shop::events_of_type, until_events};
use futures::future::join_all;
use hilt_tests::{app::TestApp, payments::paid, smtp::MailServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use workers::memberships::{Reminders, Sweep};

const DAY: i64 = 86_400;
const REMINDED: &str = "membership.renewal_reminder_sent";

async fn start(server: &MailServer) -> TestApp {
    TestApp::start(&[("HILT_SMTP_URL", &server.url()), ("HILT_MAIL_FROM", "Hilt <receipts@hilt.example>")]).await
}

fn sweep(app: &TestApp) -> Sweep {
    let state = &app.state;
    let (log, reader, clock) = (state.log.clone(), state.reader.clone(), app.clock.clone());
    let reminders = Some(Reminders { web_url: "https://www.hilt.so".into() });
    Sweep { log, reader, clock, handover: state.handover.clone(), reminders }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_reminded_by_mail_and_once() {
    let mut server = MailServer::start().await;
    let app = start(&server).await;
    let merchant = Merchant::open(&app).await;
    let mut members = vec![merchant.paid];
    for _ in 0..7 {
        members.push(paid(&app.state.log, &merchant.shop).await);
    }
    let last = format!("/v1/memberships/{}", members[7].membership_id);
    app.until(&merchant.key, &last, |member| member["status"] == json!("ACTIVE")).await;
    let profile = json!({"merchant_name": "Example Merchant"});
    app.send(app.request(reqwest::Method::PUT, "/v1/workspace/profile").header("X-Hilt-Key", &merchant.key).json(&profile)).await.ok();

    app.clock.advance_seconds(23 * DAY + 60);
    // As if six more processes swept beside the service's own.
    for swept in join_all((0..6).map(async |_| sweep(&app).once().await)).await {
        swept.unwrap();
    }
    let mails = server.until_mails(8).await;
    let reminded = until_events(&app, REMINDED, 8).await;
    let queued: BTreeSet<String> = until_events(&app, "mail.queued", 8).await.iter().map(|mail| mail["mail_id"].to_string()).collect();
    let named: BTreeSet<String> = reminded.iter().map(|sent| sent["mail_id"].to_string()).collect();
    assert_eq!(queued, named, "each reminder names its mail");
    let (mail, end) = (&mails[0], reminded[0]["period_end"].as_str().unwrap());
    assert_eq!(mail.0["envelope"], json!({"from": "receipts@hilt.example", "to": ["buyer@example.com"]}));
    assert!(mail.text("subject").starts_with("Course: paid until "), "{}", mail.text("subject"));
    assert!(mail.text("subject").contains(&end[..4]), "the year of {end} in {}", mail.text("subject"));
    for needed in ["Course (Example Merchant) is paid until ", "You renew it where you bought it.", "no day is lost"] {
        assert!(mail.text("text").contains(needed), "{needed} is not in {}", mail.text("text"));
    }

    // Whoever said that he will not go on hears no more.
    let cancel = format!("/v1/memberships/{}/cancel-renewal", members[0].membership_id);
    app.send(app.request(reqwest::Method::POST, &cancel).header("X-Hilt-Key", &merchant.key)).await.ok();
    app.clock.advance_seconds(5 * DAY);
    until_events(&app, "mail.sent", 15).await;
    sweep(&app).once().await.unwrap();
    let mails = server.until_mails(15).await;
    let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.text("message_id")).collect();
    assert_eq!((mails.len(), ids.len(), events_of_type(&app, REMINDED).await.len()), (15, 15, 15));
    let shown = format!("{:?}", events_of_type(&app, "mail.queued").await);
    assert!(!shown.contains("example.com") && !shown.contains("Course"), "{shown}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_written_to_who_is_erased_or_without_a_mail_server() {
    let server = MailServer::start().await;
    let app = start(&server).await;
    let merchant = Merchant::open(&app).await;
    merchant.erases(&app, merchant.paid.session.subject_id).await;
    app.clock.advance_seconds(29 * DAY);
    let reminded = until_events(&app, REMINDED, 1).await;
    assert_eq!(reminded[0]["mail_id"], Value::Null, "what the clock did is on record all the same");
    assert!(events_of_type(&app, "mail.queued").await.is_empty() && server.mails().is_empty());
    app.close().await;

    let app = TestApp::start(&[]).await;
    Merchant::open(&app).await;
    app.clock.advance_seconds(29 * DAY);
    let reminded = until_events(&app, REMINDED, 1).await;
    assert_eq!((&reminded[0]["mail_id"], &reminded[0]["offset_days"]), (&Value::Null, &json!(1)));
    assert!(events_of_type(&app, "mail.queued").await.is_empty());
    app.close().await;
}
