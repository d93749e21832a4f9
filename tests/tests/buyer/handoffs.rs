//! RT-008 and RT-011.

use super::scene::Scene;
use events::{
    clock::new_id,
    vault::KeyPurpose,
    vocab::{event::Event, id::OwnerId, words::Scope},
};
use serde_json::{Value, json};

fn buyer() -> Value {
    json!({ "identity_type": "TELEGRAM_USER_ID", "identity_value": "728255790", "identity_display": "@buyer", "expires_in_minutes": 30 })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_sends_a_buyer_whom_he_knows_to_the_checkout() {
    let scene = Scene::start(&[]).await;
    let on_sale = scene.sells(true).await;
    let path = format!("/v1/products/{}/handoff-link", on_sale.id);
    let link = scene.app.post(&scene.app.live_key, &path, buyer()).await.ok();
    let keys: Vec<&str> = link.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 5, "AC-20: {keys:?}");
    let token = link["handoff_token"].as_str().unwrap();
    assert!(token.starts_with("hilt_handoff_"), "AC-3");
    assert_eq!(link["checkout_url"], json!(format!("https://www.hilt.so/p/{}?handoff={token}", on_sale.slug)));
    assert_eq!(link["expires_at"], json!(scene.app.clock.now().plus_seconds(1_800)).take_near(&link["expires_at"]));

    let resolve = format!("/v1/products/p/{}/resolve-handoff", on_sale.slug);
    for _ in 0..3 {
        let known = scene.public(&resolve, json!({ "handoff_token": token })).await.ok();
        assert_eq!((&known["identity_value"], &known["identity_display"]), (&json!("728255790"), &json!("@buyer")), "AC-19");
        assert_eq!((&known["valid"], &known["slug"]), (&json!(true), &json!(on_sale.slug)));
    }
    assert_eq!(scene.count(|event| matches!(event, Event::HandoffResolved(_))).await, 1, "the first reading is on record, no other");
    assert_eq!(scene.count(|event| matches!(event, Event::PaymentCreated(_))).await, 0);

    // Altered in any character, for another product, or too late.
    for at in [13, 20, token.len() / 2, token.len() - 1] {
        let mut altered = token.as_bytes().to_vec();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        scene.public(&resolve, json!({ "handoff_token": altered })).await.refused(422, "invalid_handoff_token");
    }
    let other = scene.sells(true).await;
    let elsewhere = format!("/v1/products/p/{}/resolve-handoff", other.slug);
    scene.public(&elsewhere, json!({ "handoff_token": token })).await.refused(422, "invalid_handoff_token");
    scene.public("/v1/products/p/nowhere/resolve-handoff", json!({ "handoff_token": token })).await.refused(404, "product_not_found");

    // A token outlives the key that signed it.
    scene.app.state.vault.rotate_signer(KeyPurpose::Handoff).await.unwrap();
    scene.public(&resolve, json!({ "handoff_token": token })).await.ok();
    scene.app.clock.advance_seconds(1_800);
    scene.public(&resolve, json!({ "handoff_token": token })).await.refused(410, "handoff_expired");
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_needs_the_owner_a_live_key_and_a_sensible_request() {
    let scene = Scene::start(&[]).await;
    let on_sale = scene.sells(true).await;
    let path = format!("/v1/products/{}/handoff-link", on_sale.id);
    let stranger = scene.app.key(new_id::<OwnerId>(), true, Scope::ALL).await;
    scene.app.post(&stranger, &path, buyer()).await.refused(404, "product_not_found");
    scene.app.post(&scene.app.sandbox_key, &path, buyer()).await.refused(403, "live_key_required");
    let nowhere = "/v1/products/f0f4e620-1ca3-4fc8-b0ba-2d04342fe467/handoff-link";
    scene.app.post(&scene.app.live_key, nowhere, buyer()).await.refused(404, "product_not_found");
    for (name, value) in [
        ("identity_type", json!("PASSPORT")),
        ("identity_value", json!("@buyer")),
        ("identity_value", json!("")),
        ("expires_in_minutes", json!(0)),
        ("expires_in_minutes", json!(1_441)),
        ("expires_in_minutes", json!(-1)),
    ] {
        let mut body = buyer();
        body[name] = value;
        scene.app.post(&scene.app.live_key, &path, body).await.refused(422, "validation_failed");
    }
    let repeat = scene.app.post_as(&scene.app.live_key, &path, "one", buyer()).await.ok();
    assert_eq!(scene.app.post_as(&scene.app.live_key, &path, "one", buyer()).await.ok(), repeat);
    assert_eq!(scene.count(|event| matches!(event, Event::HandoffIssued(_))).await, 1);
    scene.app.close().await;
}

trait Near {
    fn take_near(self, other: &Value) -> Value;
}

impl Near for Value {
    /// `other`, if it is within two seconds of this time: the service's own look at the clock was a little earlier.
    fn take_near(self, other: &Value) -> Value {
        let read = |value: &Value| events::vocab::time::Timestamp::parse(value.as_str().unwrap()).unwrap().seconds();
        assert!((read(&self) - read(other)).abs() <= 2, "{self} is not near {other}");
        other.clone()
    }
}
