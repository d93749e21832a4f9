//! INV-64: whoever asks, and however many at once, a payment has one end.

use super::scene::Scene;
use events::vocab::event::Event;
use futures::future::join_all;

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
