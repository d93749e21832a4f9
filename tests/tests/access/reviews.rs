//! Rail settings under review (RT-056, RT-089, RT-103..106, TR-26..28, INV-26, INV-27, INV-35, INV-48, AC-52, AC-90).

use crate::{
    put,
    shop::events_of_type,
    staff::{COLLECTOR, Desk, EVM, gates, product, session, setting, with_base},
    wallet,
};
use hilt_tests::app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

const TWO_PEOPLE: &str = "/settings/solana_usdc_two_person_review";

fn allowance() -> Value {
    json!({"payout_address": EVM, "fee_collection_mode": "merchant_allowance_pull", "fee_collector_address": COLLECTOR,
        "fee_allowance_token_contract": EVM, "fee_allowance_limit_minor_units": 100_000_000})
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_look_at_a_payout_when_the_platform_says_so() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app).await;
    assert_eq!(desk.get(TWO_PEOPLE).await["value"], json!(false));
    desk.send(0, Method::PUT, TWO_PEOPLE, json!({"value": true})).await.refused(422, "reason_required");
    desk.send(0, Method::PUT, TWO_PEOPLE, json!({"value": "yes", "reason": "r"})).await.refused(422, "validation_failed");
    desk.send(0, Method::PUT, "/settings/nothing", json!({"value": true, "reason": "r"})).await.refused(404, "setting_not_found");
    let on = desk.send(0, Method::PUT, TWO_PEOPLE, json!({"value": true, "reason": "four eyes"})).await.ok();
    assert_eq!((&on["value"], &on["changed_by"]), (&json!(true), &json!("staff-1")));
    assert_eq!(desk.get("/settings").await["settings"][0], on);

    let payout = wallet();
    product(&app, "pro", &payout, json!(["solana_usdc"])).await;
    let waiting = setting(&app, "solana_usdc", json!({"payout_address": payout})).await;
    assert_eq!((&waiting["status"], &waiting["blockers"]), (&json!("pending_review"), &json!(["rail_setting_pending_review"])));
    session(&app, "pro", Some("solana_usdc")).await.refused(409, "rail_not_effective");
    app.clock.advance_seconds(90);
    let queue = desk.get("/rail-settings?status=pending_review").await;
    let row = &queue["rail_settings"][0];
    assert_eq!((&row["id"], &row["owner_id"]), (&waiting["id"], &json!(app.owner.to_string())));
    assert!(row["pending_review_age_seconds"].as_i64().unwrap() >= 90, "{row}");

    let target = json!({"action": "rail_setting_verification", "target": waiting["id"], "reason": "looked at the payout"});
    let asked = desk.send(0, Method::POST, "/approvals", target.clone()).await.ok();
    assert_eq!((&asked["status"], &asked["subject"]["payout_address"]), (&json!("pending"), &json!(payout)));
    let of = |word: &str| format!("/approvals/{}/{word}", asked["id"].as_str().unwrap());
    for word in ["approve", "reject"] {
        desk.send(0, Method::POST, &of(word), json!({"reason": "mine"})).await.refused(403, "second_approver_required");
    }
    desk.apply(&waiting, &asked).await.refused(409, "approval_not_approved");
    let queue = desk.get("/approvals?status=pending").await;
    assert_eq!((&queue["count"], &queue["approvals"][0]["id"]), (&json!(1), &asked["id"]));
    assert!(queue["oldest_pending_age_seconds"].as_i64().is_some());
    desk.send(1, Method::POST, &of("approve"), json!({"reason": "so did I"})).await.ok();
    desk.send(1, Method::POST, &of("reject"), json!({"reason": "too late"})).await.refused(409, "approval_not_pending");
    let verified = desk.apply(&waiting, &asked).await.ok();
    assert_eq!((&verified["status"], &verified["blockers"]), (&json!("verified"), &json!([])));
    desk.apply(&waiting, &asked).await.refused(409, "approval_not_approved");
    let applied = desk.get(&format!("/approvals/{}", asked["id"].as_str().unwrap())).await;
    assert_eq!((&applied["status"], &applied["decided_by"]), (&json!("applied"), &json!("staff-2")));
    session(&app, "pro", Some("solana_usdc")).await.ok();

    // The payout changes: what was approved is worth nothing for the new one.
    let old = desk.agree("rail_setting_verification", &waiting).await;
    let moved = setting(&app, "solana_usdc", json!({"payout_address": wallet()})).await;
    assert_eq!(moved["status"], json!("pending_review"));
    desk.apply(&moved, &old).await.refused(409, "approval_stale");
    let mut elsewhere = target;
    elsewhere["payload"] = json!({"payout_address": payout});
    desk.send(0, Method::POST, "/approvals", elsewhere).await.refused(409, "approval_stale");
    let path = format!("/rail-settings/{}/apply-verification", moved["id"].as_str().unwrap());
    desk.send(0, Method::POST, &path, json!({})).await.refused(422, "validation_failed");
    desk.send(0, Method::POST, &path, json!({"outcome": "rejected"})).await.refused(422, "reason_required");
    let rejected = desk.send(0, Method::POST, &path, json!({"outcome": "rejected", "reason": "not his wallet"})).await.ok();
    assert_eq!((&rejected["status"], &rejected["blockers"]), (&json!("rejected"), &json!(["rail_setting_rejected"])));
    assert_eq!(gates(&app, "pro", "solana_usdc").await.0[0], json!("rail_setting_rejected"));
    let shown = desk.get("/rail-settings?status=rejected").await;
    assert_eq!(shown["rail_settings"][0]["rejected_because"], json!("not his wallet"));
    assert_eq!(app.get(&app.live_key, "/v1/access/rail-settings/solana_usdc").await.ok()["status"], json!("rejected"));

    let verified = events_of_type(&app, "rail_setting.verified").await;
    let approved = events_of_type(&app, "approval.approved").await;
    assert_eq!(verified.len(), 1);
    assert_eq!(verified[0]["data"]["approval_event"], approved[0]["event_id"], "it cites what permits it");
    assert_eq!((&verified[0]["data"]["by"], &approved[0]["data"]["by"]), (&json!("staff-1"), &json!("staff-2")), "INV-48");
    assert_eq!(events_of_type(&app, "approval.applied").await.len(), 1);
    app.close().await;
}

