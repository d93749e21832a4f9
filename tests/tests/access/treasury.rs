//! RT-105 and RT-107 for Hilt's own wallets: two people, a record, and nothing else (INV-48, INV-49).

use crate::{
    shop::{Shop, events_of_type},
    staff::{Desk, EVM},
    wallet,
};
use hilt_tests::app::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

const ACTION: &str = "hilt_treasury_wallet_change";

async fn ask(desk: &Desk<'_>, rail: &str, wallet: &str) -> Answer {
    let asked = json!({"action": ACTION, "target": rail, "payload": {"treasury_wallet": wallet}, "reason": "key ceremony 4"});
    desk.send(0, Method::POST, "/approvals", asked).await
}

async fn record(desk: &Desk<'_>, who: usize, approval: &Value, confirm: Value) -> Answer {
    let body = json!({"approval_id": approval["id"], "confirm_no_live_plan_checkout": confirm});
    desk.send(who, Method::POST, "/treasury-wallets/record-change", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_treasury_change_takes_two_people_is_recorded_once_and_changes_no_wallet() {
    let app = TestApp::start(&[]).await;
    let (desk, shop) = (Desk::of(&app).await, Shop::open(&app).await);
    let fee_wallet = |session: &Value| {
        let legs = session["payment_session"]["payment_requirement"]["required_transfers"].as_array().unwrap().clone();
        legs.iter().find(|leg| leg["role"] == json!("fee")).unwrap()["pay_to"].clone()
    };
    let before = fee_wallet(&shop.session(&app, "before").await);
    let to = wallet();
    ask(&desk, "solana_usdc", "HiltTreasuryWallet").await.refused(422, "invalid_wallet");
    ask(&desk, "solana_usdc", EVM).await.refused(422, "invalid_wallet");
    ask(&desk, "paypal", &to).await.refused(422, "unknown_rail");
    let unsaid = json!({"action": ACTION, "target": "solana_usdc", "reason": "r"});
    desk.send(0, Method::POST, "/approvals", unsaid).await.refused(422, "validation_failed");
    let asked = ask(&desk, "solana_usdc", &to).await.ok();
    assert_eq!((&asked["action"], &asked["status"], &asked["effect"]), (&json!(ACTION), &json!("pending"), &Value::Null));
    assert_eq!((&asked["subject"]["treasury_wallet"], &asked["subject"]["rail_id"]), (&json!(to), &json!("solana_usdc")));
    record(&desk, 0, &asked, json!(true)).await.refused(409, "approval_not_approved");
    let path = format!("/approvals/{}/approve", asked["id"].as_str().unwrap());
    desk.send(0, Method::POST, &path, json!({"reason": "mine"})).await.refused(403, "second_approver_required");
    desk.send(1, Method::POST, &path, json!({"reason": "I was there"})).await.ok();

    record(&desk, 0, &asked, json!(false)).await.refused(422, "confirmation_required");
    let missing = desk.send(0, Method::POST, "/treasury-wallets/record-change", json!({"approval_id": asked["id"]})).await;
    missing.refused(422, "confirmation_required");
    let nobody = json!({"id": events::clock::new_id::<uuid::Uuid>()});
    record(&desk, 0, &nobody, json!(true)).await.refused(404, "approval_not_found");
    assert!(events_of_type(&app, "treasury_wallet_change.recorded").await.is_empty());
    let recorded = record(&desk, 0, &asked, json!(true)).await.ok();
    assert_eq!((&recorded["effect"], &recorded["treasury_wallet"]), (&json!("recorded_only"), &json!(to)));
    assert_eq!((&recorded["approved_by"], &recorded["recorded_by"]), (&json!("staff-2"), &json!("staff-1")));
    record(&desk, 1, &asked, json!(true)).await.refused(409, "approval_not_approved");
    let applied = desk.get(&format!("/approvals/{}", asked["id"].as_str().unwrap())).await;
    assert_eq!((&applied["status"], &applied["effect"]), (&json!("applied"), &json!("recorded_only")));
    assert_eq!(applied["applied_event"], recorded["event_id"]);

    // INV-49: what buyers pay to is what it was, and nothing was opened or moved.
    assert_eq!(fee_wallet(&shop.session(&app, "after").await), before);
    let events = events_of_type(&app, "treasury_wallet_change.recorded").await;
    assert_eq!((events.len(), &events[0]["data"]["wallet"]), (1, &json!(to)));
    app.close().await;
}

/// An approval permits what it is of, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_of_one_action_permits_no_other() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app).await;
    let payout = wallet();
    let waiting = crate::staff::setting(&app, "base_usdc", json!({"payout_address": EVM})).await;
    let review = desk.agree("rail_setting_verification", &waiting).await;
    record(&desk, 0, &review, json!(true)).await.refused(409, "approval_not_approved");
    let asked = ask(&desk, "solana_usdc", &payout).await.ok();
    let path = format!("/approvals/{}/approve", asked["id"].as_str().unwrap());
    let treasury = desk.send(1, Method::POST, &path, json!({"reason": "seen"})).await.ok();
    desk.apply(&waiting, &treasury).await.refused(409, "approval_not_approved");
    let rejected = ask(&desk, "solana_usdc", &payout).await.ok();
    let path = format!("/approvals/{}/reject", rejected["id"].as_str().unwrap());
    desk.send(1, Method::POST, &path, json!({"reason": "not him"})).await.ok();
    record(&desk, 0, &rejected, json!(true)).await.refused(409, "approval_not_approved");
    app.close().await;
}
