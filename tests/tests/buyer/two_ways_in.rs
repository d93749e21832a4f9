//! One person, one chat, two memberships that open it: he is put out with the last of them.

use super::scene::{OnSale, Scene};
use events::vocab::{event::Event, id::MembershipId};
use hilt_tests::{
    app::SOON,
    solana_tx::Keypair,
    telegram::{self, Telegram},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const USER: i64 = 728_255_790;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_another_way_in_stays_until_that_is_over_too() {
    let telegram = Telegram::start().await;
    let scene = Scene::start(&[("HILT_TELEGRAM_BOT_TOKEN", telegram::TOKEN), ("HILT_TELEGRAM_API_URL", &telegram.url)]).await;
    let membership = json!({
        "enabled": true, "platform": "TELEGRAM", "access_mode": "INVITE_LINK", "identity_type": "TELEGRAM_USER_ID",
        "identity_required": true, "billing_interval_days": 30, "platform_target_id": telegram::CHAT,
    });
    let buyer = scene.buyer().await;
    telegram.member(USER, "member");
    let mut held = Vec::new();
    for _ in 0..2 {
        let on_sale = scene.sells_with(membership.clone(), "TELEGRAM_INVITE").await;
        held.push(buys(&scene, &on_sale, &buyer).await);
    }
    let (first, second) = (&held[0], &held[1]);
    assert_ne!(first, second);

    revoke(&scene, first).await;
    until(&scene, first, |event, id| match event {
        Event::DeliveryWithdrawalCancelled(e) => e.membership_id == id && e.reason == "access_by_another_membership",
        _ => false,
    })
    .await;
    assert_eq!((telegram.status(USER), telegram.calls("banChatMember").len()), (Some("member"), 0));

    revoke(&scene, second).await;
    until(&scene, second, |event, id| matches!(event, Event::DeliveryWithdrawn(e) if e.membership_id == id)).await;
    assert_eq!((telegram.status(USER), telegram.calls("banChatMember").len()), (Some("left"), 1));
    scene.app.close().await;
}

/// Pays and proves who he is: his membership.
async fn buys(scene: &Scene, on_sale: &OnSale, buyer: &Keypair) -> String {
    let payment = scene.connect(on_sale, buyer).await;
    let tx = scene.pay(buyer, &payment).await;
    let session = scene.verified(on_sale, buyer, &USER.to_string()).await;
    let settled: Value = scene.confirm(on_sale, &payment, tx, buyer, Some(&session)).await.ok();
    settled["membership_id"].as_str().unwrap_or_else(|| panic!("no membership in {settled}")).to_owned()
}

async fn revoke(scene: &Scene, membership: &str) {
    scene.app.post(&scene.app.live_key, &format!("/v1/memberships/{membership}/revoke"), json!({"reason": "refund"})).await.ok();
}

/// Waits for an event of that membership.
async fn until(scene: &Scene, membership: &str, is: impl Fn(&Event, MembershipId) -> bool) {
    let id: MembershipId = membership.parse().unwrap();
    let deadline = Instant::now() + SOON;
    while scene.count(|event| is(event, id)).await == 0 {
        assert!(Instant::now() < deadline, "it never happened: {:?}", scene.events().await.last());
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
