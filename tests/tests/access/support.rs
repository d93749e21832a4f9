//! Tickets (RT-045..049, INV-77), paging (CV-8), and the pages of the log (RT-116).

use crate::{an_app, has_keys};
use api::http::jwt::Role;
use hilt_tests::app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_waits_for_its_merchant_and_is_reopened_by_him() {
    let app = TestApp::start(&[]).await;
    let (path, key) = ("/v1/support/tickets", &app.live_key);
    let body = json!({"subject": "Buyer says access did not arrive", "category": "OTHER", "body": "The buyer paid and sees nothing."});
    let opened = app.post(key, path, body.clone()).await.ok();
    assert!(opened["ticket_id"].as_str().unwrap().starts_with("hilt_ticket_"));
    assert_eq!((&opened["status"], &opened["subject"], &opened["category"]), (&json!("OPEN"), &body["subject"], &json!("OTHER")));
    assert_eq!(opened["actions"], json!([]), "nothing is named that could be acted on");
    let id = opened["ticket_id"].as_str().unwrap();
    let altered = |field: &str, value: &str| {
        let mut body = body.clone();
        body[field] = json!(value);
        body
    };
    app.post(key, path, altered("category", "GOSSIP")).await.refused(422, "invalid_category");
    app.post(key, path, altered("body", "too short")).await.refused(422, "message_too_short");
    app.post(key, path, altered("body", "   short    \n   ")).await.refused(422, "message_too_short");
    app.post(key, path, altered("subject", " ")).await.refused(422, "subject_required");

    let staff = app.token(Role::Staff, None).await;
    let admin = format!("/v1/admin/support/tickets/{id}/message");
    let answer = json!({"body": "Which wallet did the buyer use?", "status": "WAITING_ON_MERCHANT"});
    let waiting = app.send(app.request(Method::POST, &admin).bearer_auth(&staff).json(&answer)).await.ok();
    assert_eq!(waiting["status"], json!("WAITING_ON_MERCHANT"));
    app.send(app.request(Method::POST, &admin).header("X-Hilt-Key", key).json(&answer)).await.refused(403, "staff_required");
    let listed = app.get(key, &format!("{path}?status=WAITING_ON_MERCHANT")).await.ok();
    assert_eq!((&listed["total"], &listed["tickets"][0]["ticket_id"]), (&json!(1), &json!(id)));

    let message = format!("{path}/{id}/message");
    app.post(key, &message, json!({"body": "short"})).await.refused(422, "message_too_short");
    let added = app.post(key, &message, json!({"body": "He used his Phantom wallet."})).await.ok();
    has_keys(&added, &["ticket_id", "status", "message_id"]);
    assert_eq!(added["status"], json!("OPEN"), "INV-77");
    let thread = app.get(key, &format!("{path}/{id}")).await.ok();
    has_keys(&thread, &["ticket_id", "status", "subject", "category", "context", "actions", "messages", "created_at", "updated_at"]);
    let authors: Vec<_> = thread["messages"].as_array().unwrap().iter().map(|message| message["author_type"].clone()).collect();
    assert_eq!(authors, [json!("MERCHANT"), json!("STAFF"), json!("MERCHANT")]);
    app.post(key, &format!("{path}/hilt_ticket_none/message"), json!({"body": "Is anyone there at all?"}))
        .await
        .refused(404, "ticket_not_found");
    app.get(key, &format!("{path}?status=LOST")).await.refused(422, "validation_failed");
    let events = crate::shop::events_of_type(&app, "ticket.reopened").await;
    assert_eq!(events.len(), 1);
    let log: Vec<Value> = crate::shop::events_of_type(&app, "ticket.message_added").await;
    assert!(!format!("{log:?}").contains("Phantom"), "what people write is sealed");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_reads_a_list_once_while_it_grows() {
    let app = TestApp::start(&[]).await;
    let mut expected = Vec::new();
    for number in 0..5 {
        let made = an_app(&app, &app.live_key, &format!("app-{number}")).await;
        expected.insert(0, made["id"].clone());
    }
    let mut path = "/v1/access/apps?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = app.get(&app.live_key, &path).await.ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        an_app(&app, &app.live_key, &format!("late-{}", seen.len())).await;
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/access/apps?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, expected);
    for bad in ["limit=0", "limit=101", "limit=x", "cursor=nothing", "offset=-1"] {
        app.get(&app.live_key, &format!("/v1/access/apps?{bad}")).await.refused(422, "validation_failed");
    }
    for path in ["/v1/receipts", "/v1/support/tickets"] {
        let page = app.get(&app.live_key, &format!("{path}?page=2&per_page=5")).await.ok();
        assert_eq!((&page["total"], &page["page"], &page["per_page"]), (&json!(0), &json!(2), &json!(5)));
        for bad in ["page=0", "per_page=0", "per_page=101"] {
            app.get(&app.live_key, &format!("{path}?{bad}")).await.refused(422, "validation_failed");
        }
    }
    app.get(&app.live_key, "/v1/memberships/lookup").await.refused(422, "lookup_key_required");
    app.get(&app.live_key, "/v1/memberships/lookup?wallet=a&identity=b").await.refused(422, "lookup_key_required");
    assert_eq!(app.get(&app.live_key, "/v1/memberships/lookup?identity=@nobody").await.ok(), json!({"items": [], "count": 0}));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_reads_the_whole_log_page_by_page() {
    let app = TestApp::start(&[]).await;
    let made = an_app(&app, &app.live_key, "pro").await;
    let auditor = app.token(Role::Auditor, None).await;
    let read = async |query: &str| {
        let path = format!("/v1/admin/access/audit-events?{query}");
        app.send(app.request(Method::GET, &path).bearer_auth(&auditor)).await
    };
    let first = read("limit=1").await.ok();
    has_keys(&first, &["items", "next_after_position", "head_position"]);
    let keys = [
        "position",
        "stream",
        "version",
        "event_id",
        "event_type",
        "schema_version",
        "owner_id",
        "livemode",
        "recorded_at",
        "correlation_id",
        "causation_id",
        "actor",
        "leaf",
        "data",
    ];
    has_keys(&first["items"][0], &keys);
    assert_eq!(first["items"][0].as_object().unwrap().len(), keys.len(), "and nothing else");
    assert_eq!((&first["items"][0]["position"], &first["next_after_position"]), (&json!(0), &json!(0)), "RT-116: 0-based");
    let (mut positions, mut after) = (vec![0_u64], 0_u64);
    loop {
        let page = read(&format!("limit=2&after_position={after}")).await.ok();
        let items = page["items"].as_array().unwrap();
        positions.extend(items.iter().map(|item| item["position"].as_u64().unwrap()));
        if items.is_empty() {
            assert_eq!(page["head_position"], json!(after), "the head is the last position");
            break;
        }
        after = page["next_after_position"].as_u64().unwrap();
    }
    assert_eq!(positions, (0..=after).collect::<Vec<_>>(), "every position, once");
    let created = read("type=access_app.created").await.ok();
    assert_eq!(created["items"].as_array().unwrap().len(), 1);
    assert_eq!((&created["items"][0]["owner_id"], &created["items"][0]["livemode"]), (&json!(app.owner), &json!(true)));
    let stream = created["items"][0]["stream"].as_str().unwrap();
    assert!(stream.ends_with(made["id"].as_str().unwrap()));
    assert_eq!(read(&format!("stream={stream}")).await.ok()["items"][0]["event_id"], created["items"][0]["event_id"]);
    let own = read(&format!("owner_id={}", app.owner)).await.ok();
    assert!(own["items"].as_array().unwrap().iter().all(|item| item["owner_id"] == json!(app.owner)));
    for bad in ["type=nothing.happened", "stream=nothing", "owner_id=me", "limit=0", "after_position=-1"] {
        read(bad).await.refused(422, "validation_failed");
    }
    let reads = read("type=audit.log_read").await.ok();
    assert_eq!(reads["items"].as_array().unwrap().len(), 1, "one event an hour and reader");
    app.close().await;
}
