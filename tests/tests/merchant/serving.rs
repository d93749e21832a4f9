//! What comes after the payment: AC-7 to AC-10, AC-28 to AC-36, AC-39 to AC-45.

use super::desk::{Desk, USDC, has};
use events::vocab::{bytes::TxSignature, time::Timestamp};
use hilt_tests::solana_tx::Keypair;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn members_are_found_noted_given_days_and_taken_off() {
    let desk = Desk::open().await;
    let circle = desk.inner_circle().await;
    let product = circle["id"].as_str().unwrap();
    let list = format!("/v1/memberships?product_id={product}&status=ACTIVE&platform=TELEGRAM&q=crzy&limit=20&offset=0");
    let empty = desk.get(&list).await;
    assert_eq!((&empty["items"], &empty["count"]), (&json!([]), &json!(0)), "AC-28");
    let (confirmed, tx, buyer) = desk.member(&circle).await;
    let found = desk.get(&list).await;
    assert_eq!((&found["count"], &found["items"][0]["id"]), (&json!(1), &confirmed["membership_id"]), "{found}");

    for key in
        [format!("wallet={}", buyer.address()), "identity=@crzypeas".into(), "identity=728255790".into(), format!("tx_signature={tx}")]
    {
        let looked = desk.get(&format!("/v1/memberships/lookup?{key}")).await;
        assert_eq!(looked["items"][0]["id"], confirmed["membership_id"], "AC-29 {key}: {looked}");
    }
    desk.ask(Method::GET, "/v1/memberships/lookup", None).await.refused(422, "lookup_key_required");

    let path = format!("/v1/memberships/{}", confirmed["membership_id"].as_str().unwrap());
    let notes = "Buyer is part of a managed migration cohort.";
    desk.patch(&format!("{path}/notes"), json!({"notes": notes})).await;
    desk.patch(&format!("{path}/profile"), json!({"platform_display": "@crzypeas2"})).await;
    let member = desk.get(&path).await;
    assert_eq!((&member["notes"], &member["platform_display"]), (&json!(notes), &json!("@crzypeas2")), "AC-30");
    assert_eq!(member["platform_identity"]["value"], json!("728255790"), "the verified identity stays");
    assert_eq!((&member["latest_tx_signature"], &member["receipt_id"]), (&json!(tx.to_string()), &confirmed["receipt_id"]));
    has(&member, &["history", "delivery", "current_period_end_at", "renewal_due_at", "latest_payment_id"]);

    let end = |value: &Value| Timestamp::parse(value["current_period_end_at"].as_str().unwrap()).unwrap().micros();
    let gift = json!({"days": 30, "note": "Courtesy extension while we fix delivery automation."});
    let gifted = desk.post(&format!("{path}/gift"), gift).await;
    assert_eq!(end(&gifted) - end(&member), 30 * 86_400_000_000, "AC-31");
    assert_eq!(desk.get(&format!("/v1/products/{product}/payments")).await["count"], json!(1), "INV-72");
    assert_eq!(desk.get("/v1/receipts").await["total"], json!(1), "INV-72");
    desk.ask(Method::POST, &format!("{path}/gift"), Some(json!({"days": 0, "note": "x"}))).await.refused(422, "gift_days_out_of_range");

    let report = desk.get("/v1/memberships/renewal-intelligence").await;
    has(&report, &["summary", "expiring_memberships", "product_reports", "recent_events"]);
    assert_eq!(report["expiring_memberships"], json!([]));
    desk.app.clock.advance_seconds(57 * 86_400);
    let report = desk.get("/v1/memberships/renewal-intelligence").await;
    assert_eq!(report["expiring_memberships"].as_array().map(Vec::len), Some(1), "AC-43: three days are left: {report}");
    has(&desk.get(&format!("{path}/subscription")).await, &["status", "paid_through_at", "cancel_at_period_end", "collection_state"]);

    let verify = format!("/v1/receipt/{}/verify", confirmed["receipt_id"].as_str().unwrap());
    let revoked = desk.post(&format!("{path}/revoke"), json!({"reason": "refund", "note": "Paid back by hand."})).await;
    assert_eq!(revoked["status"], json!("REVOKED"), "AC-40");
    assert_eq!(desk.app.get_public(&verify).await.ok()["valid"], json!(true), "INV-75");
    desk.ask(Method::POST, &format!("{path}/gift"), Some(json!({"days": 1, "note": "x"}))).await.refused(409, "membership_revoked");
    desk.ask(Method::POST, &format!("{path}/retry-delivery"), None).await.refused(409, "membership_not_active");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_diagnosed_retried_and_has_one_case() {
    let desk = Desk::open().await;
    let circle = desk.inner_circle().await;
    let (confirmed, ..) = desk.member(&circle).await;
    let path = format!("/v1/memberships/{}", confirmed["membership_id"].as_str().unwrap());
    let diagnosis = desk.get(&format!("{path}/delivery-diagnostics")).await;
    has(&diagnosis, &["overall_status", "summary", "provider_state", "checks", "actions"]);
    let checks = diagnosis["checks"].as_array().unwrap();
    for id in ["automation_configured", "identity_usable", "provider_membership_active", "static_fallback"] {
        assert!(checks.iter().any(|check| check["id"] == json!(id)), "AC-41 {id}: {diagnosis}");
    }
    let retried = desk.ask(Method::POST, &format!("{path}/retry-delivery"), None).await.ok();
    has(&retried, &["membership_id", "delivery_status", "attempt", "queued"]);
    assert_eq!(desk.get(&format!("/v1/products/{}/payments", circle["id"].as_str().unwrap())).await["count"], json!(1), "INV-70");

    let case = format!("{path}/delivery-support-ticket");
    let first = desk.ask(Method::POST, &case, None).await.ok();
    let second = desk.ask(Method::POST, &case, None).await.ok();
    assert_eq!((&first["ticket_id"], &second["reused"]), (&second["ticket_id"], &json!(true)), "AC-42");
    let ticket = desk.get(&format!("/v1/support/tickets/{}", first["ticket_id"].as_str().unwrap())).await;
    assert_eq!(ticket["context"]["membership_id"], confirmed["membership_id"]);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_made_shown_checked_and_sent() {
    let desk = Desk::open().await;
    let circle = desk.inner_circle().await;
    let (confirmed, tx, buyer) = desk.member(&circle).await;
    let owner = desk.jwt(desk.app.owner).await;
    let list = format!("/v1/receipts?page=1&per_page=20&wallet={}", buyer.address());
    let listed = desk.app.send(desk.app.request(Method::GET, &list).bearer_auth(&owner)).await.ok();
    assert_eq!((&listed["total"], &listed["page"], &listed["per_page"]), (&json!(1), &json!(1), &json!(20)), "AC-34");
    has(&listed["receipts"][0], &["receipt_id", "tx_sig", "receipt_hash", "schema_version", "created_at", "verify_url"]);

    let id = confirmed["receipt_id"].as_str().unwrap();
    let receipt = desk.get(&format!("/v1/receipt/{id}")).await;
    let names =
        ["receipt_id", "receipt_json", "receipt_hash", "ed25519_sig", "schema_version", "created_at", "verify_url", "credits_burned"];
    has(&receipt, &names);
    assert_eq!((&receipt["schema_version"], &receipt["credits_burned"]), (&json!("1.0"), &json!(0)));
    let transaction = &receipt["receipt_json"]["transaction"];
    assert_eq!((&transaction["tx_sig"], &transaction["amount_raw"]), (&json!(tx.to_string()), &json!(200_000)), "MON-12");

    let metadata = json!({
        "invoice_number": "2026-0042", "buyer_name": "Łucja Müller", "buyer_email": "buyer@example.com", "billing_reference": "PO 7",
        "notes": "Prefers e-mail",
    });
    desk.patch(&format!("/v1/receipt/{id}/invoice-metadata"), metadata).await;
    let public = desk.app.get_public(&format!("/v1/receipt/{id}/public")).await.ok();
    assert_eq!((&public["verification"]["valid"], &public["invoice_metadata"]["buyer_name"]), (&json!(true), &json!("Łucja Müller")));
    assert!(!public.to_string().contains("buyer@example.com") && !public.to_string().contains("Prefers"), "Q-8: {public}");
    assert_eq!(desk.app.get_public(&format!("/v1/receipt/{id}/verify")).await.ok()["valid"], json!(true), "AC-44");
    let after = desk.get(&format!("/v1/receipt/{id}")).await;
    assert_eq!((&after["receipt_hash"], &after["ed25519_sig"]), (&receipt["receipt_hash"], &receipt["ed25519_sig"]));

    let pdf =
        desk.app.request(Method::GET, &format!("/v1/receipt/{id}/pdf")).header("X-Hilt-Key", &desk.app.live_key).send().await.unwrap();
    assert_eq!(pdf.headers()["content-type"], "application/pdf");
    assert!(pdf.bytes().await.unwrap().starts_with(b"%PDF"));

    let manual = json!({
        "tx_sig": TxSignature([5; 64]).to_string(), "wallet": Keypair::generate().address().to_string(),
        "counterparty_wallet": desk.merchant_wallet, "token_mint": USDC, "amount_raw": 200_000, "memo": "HILT:nonce",
    });
    let make = || desk.app.send(desk.app.request(Method::POST, "/v1/receipt").bearer_auth(&owner).json(&manual));
    let (first, again) = (make().await.ok(), make().await.ok());
    assert_eq!((&first["receipt_id"], &first["credits_burned"]), (&again["receipt_id"], &json!(1)), "AC-33");
    assert_eq!(first["receipt_json"]["chain_verified"], json!(false), "Q-22");
    let mut of_checkout = manual.clone();
    of_checkout["tx_sig"] = json!(tx.to_string());
    of_checkout["wallet"] = json!(buyer.address().to_string());
    assert_eq!(desk.post("/v1/receipt", of_checkout).await["receipt_id"], confirmed["receipt_id"], "RT-037");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_opened_answered_and_followed() {
    let desk = Desk::open().await;
    let circle = desk.inner_circle().await;
    let (confirmed, ..) = desk.member(&circle).await;
    let ticket = json!({
        "subject": "Buyer says access did not arrive", "category": "OTHER",
        "body": "Transaction confirmed, but the buyer did not get the Telegram invite.",
        "context": {
            "payment_id": confirmed["payment_id"], "product_id": circle["id"], "membership_id": confirmed["membership_id"],
            "receipt_id": confirmed["receipt_id"],
        },
    });
    let opened = desk.post("/v1/support/tickets", ticket).await;
    let id = opened["ticket_id"].as_str().unwrap();
    assert!(id.starts_with("hilt_ticket_") && opened["status"] == json!("OPEN"), "AC-35: {opened}");
    for (field, value, code) in [("category", "X", "invalid_category"), ("body", "hi", "message_too_short")] {
        let mut wrong = json!({"subject": "Help", "category": "OTHER", "body": "A message of some length."});
        wrong[field] = json!(value);
        desk.ask(Method::POST, "/v1/support/tickets", Some(wrong)).await.refused(422, code);
    }
    let actions = opened["actions"].as_array().unwrap();
    assert!(actions.len() >= 4, "AC-45: {opened}");
    for action in actions.iter().filter(|action| action["method"] == json!("GET")) {
        let answer = desk.get(action["endpoint"].as_str().unwrap()).await;
        assert!(answer.is_object(), "{action}: {answer}");
    }

    let path = format!("/v1/support/tickets/{id}");
    let staff = desk.app.token(api::http::jwt::Role::Staff, None).await;
    let answer = json!({"body": "Could you tell us the buyer's handle?", "status": "WAITING_ON_MERCHANT"});
    let route = format!("/v1/admin/support/tickets/{id}/message");
    desk.app.send(desk.app.request(Method::POST, &route).bearer_auth(&staff).json(&answer)).await.ok();
    assert_eq!(desk.get(&path).await["status"], json!("WAITING_ON_MERCHANT"));
    let reply = json!({"body": "We have retried delivery and confirmed the member record is active."});
    assert_eq!(desk.post(&format!("{path}/message"), reply).await["status"], json!("OPEN"), "AC-36");
    let thread = desk.get(&path).await;
    assert_eq!(thread["messages"].as_array().map(Vec::len), Some(3), "AC-10");
    assert_eq!(desk.get("/v1/support/tickets?status=OPEN&page=1&per_page=20").await["total"], json!(1));
    desk.close().await;
}
