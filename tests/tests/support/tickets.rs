use crate::{Merchant, until_events};
use api::http::jwt::Role;
use events::{
    clock::new_id,
    log::AppendError,
    unit::Unit,
    vocab::{
        event::TicketContext,
        id::{MembershipId, MessageId, TicketId},
        stream::{Category, StreamId},
        words::{AuthorType, TicketCategory},
    },
};
use hilt_tests::{app::TestApp, smtp::MailServer};
use ledger::ticket::{Command, Open, Ticket};
use reqwest::Method;
use serde_json::{Value, json};

const TICKETS: &str = "/v1/support/tickets";

fn about(context: &Value) -> Value {
    json!({"subject": "Buyer needs help", "category": "OTHER", "body": "Payment confirmed, but nothing arrived.", "context": context})
}

fn everything(merchant: &Merchant) -> Value {
    let paid = &merchant.paid;
    json!({"payment_id": paid.session.payment_id, "product_id": merchant.shop.product_id, "membership_id": paid.membership_id,
        "receipt_id": paid.receipt_id, "entitlement_id": paid.session.entitlement_id})
}

async fn answer(app: &TestApp, ticket: &str, status: &str) -> hilt_tests::app::Answer {
    let staff = app.token(Role::Staff, None).await;
    let path = format!("/v1/admin/support/tickets/{ticket}/message");
    let body = json!({"body": "We have looked into it.", "status": status});
    app.send(app.request(Method::POST, &path).bearer_auth(staff).json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_about_its_merchants_own_things() {
    let app = TestApp::start(&[]).await;
    let (merchant, stranger) = (Merchant::open(&app).await, Merchant::open(&app).await);
    let (own, others) = (everything(&merchant), everything(&stranger));
    for field in ["payment_id", "product_id", "membership_id", "receipt_id", "entitlement_id"] {
        let unknown: MessageId = new_id();
        for id in [&others[field], &json!(unknown)] {
            let refused = app.post(&merchant.key, TICKETS, about(&json!({field: id}))).await.refused(422, "validation_failed");
            assert_eq!(refused["errors"][0]["field"], json!(format!("context.{field}")), "{refused}");
        }
        // The id of something else.
        let other = if field == "payment_id" { &own["receipt_id"] } else { &own["payment_id"] };
        app.post(&merchant.key, TICKETS, about(&json!({field: other}))).await.refused(422, "validation_failed");
    }
    let mut two = own.clone();
    (two["payment_id"], two["receipt_id"]) = (others["payment_id"].clone(), others["receipt_id"].clone());
    let refused = app.post(&merchant.key, TICKETS, about(&two)).await.refused(422, "validation_failed");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 2, "{refused}");
    assert_eq!(app.get(&merchant.key, TICKETS).await.ok()["total"], json!(0));

    let opened = app.post(&merchant.key, TICKETS, about(&own)).await.ok();
    assert_eq!(opened["context"], own);
    let path = format!("{TICKETS}/{}", opened["ticket_id"].as_str().unwrap());
    app.get(&stranger.key, &path).await.refused(404, "ticket_not_found");
    app.post(&stranger.key, &format!("{path}/message"), json!({"body": "Let me in, please."})).await.refused(404, "ticket_not_found");
    app.close().await;
}

/// Whether the service's own document has a route for that call.
fn serves(document: &Value, method: &str, endpoint: &str) -> bool {
    let matches = |template: &str| {
        template.split('/').count() == endpoint.split('/').count()
            && template.split('/').zip(endpoint.split('/')).all(|(part, word)| part.starts_with('{') || part == word)
    };
    let paths = document["paths"].as_object().unwrap();
    paths.iter().any(|(path, methods)| matches(path) && methods.get(method.to_lowercase()).is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_actions_of_a_ticket_work_as_they_stand() {
    let mut server = MailServer::start().await;
    let app = TestApp::start(&[("HILT_SMTP_URL", &server.url()), ("HILT_MAIL_FROM", "receipts@hilt.example")]).await;
    let merchant = Merchant::open(&app).await;
    merchant.saves_email(&app, "buyer@example.com").await;
    let opened = app.post(&merchant.key, TICKETS, about(&everything(&merchant))).await.ok();
    let id = opened["ticket_id"].as_str().unwrap().to_owned();
    answer(&app, &id, "WAITING_ON_MERCHANT").await.ok();
    let ticket = app.get(&merchant.key, &format!("{TICKETS}/{id}")).await.ok();
    assert_eq!(ticket["actions"], opened["actions"]);
    let document = app.get_public("/openapi.json").await.ok();
    let mut followed = Vec::new();
    for action in ticket["actions"].as_array().unwrap() {
        let (method, endpoint) = (action["method"].as_str().unwrap(), action["endpoint"].as_str().unwrap());
        if !serves(&document, method, endpoint) {
            continue;
        }
        let request = app.request(method.parse().unwrap(), endpoint).header("X-Hilt-Key", &merchant.key);
        let request = match action.get("body") {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = app.send(request).await;
        assert!(answer.status.is_success(), "{action}: {} {}", answer.status, answer.body);
        followed.push(action["id"].as_str().unwrap());
    }
    for action in [
        "inspect_payment",
        "inspect_product",
        "inspect_membership",
        "inspect_delivery",
        "retry_delivery",
        "verify_receipt",
        "send_proof_link",
    ] {
        assert!(followed.contains(&action), "{action} is not among {followed:?}");
    }
    assert_eq!(server.until_mails(1).await[0].text("to"), "buyer@example.com");
    let ticket = app.get(&merchant.key, &format!("{TICKETS}/{id}")).await.ok();
    let note = ticket["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&note["author_type"], &ticket["status"]), (&json!("SYSTEM"), &json!("WAITING_ON_MERCHANT")), "a note is no answer");
    assert!(note["body"].as_str().unwrap().contains(&merchant.paid.receipt_id.to_string()), "{note}");
    assert!(!ticket.to_string().contains("buyer@example.com"), "the address is the buyer's, not the ticket's");
    until_events(&app, "mail.sent", 1).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_ticket_is_closed_for_good() {
    let server = MailServer::start().await;
    let app = TestApp::start(&[("HILT_SMTP_URL", &server.url()), ("HILT_MAIL_FROM", "receipts@hilt.example")]).await;
    let merchant = Merchant::open(&app).await;
    let opened = app.post(&merchant.key, TICKETS, about(&json!({"receipt_id": merchant.paid.receipt_id}))).await.ok();
    let id = opened["ticket_id"].as_str().unwrap().to_owned();
    answer(&app, &id, "LOST").await.refused(422, "validation_failed");
    assert_eq!(answer(&app, &id, "CLOSED").await.ok()["status"], json!("CLOSED"));
    let listed = app.get(&merchant.key, &format!("{TICKETS}?status=closed")).await.ok();
    assert_eq!((&listed["total"], &listed["tickets"][0]["status"]), (&json!(1), &json!("CLOSED")));
    assert_eq!(app.get(&merchant.key, &format!("{TICKETS}?status=OPEN")).await.ok()["total"], json!(0));
    let path = format!("{TICKETS}/{id}/message");
    for author in ["MERCHANT", "BUYER"] {
        let body = json!({"body": "One more thing, please.", "author_type": author});
        app.post(&merchant.key, &path, body).await.refused(409, "ticket_closed");
    }
    answer(&app, &id, "WAITING_ON_MERCHANT").await.refused(409, "ticket_closed");
    let note = json!({"email": "buyer@example.com", "ticket_id": id});
    app.post(&merchant.key, &merchant.send_proof(), note).await.refused(409, "ticket_closed");
    let ticket = app.get(&merchant.key, &format!("{TICKETS}/{id}")).await.ok();
    assert_eq!((ticket["messages"].as_array().unwrap().len(), &ticket["status"]), (2, &json!("CLOSED")));
    assert!(!ticket["actions"].to_string().contains("send_proof_link"), "{}", ticket["actions"]);
    assert_eq!(crate::shop::events_of_type(&app, "mail.queued").await.len(), 0);
    app.close().await;
}

async fn open_case(app: &TestApp, merchant: &Merchant, membership: MembershipId) -> Result<TicketId, AppendError> {
    let ticket_id: TicketId = new_id();
    let mut unit = Unit::new(&app.state.log, merchant.context());
    let mut ticket = unit.start::<Ticket>(StreamId::new(Category::Ticket, ticket_id));
    let open = Open {
        ticket_id,
        public_id: format!("hilt_ticket_{ticket_id}"),
        subject_id: app.state.vault.new_subject(merchant.shop.owner_id).await.unwrap(),
        message_id: new_id(),
        category: TicketCategory::Other,
        author_type: AuthorType::Merchant,
        context: TicketContext { membership_id: Some(membership), ..TicketContext::default() },
        delivery_case_of: Some(membership),
        subject: "Delivery".into(),
        body: "The invite did not arrive.".into(),
    };
    unit.decide(&mut ticket, Command::Open(Box::new(open)), None).unwrap();
    unit.commit().await.map(|_| ticket_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_has_one_open_delivery_case() {
    let app = TestApp::start(&[]).await;
    let merchant = Merchant::open(&app).await;
    let membership = merchant.paid.membership_id;
    let opened = futures::future::join_all((0..20).map(|_| open_case(&app, &merchant, membership))).await;
    let cases: Vec<_> = opened.iter().flatten().copied().collect();
    assert_eq!(cases.len(), 1, "{opened:?}");
    assert!(opened.iter().flat_map(|opened| opened.as_ref().err()).all(|error| matches!(error, AppendError::ClaimTaken { .. })));

    let mut unit = Unit::new(&app.state.log, merchant.context());
    let mut ticket = unit.load::<Ticket>(StreamId::new(Category::Ticket, cases[0])).await.unwrap();
    unit.decide(&mut ticket, Command::Close, None).unwrap();
    unit.commit().await.unwrap();
    let again = open_case(&app, &merchant, membership).await.unwrap();
    assert_ne!(again, cases[0]);
    assert!(open_case(&app, &merchant, membership).await.is_err());
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_ticket_says_nothing_any_more() {
    let app = TestApp::start(&[]).await;
    let merchant = Merchant::open(&app).await;
    let opened = app.post(&merchant.key, TICKETS, about(&json!({}))).await.ok();
    let (id, path) = (opened["ticket_id"].as_str().unwrap(), format!("{TICKETS}/{}", opened["ticket_id"].as_str().unwrap()));
    app.post(&merchant.key, &format!("{path}/message"), json!({"body": "Her name is Ada.", "author_type": "BUYER"})).await.ok();
    let stream = StreamId::new(Category::Ticket, TicketId::of(merchant.shop.owner_id, id));
    let subject_id = app.state.log.read_stream(stream, 0).await.unwrap()[0].envelope.subject_id.unwrap();
    merchant.erases(&app, subject_id).await;
    let ticket = app.until(&merchant.key, &path, |ticket| ticket["subject"].is_null()).await;
    assert!(ticket["messages"].as_array().unwrap().iter().all(|message| message["body"].is_null()), "{ticket}");
    assert_eq!((ticket["messages"].as_array().unwrap().len(), &ticket["status"]), (2, &json!("OPEN")), "that it was said remains");
    app.close().await;
}
