//! INV-64: whoever asks, and however many at once, a payment has one end.

use super::scene::Scene;
use events::vocab::{event::Event, id::PaymentId};
use futures::future::join_all;
use serde_json::json;
use std::collections::HashMap;

/// Payments raced, each by four who ask, unless `HILT_TEST_RACES` says how many. One after the other, so that nothing but the four compete.
const PAYMENTS: usize = 8;

fn payments() -> usize {
    std::env::var("HILT_TEST_RACES").ok().map_or(PAYMENTS, |races| races.parse().expect("HILT_TEST_RACES is a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_confirms_helius_and_the_watcher_converge_on_one_end() {
    let scene = Scene::start(&[]).await;
    let on_sale = scene.sells(false).await;
    let payments = payments();
    for _ in 0..payments {
        let buyer = scene.buyer().await;
        let payment = scene.connect(&on_sale, &buyer).await;
        // The watcher may see it as soon as anyone.
        let tx = scene.pay(&buyer, &payment).await;
        let confirm = || scene.confirm(&on_sale, &payment, tx, &buyer, None);
        let helius = async {
            scene.helius(json!([{ "signature": tx.to_string() }])).await.ok();
        };
        let (answers, ()) = tokio::join!(join_all([confirm(), confirm()]), helius);
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.ok()).collect();
        for name in ["payment_id", "receipt_id", "membership_id", "tx_signature"] {
            assert_eq!(answers[0][name], answers[1][name], "{name}");
        }
    }

    let mut found: HashMap<(&str, PaymentId), u32> = HashMap::new();
    let events = scene.events().await;
    for event in &events {
        let key = match event {
            Event::PaymentConfirmed(e) => ("payment", e.payment_id),
            Event::SettlementEvidenced(e) => ("settlement", e.payment_id),
            Event::ReceiptCreated(e) => ("receipt", e.payment_id.unwrap()),
            Event::MembershipActivated(e) => ("membership", e.payment_id),
            Event::MembershipRenewed(e) => ("membership", e.payment_id),
            Event::DeliveryRequested(e) => ("delivery", e.payment_id),
            _ => continue,
        };
        *found.entry(key).or_default() += 1;
    }
    assert!(found.values().all(|times| *times == 1), "{found:?}");
    let each = |what: &str| found.keys().filter(|(kind, _)| *kind == what).count();
    assert_eq!(["payment", "settlement", "receipt", "membership", "delivery"].map(each), [payments; 5]);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proof_of_identity_is_used_by_one_of_two_payments_settled_at_once() {
    let scene = Scene::start(&[]).await;
    let (on_sale, buyer) = (scene.sells(true).await, scene.buyer().await);
    let payments = [scene.connect(&on_sale, &buyer).await, scene.connect(&on_sale, &buyer).await];
    let first = scene.pay(&buyer, &payments[0]).await;
    let second = scene.pay(&buyer, &payments[1]).await;
    let session = scene.verified(&on_sale, &buyer, "728255790").await;
    let confirms = [(0, first), (1, second)].map(|(at, tx)| scene.confirm(&on_sale, &payments[at], tx, &buyer, Some(&session)));
    let answers = join_all(confirms).await;
    let settled = answers.iter().filter(|answer| answer.status.is_success()).count();
    // The watcher may have taken the proof for either; what matters is that nobody used it twice.
    assert!(settled <= 1, "{answers:?}");
    let used = |event: &Event| matches!(event, Event::IdentitySessionConsumed(_));
    let confirmed = |event: &Event| matches!(event, Event::PaymentConfirmed(_));
    assert_eq!((scene.count(used).await, scene.count(confirmed).await), (1, 1));
    scene.verified(&on_sale, &buyer, "728255790").await;
    for payment in &payments {
        scene.until_status(payment, "CONFIRMED").await;
    }
    assert_eq!((scene.count(used).await, scene.count(confirmed).await), (2, 2));
    scene.app.close().await;
}
