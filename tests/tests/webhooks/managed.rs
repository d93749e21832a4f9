//! Endpoints in their merchant's hands: paused, resumed, changed, given new secrets, disabled for failing, and deliveries made again.

use super::scene::{Scene, eventually};
use events::vocab::{
    event::{Event, WebhookEndpointDisabled},
    words::{RedeliveryScope, WebhookEvent},
};
use hilt_tests::receiver::Answer;
use ledger::{
    webhook_delivery::WebhookDelivery,
    webhook_endpoint::{Change, Command, WebhookEndpoint},
};

const PAYMENT: &[WebhookEvent] = &[WebhookEvent::PaymentConfirmed];

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_during_a_pause_is_kept_and_sent_afterwards() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
    let workers = scene.workers();
    let first = scene.sale(&shop, "first").await.events[0];
    scene.delivered(first, hook.id).await;
    scene.command(&shop, &hook, Command::Pause).await;
    let mut kept = Vec::new();
    for number in 0..5 {
        kept.push(scene.sale(&shop, &format!("customer_{number}")).await.events[0]);
    }
    scene.emitter_passed(kept[4]).await;
    // Whoever becomes the deliverer finds them, and leaves them alone too.
    workers.stop().await;
    let workers = scene.workers();
    let marker = scene.endpoint(&shop, "marker", PAYMENT, &[]).await;
    let passing = scene.sale(&shop, "passing").await.events[0];
    scene.delivered(passing, marker.id).await;
    kept.push(passing);
    assert_eq!(scene.receiver.received("hook").len(), 1);
    scene.command(&shop, &hook, Command::Resume).await;
    for source in &kept {
        scene.delivered(*source, hook.id).await;
    }
    assert_eq!(scene.receiver.received("hook").len(), 7);
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_sign_until_the_old_one_ends() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
    let workers = scene.workers();
    let new = scene.rotate(&shop, &hook, 3_600).await;
    let during = scene.sale(&shop, "during").await.events[0];
    scene.delivered(during, hook.id).await;
    scene.clock.advance_seconds(3_601);
    let after = scene.sale(&shop, "after").await.events[0];
    scene.delivered(after, hook.id).await;
    let at_once = scene.rotate(&shop, &hook, 0).await;
    let last = scene.sale(&shop, "last").await.events[0];
    scene.delivered(last, hook.id).await;

    let told = scene.receiver.received("hook");
    let signed = |index: usize| {
        let message = &told[index];
        [&hook.secret, &new, &at_once].map(|secret| message.is_signed_with(secret))
    };
    assert_eq!(signed(0), [true, true, false], "both, in one header");
    assert!(told[0].verifies_with(&hook.secret) && told[0].verifies_with(&new), "another library takes either");
    assert_eq!(signed(1), [false, true, false]);
    assert_eq!(signed(2), [false, false, true]);
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_filters_count_from_then_on() {
    let scene = Scene::start().await;
    let (shop, elsewhere) = (scene.shop(true).await, events::clock::new_id());
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[elsewhere]).await;
    let workers = scene.workers();
    let unwanted = scene.sale(&shop, "before").await;
    scene.emitter_passed(unwanted.events[2]).await;
    let change = Change {
        subscribed_events: Some(vec![WebhookEvent::ReceiptCreated]),
        product_ids: Some(vec![shop.product.0]),
        url: Some(scene.receiver.url("moved")),
        ..Change::default()
    };
    scene.command(&shop, &hook, Command::Change(Box::new(change))).await;
    let wanted = scene.sale(&shop, "after").await;
    scene.delivered(wanted.events[1], hook.id).await;
    assert_eq!((scene.receiver.received("hook").len(), scene.receiver.received("moved").len()), (0, 1));
    // Nor does emission that is repeated tell of what was not wanted then.
    workers.stop().await;
    scene.forget_what_was_emitted().await;
    let workers = scene.workers();
    scene.emitter_passed(wanted.events[2]).await;
    assert_eq!(scene.delivery(unwanted.events[1], hook.id).await.state, WebhookDelivery::Absent);
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_fails_for_days_is_disabled_and_what_it_missed_can_be_made_again() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
    scene.receiver.answers("hook", [], Answer::Status(500));
    let workers = scene.workers();
    let began = scene.clock.now();
    let first = scene.sale(&shop, "first").await.events[0];
    scene.attempt_all(&[first], &hook).await;
    assert!(matches!(scene.endpoint_state(&hook).await, WebhookEndpoint::Active(_)), "one delivery alone never ends an endpoint");
    scene.clock.advance_seconds(86_400 * 2);
    let second = scene.sale(&shop, "second").await.events[0];
    scene.attempted(second, hook.id, 1).await;
    eventually(|| async {
        matches!(scene.endpoint_state(&hook).await, WebhookEndpoint::Disabled { ref reason, .. } if reason == "failing")
    })
    .await;
    let disabled = scene.log.read_stream(hook.stream(), 0).await.unwrap().pop().unwrap().decode().unwrap();
    assert_eq!(disabled, Event::from(WebhookEndpointDisabled { endpoint_id: hook.id, reason: "failing".to_owned() }));
    scene.clock.advance_seconds(10);
    eventually(|| async { matches!(scene.delivery(second, hook.id).await.state, WebhookDelivery::DeadLettered { .. }) }).await;
    let missed = scene.sale(&shop, "missed").await.events[0];
    scene.emitter_passed(missed).await;
    assert_eq!(scene.delivery(missed, hook.id).await.state, WebhookDelivery::Absent, "it is in the feed");

    scene.receiver.answers("hook", [], Answer::Status(200));
    scene.command(&shop, &hook, Command::Resume).await;
    let arrived = scene.sale(&shop, "arrived").await.events[0];
    scene.delivered(arrived, hook.id).await;
    let now = scene.clock.now().plus_seconds(1);
    let span = |scope, since, until| Command::Redeliver { scope, since, until };
    // Nothing was emitted in this span.
    scene.command(&shop, &hook, span(RedeliveryScope::All, began.plus_days(1), began.plus_days(2))).await;
    scene.command(&shop, &hook, span(RedeliveryScope::Failed, began.plus_seconds(-3_600), now)).await;
    scene.delivered(first, hook.id).await;
    scene.delivered(second, hook.id).await;
    let again = |event: &Event| matches!(event, Event::WebhookRedeliveryRequested(_));
    assert_eq!(scene.recorded(first, hook.id, again).await, 1);
    assert_eq!(scene.recorded(arrived, hook.id, again).await, 0, "it had arrived");
    assert!(scene.feed(&shop, 100).await.iter().any(|message| message["id"] == missed.to_string().as_str()));
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}