/// INV-26 and INV-35: stored, hidden, and never verified while the platform's gate is shut, whoever agrees.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_gated_rails_are_stored_hidden_and_cannot_be_verified() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app).await;
    product(&app, "pro", &wallet(), json!("all")).await;
    let tron = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";
    for (rail, body) in [
        ("base_usdc", allowance()),
        ("evm_usdc", allowance()),
        ("x402", json!({"payout_address": wallet()})),
        ("solana_usdt", json!({"payout_address": wallet()})),
        ("erc20_usdt", json!({"payout_address": EVM})),
        ("tron_usdt", json!({"payout_address": tron})),
    ] {
        let stored = setting(&app, rail, body).await;
        assert_eq!(stored["status"], json!("pending_review"), "{rail}");
        assert_eq!(stored["blockers"][0], json!("platform_rail_not_production_enabled"), "{rail}");
        assert_ne!(stored["fee_collection"]["status"], json!("active"), "AC-52");
        let approval = desk.agree("rail_setting_verification", &stored).await;
        let refused = desk.apply(&stored, &approval).await.refused(409, "platform_rail_not_production_enabled");
        assert!(!refused["blockers"].as_array().unwrap().is_empty(), "the gates are named: {refused}");
        let (blockers, session_blocker) = gates(&app, "pro", rail).await;
        assert_eq!(blockers, [json!("platform_rail_not_production_enabled")], "{rail}");
        assert!(session_blocker.is_string(), "INV-34: {rail}");
    }
    let family = json!({"enabled": true, "mode": "live", "payout_address": tron});
    put(&app, &app.live_key, "/v1/access/rail-settings/usdt", family).await.refused(422, "rail_family_not_configurable");
    let options = app.get(&app.live_key, "/v1/access/products/available-rails?external_product_id=pro").await.ok();
    assert_eq!(options["payment_session_options"]["session_creatable_rails"], json!([]), "INV-22, INV-23: and no solana_usdc setting");
    assert_eq!(options["available_rails"], json!([]));
    assert!(events_of_type(&app, "rail_setting.verified").await.is_empty());
    app.close().await;
}

/// INV-27: the fee's collection stands before a buyer pays, and is looked at again when it changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_collected_after_two_people_have_seen_the_allowance() {
    let app = TestApp::start_with(&[], with_base()).await;
    let desk = Desk::of(&app).await;
    let saved = setting(&app, "base_usdc", allowance()).await;
    let early = desk.agree("fee_collection_activation", &saved).await;
    desk.fees(&saved, json!({"status": "active", "approval_id": early["id"]})).await.refused(409, "platform_rail_not_production_enabled");
    desk.capability("base_usdc", json!({"production_enabled": true, "reason": "launch"})).await.ok();
    desk.fees(&saved, json!({"status": "active"})).await.refused(422, "validation_failed");
    let verification = desk.agree("rail_setting_verification", &saved).await;
    desk.fees(&saved, json!({"status": "active", "approval_id": verification["id"]})).await.refused(409, "approval_not_approved");
    desk.fees(&saved, json!({"status": "revoked", "reason": "r"})).await.refused(409, "merchant_fee_collection_not_active");
    let active = desk.fees(&saved, json!({"status": "active", "approval_id": early["id"]})).await.ok();
    assert_eq!(active["fee_collection"]["status"], json!("active"));
    let read = || app.get(&app.live_key, "/v1/access/rail-settings/base_usdc");
    assert_eq!(read().await.ok()["fee_collection"]["status"], json!("active"));
    desk.fees(&saved, json!({"status": "revoked"})).await.refused(422, "reason_required");
    desk.fees(&saved, json!({"status": "revoked", "reason": "allowance withdrawn"})).await.ok();
    assert_eq!(read().await.ok()["fee_collection"]["status"], json!("revoked"));
    let mut more = allowance();
    more["fee_allowance_limit_minor_units"] = json!(200_000_000);
    let again = setting(&app, "base_usdc", more).await;
    assert_eq!((&again["fee_collection"]["status"], &again["status"]), (&json!("pending_verification"), &json!("pending_review")));
    app.close().await;
}
