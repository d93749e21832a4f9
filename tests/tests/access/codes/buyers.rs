//! Codes that buyers, members and support tickets lead to: COD-15, 28, 34, 35.

use super::Seen;
use crate::{scene::Scene, shop::Shop};
use events::vocab::{bytes::TxSignature, words::Scope};
use hilt_tests::{
    app::TestApp,
    paid_endpoint::{Server, Version},
    payments,
    processes::free_port,
};
use serde_json::json;

/// COD-15: a merchant's protected endpoint, which is the example's.
pub async fn endpoint(seen: &mut Seen) {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let settings = [("HILT_API_URL", app.base_url.as_str()), ("HILT_API_KEY", &app.live_key), ("HILT_PAY_API_PRODUCT", &shop.product)];
    let server = Server::start(Version::Express, free_port(), &settings).await;
    let (status, denied) = server.work("cust_1").await;
    assert_eq!(status, 402);
    seen.said(&[denied["code"].clone()], "payment_required");
    app.close().await;
}

/// COD-28 and COD-34.
pub async fn members_and_tickets(seen: &mut Seen) {
    let app = TestApp::start(&[]).await;
    let merchant = payments::shop(&app.state.log, true).await;
    payments::paid(&app.state.log, &merchant).await;
    let key = app.key(merchant.owner_id, true, Scope::ALL).await;
    let check = json!({"product_id": merchant.access_product_id, "external_customer_id": "customer-1"});
    let found = app.post(&key, "/v1/access/entitlements/check", check).await.ok();
    assert_eq!(found["source"], json!("membership_bridge"));
    seen.said(&[found["reason"].clone()], "active_membership");
    let ticket = |category: &str, body: &str| {
        let asked = json!({"subject": "Access did not arrive", "category": category, "body": body});
        app.post(&key, "/v1/support/tickets", asked)
    };
    seen.refused(ticket("GOSSIP", "The buyer paid and sees nothing.").await, 422, "invalid_category");
    seen.refused(ticket("OTHER", "too short").await, 422, "message_too_short");
    app.close().await;
}

/// COD-35: 408, 409, 410 and 422 of the checkout, on a real chain.
pub async fn checkout(seen: &mut Seen) {
    let scene = Scene::start(&[]).await;
    let (on_sale, open) = (scene.sells(true).await, scene.sells(false).await);
    let (buyer, other) = (scene.buyer().await, scene.buyer().await);
    let late = scene.connect(&open, &other).await;
    let waiting = scene.connect(&open, &buyer).await;
    let unknown = TxSignature([9; 64]);
    seen.refused(scene.confirm(&open, &waiting, unknown, &buyer, None).await, 408, "tx_not_confirmed");
    let tx = scene.pay(&buyer, &waiting).await;
    scene.confirm(&open, &waiting, tx, &buyer, None).await.ok();
    seen.refused(scene.confirm(&open, &waiting, unknown, &buyer, None).await, 409, "tx_conflict");
    let session = scene.start_identity(&on_sale, &buyer, "1001").await;
    seen.refused(scene.complete_identity(&session, &other).await, 422, "wallet_mismatch");
    let payment = scene.connect(&on_sale, &buyer).await;
    let tx = scene.pay(&buyer, &payment).await;
    seen.refused(scene.confirm(&on_sale, &payment, tx, &buyer, None).await, 422, "identity_verification_required");
    scene.app.clock.advance_seconds(31 * 60);
    seen.refused(scene.confirm(&open, &late, TxSignature([8; 64]), &other, None).await, 410, "payment_expired");
    scene.app.close().await;
}
