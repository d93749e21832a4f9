//! Another owner's ids behave as if they did not exist (CV-9, INV-92): every route that takes one.

use super::desk::Desk;
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::Scope},
};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_owner_do_not_exist() {
    let desk = Desk::open().await;
    let circle = desk.inner_circle().await;
    let (confirmed, tx, buyer) = desk.member(&circle).await;
    let opened =
        desk.post("/v1/support/tickets", json!({"subject": "Help", "category": "OTHER", "body": "A message of some length."})).await;
    let stranger: OwnerId = new_id();
    let key = desk.app.key(stranger, true, Scope::ALL).await;
    let [product, membership, receipt, ticket] =
        [&circle["id"], &confirmed["membership_id"], &confirmed["receipt_id"], &opened["ticket_id"]]
            .map(|id| id.as_str().unwrap().to_owned());
    let identity = json!({"identity_type": "TELEGRAM_USER_ID", "identity_value": "1", "expires_in_minutes": 30});
    let routes: Vec<(Method, String, Option<Value>, &str)> = vec![
        (Method::GET, format!("/v1/products/{product}"), None, "product_not_found"),
        (Method::PATCH, format!("/v1/products/{product}"), Some(json!({"title": "Mine"})), "product_not_found"),
        (Method::DELETE, format!("/v1/products/{product}"), None, "product_not_found"),
        (Method::GET, format!("/v1/products/{product}/payments"), None, "product_not_found"),
        (Method::GET, format!("/v1/products/{product}/analytics"), None, "product_not_found"),
        (Method::POST, format!("/v1/products/{product}/handoff-link"), Some(identity), "product_not_found"),
        (Method::GET, format!("/v1/memberships/{membership}"), None, "membership_not_found"),
        (Method::PATCH, format!("/v1/memberships/{membership}/notes"), Some(json!({"notes": "x"})), "membership_not_found"),
        (Method::PATCH, format!("/v1/memberships/{membership}/profile"), Some(json!({"platform_display": "@x"})), "membership_not_found"),
        (Method::POST, format!("/v1/memberships/{membership}/gift"), Some(json!({"days": 1, "note": "x"})), "membership_not_found"),
        (Method::POST, format!("/v1/memberships/{membership}/revoke"), Some(json!({"reason": "refund"})), "membership_not_found"),
        (Method::GET, format!("/v1/memberships/{membership}/subscription"), None, "membership_not_found"),
        (Method::POST, format!("/v1/memberships/{membership}/cancel-renewal"), None, "membership_not_found"),
        (Method::POST, format!("/v1/memberships/{membership}/resume-renewal"), None, "membership_not_found"),
        (Method::POST, format!("/v1/memberships/{membership}/retry-delivery"), None, "membership_not_found"),
        (Method::GET, format!("/v1/memberships/{membership}/delivery-diagnostics"), None, "membership_not_found"),
        (Method::POST, format!("/v1/memberships/{membership}/delivery-support-ticket"), None, "membership_not_found"),
        (Method::GET, format!("/v1/receipt/{receipt}"), None, "receipt_not_found"),
        (Method::GET, format!("/v1/receipt/{receipt}/pdf"), None, "receipt_not_found"),
        (Method::PATCH, format!("/v1/receipt/{receipt}/invoice-metadata"), Some(json!({"buyer_name": "x"})), "receipt_not_found"),
        (Method::POST, format!("/v1/receipt/{receipt}/send-proof"), Some(json!({"email": "a@example.com"})), "receipt_not_found"),
        (Method::GET, format!("/v1/support/tickets/{ticket}"), None, "ticket_not_found"),
        (Method::POST, format!("/v1/support/tickets/{ticket}/message"), Some(json!({"body": "Let me in, please."})), "ticket_not_found"),
    ];
    let before = desk.app.state.log.head().await.unwrap().next_position;
    for (method, path, body, code) in routes {
        desk.ask_as(&key, method, &path, body).await.refused(404, code);
    }
    // Ids inside bodies are no different. Whatever is opened here is the stranger's own.
    let payment = confirmed["payment_id"].as_str().unwrap().to_owned();
    for (name, id) in [("product_id", &product), ("membership_id", &membership), ("receipt_id", &receipt), ("payment_id", &payment)] {
        let ticket = json!({"subject": "Help", "category": "OTHER", "body": "A message of some length.", "context": {name: id}});
        let refused = desk.ask_as(&key, Method::POST, "/v1/support/tickets", Some(ticket)).await;
        assert_eq!(refused.status.as_u16(), 422, "{name}: {refused:?}");
    }
    for path in [
        "/v1/products".to_owned(),
        format!("/v1/memberships?product_id={product}"),
        format!("/v1/receipts?product_id={product}"),
        format!("/v1/receipts?q={tx}"),
        "/v1/memberships".into(),
        format!("/v1/memberships/lookup?wallet={}", buyer.address()),
        "/v1/memberships/lookup?identity=@crzypeas".into(),
        format!("/v1/memberships/lookup?tx_signature={tx}"),
        "/v1/receipts".into(),
        "/v1/support/tickets".into(),
    ] {
        let listed = desk.ask_as(&key, Method::GET, &path, None).await.ok();
        let rows = ["items", "receipts", "tickets"].iter().find_map(|name| listed[name].as_array());
        assert_eq!(rows.map(Vec::len), Some(0), "{path}: {listed}");
    }
    let after = desk.app.state.log.head().await.unwrap().next_position;
    assert_eq!(before, after, "what is refused leaves nothing in the log");
    desk.close().await;
}
