//! RT-014 and RT-015.

use super::scene::Scene;
use events::vocab::event::Event;
use hilt_tests::solana_tx::Keypair;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_proves_that_it_pays_for_an_identity() {
    let scene = Scene::start(&[]).await;
    let (on_sale, buyer) = (scene.sells(true).await, Keypair::generate());
    let session = scene.start_identity(&on_sale, &buyer, "728255790").await;
    assert_eq!(session["status"], json!("PENDING"));
    assert_eq!((&session["wallet_source"], &session["identity_type"]), (&json!("EXTERNAL_PHANTOM"), &json!("TELEGRAM_USER_ID")));
    assert_eq!((&session["identity_value"], &session["identity_display"]), (&json!("728255790"), &json!("@crzypeas")), "AC-21");
    let message = session["challenge_message"].as_str().unwrap();
    assert!(message.starts_with("Sign this message to verify your wallet"), "{message}");
    for part in [on_sale.slug.as_str(), "728255790", &buyer.address().to_string(), session["expires_at"].as_str().unwrap()] {
        assert!(message.contains(part), "{part} is missing in {message}");
    }

    let proved = scene.complete_identity(&session, &buyer).await.ok();
    assert_eq!((&proved["status"], &proved["identity_value"]), (&json!("VERIFIED"), &json!("728255790")), "AC-22");
    assert_eq!(proved["wallet_address"], json!(buyer.address().to_string()));
    let again = scene.complete_identity(&session, &buyer).await.ok();
    assert_eq!(again, proved, "a repeat gets the same answer");
    assert_eq!(scene.count(|event| matches!(event, Event::IdentitySessionVerified(_))).await, 1);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_late_and_foreign_signatures_are_refused() {
    let scene = Scene::start(&[]).await;
    let (on_sale, buyer, thief) = (scene.sells(true).await, Keypair::generate(), Keypair::generate());
    let session = scene.start_identity(&on_sale, &buyer, "728255790").await;

    // The thief signs for the buyer's wallet, again and again; the log keeps a few of his attempts and no more.
    for _ in 0..12 {
        let signature = thief.sign(session["challenge_message"].as_str().unwrap().as_bytes());
        let mut body = completion(&session, &signature);
        body["wallet_address"] = json!(buyer.address().to_string());
        scene.public("/v1/pay/identity/complete", body).await.refused(422, "invalid_signature");
    }
    assert_eq!(scene.count(|event| matches!(event, Event::IdentitySessionRejected(_))).await, 5);
    scene.complete_identity(&session, &thief).await.refused(422, "wallet_mismatch");

    // A signature for another product's session is worth nothing here.
    let elsewhere = scene.start_identity(&scene.sells(true).await, &buyer, "728255790").await;
    let signature = buyer.sign(elsewhere["challenge_message"].as_str().unwrap().as_bytes());
    let mut body = completion(&session, &signature);
    body["wallet_address"] = json!(buyer.address().to_string());
    scene.public("/v1/pay/identity/complete", body.clone()).await.refused(422, "invalid_signature");
    body["signed_message_b64"] = json!("not base64!");
    scene.public("/v1/pay/identity/complete", body).await.refused(422, "invalid_signature");

    scene.app.clock.advance_seconds(601);
    scene.complete_identity(&session, &buyer).await.refused(410, "identity_session_expired");
    let nobody = json!({ "session_id": "f0f4e620-1ca3-4fc8-b0ba-2d04342fe467", "wallet_address": buyer.address().to_string(), "signed_message_b64": "" });
    scene.public("/v1/pay/identity/complete", nobody).await.refused(422, "invalid_signature");
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_start_changes_nothing() {
    let scene = Scene::start(&[]).await;
    let on_sale = scene.sells(true).await;
    let good = json!({
        "slug": on_sale.slug, "wallet_address": Keypair::generate().address().to_string(),
        "customer_reference_type": "TELEGRAM_USER_ID", "customer_reference_value": "728255790",
    });
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let start = |body: Value| scene.public("/v1/pay/identity/start", body);
    start(with("slug", json!("nowhere"))).await.refused(404, "product_not_found");
    start(with("wallet_address", json!("BuyerWallet1111"))).await.refused(422, "invalid_wallet");
    start(with("customer_reference_type", json!("PASSPORT"))).await.refused(422, "validation_failed");
    start(with("customer_reference_type", json!("DISCORD_USER_ID"))).await.refused(422, "validation_failed");
    start(with("customer_reference_value", json!("1\nWallet: x"))).await.refused(422, "validation_failed");
    start(with("identity_value", json!("1"))).await.refused(422, "validation_failed");
    start(with("wallet_source", json!("a b"))).await.refused(422, "validation_failed");
    assert_eq!(scene.count(|event| matches!(event, Event::IdentitySessionStarted(_))).await, 0);
    scene.app.close().await;
}

fn completion(session: &Value, signature: &[u8]) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    json!({ "session_id": session["session_id"], "signed_message_b64": STANDARD.encode(signature) })
}
