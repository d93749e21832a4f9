//! Webhooks out (OPS-50..54, TR-43), on a real log, real read models, a real message bus and a real receiver.

mod webhooks {
    pub mod feed;
    pub mod managed;
    pub mod scene;
}

use events::vocab::{event::Event, words::WebhookEvent};
use hilt_tests::receiver::Answer;
use ledger::{webhook_delivery::WebhookDelivery, webhook_endpoint::WebhookEndpoint};
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};
use webhooks::scene::{Scene, eventually};

const ALL: &[WebhookEvent] = &[WebhookEvent::PaymentConfirmed, WebhookEvent::ReceiptCreated, WebhookEvent::MembershipActivated];
const PAYMENT: &[WebhookEvent] = &[WebhookEvent::PaymentConfirmed];

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_told_once_to_each_endpoint_that_asks_for_it() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let other = scene.shop(true).await;
    let early = scene.sale(&shop, "early").await;
    let all = scene.endpoint(&shop, "all", ALL, &[]).await;
    let named = scene.endpoint(&shop, "named", PAYMENT, &[shop.access_product.0]).await;
    let hosted = scene.endpoint(&shop, "hosted", PAYMENT, &[shop.product.0]).await;
    scene.endpoint(&shop, "elsewhere", PAYMENT, &[other.product.0]).await;
    scene.endpoint(&other, "foreign", ALL, &[]).await;
    scene.endpoint(&shop.sandbox(), "sandbox", ALL, &[]).await;
    let workers = scene.workers();
    let sale = scene.sale(&shop, "customer_1").await;
    scene.delivered(sale.events[0], all.id).await;
    scene.delivered(sale.events[1], all.id).await;
    scene.delivered(sale.events[2], all.id).await;
    scene.delivered(sale.events[0], named.id).await;
    scene.delivered(sale.events[0], hosted.id).await;

    let told = scene.receiver.received("all");
    assert_eq!(
        told.iter().map(|message| message.id.clone()).collect::<BTreeSet<_>>(),
        sale.events.iter().map(ToString::to_string).collect()
    );
    assert!(told.iter().all(|message| message.is_signed_with(&all.secret) && message.verifies_with(&all.secret)));
    assert!(told.iter().all(|message| !message.is_signed_with(&named.secret)));
    let payment = told.iter().find(|message| message.id == sale.events[0].to_string()).unwrap().json();
    assert_eq!(payment["type"], "payment.confirmed");
    assert_eq!(payment["id"], sale.events[0].to_string());
    assert_eq!(payment["livemode"], true);
    assert_eq!(payment["subject_version"], 1);
    assert_eq!(payment["data"]["payment"]["external_customer_id"], "customer_1");
    assert_eq!(payment["data"]["access"]["access_product"], json!({ "id": shop.access_product, "external_product_id": "pro-ai-api" }));
    assert_eq!(payment["data"]["access"]["rail"]["status"], "production_available");
    let position = scene.log.event(sale.events[0]).await.unwrap().unwrap().position;
    assert_eq!(payment["sequence"], position);

    for (path, expected) in [("named", 1), ("hosted", 1), ("all", 3), ("elsewhere", 0), ("foreign", 0), ("sandbox", 0)] {
        assert_eq!(scene.receiver.received(path).len(), expected, "{path}");
    }
    assert_eq!(scene.delivery(early.events[0], all.id).await.state, WebhookDelivery::Absent);
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_is_made_again_with_the_same_message() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
    scene.receiver.answers("hook", [Answer::Status(500), Answer::Redirect("elsewhere")], Answer::Status(200));
    let workers = scene.workers();
    let source = scene.sale(&shop, "customer").await.events[0];
    scene.attempted(source, hook.id, 1).await;
    assert_eq!(scene.receiver.received("hook").len(), 1);
    scene.clock.advance_seconds(7);
    scene.attempted(source, hook.id, 2).await;
    scene.clock.advance_seconds(400);
    scene.delivered(source, hook.id).await;

    let told = scene.receiver.received("hook");
    assert_eq!(told.len(), 3);
    assert!(
        told.iter().all(|message| message.id == source.to_string() && message.body == told[0].body && message.is_signed_with(&hook.secret))
    );
    assert!(told[0].timestamp < told[1].timestamp && told[1].timestamp < told[2].timestamp);
    assert!(scene.receiver.received("elsewhere").is_empty(), "a redirect is not followed");
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_never_arrives_becomes_a_dead_letter() {
    let scene = Scene::start().await;
    let shop = scene.shop(false).await;
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
    scene.receiver.answers("hook", [], Answer::Status(503));
    let workers = scene.workers();
    let source = scene.sale(&shop, "customer").await.events[0];
    scene.attempt_all(&[source], &hook).await;
    let delivery = scene.delivery(source, hook.id).await;
    let WebhookDelivery::DeadLettered { attempts: 10, reason, .. } = delivery.state else { panic!("{:?}", delivery.state) };
    assert_eq!(reason, "attempts_exhausted");
    assert_eq!(scene.receiver.received("hook").len(), 10);
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_disabled_and_its_other_deliveries_are_given_up() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
    scene.receiver.answers("hook", [Answer::RetryAfter(429, 3_600), Answer::Status(410)], Answer::Status(200));
    let workers = scene.workers();
    let waits = scene.sale(&shop, "one").await.events[0];
    let delivery = scene.attempted(waits, hook.id, 1).await;
    let WebhookDelivery::Due { next_attempt_at: Some(at), .. } = delivery.state else { panic!("{:?}", delivery.state) };
    assert!(at >= scene.clock.now().plus_seconds(3_500), "Retry-After is honoured");

    let gone = scene.sale(&shop, "two").await.events[0];
    eventually(|| async {
        matches!(scene.delivery(gone, hook.id).await.state, WebhookDelivery::DeadLettered { ref reason, .. } if reason == "gone")
    })
    .await;
    let endpoint = events::unit::load::<WebhookEndpoint>(&scene.log, hook.stream()).await.unwrap();
    assert!(matches!(endpoint.state, WebhookEndpoint::Disabled { ref reason, .. } if reason == "gone"));
    scene.clock.advance_seconds(5_000);
    eventually(|| async {
        matches!(scene.delivery(waits, hook.id).await.state, WebhookDelivery::DeadLettered { ref reason, .. } if reason == "endpoint_disabled")
    })
    .await;
    let never = scene.sale(&shop, "three").await.events[0];
    scene.emitter_passed(never).await;
    assert_eq!(scene.delivery(never, hook.id).await.state, WebhookDelivery::Absent);
    assert_eq!(scene.receiver.received("hook").len(), 2);
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_delays_no_other() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let slow = scene.endpoint(&shop, "slow", PAYMENT, &[]).await;
    let fast = scene.endpoint(&shop, "fast", PAYMENT, &[]).await;
    scene.receiver.answers("slow", [], Answer::Late(Duration::from_secs(60), 200));
    let workers = scene.workers();
    let mut sources = Vec::new();
    for number in 0..40 {
        sources.push(scene.sale(&shop, &format!("customer_{number}")).await.events[0]);
    }
    for source in &sources {
        scene.delivered(*source, fast.id).await;
    }
    assert_eq!(scene.receiver.received("fast").len(), 40);
    // Every lane slot of the slow one is taken, and nothing came of any attempt yet.
    assert!(scene.receiver.received("slow").len() <= 16);
    for source in &sources {
        assert!(!matches!(scene.delivery(*source, slow.id).await.state, WebhookDelivery::Delivered { .. }));
    }
    drop(workers);
}

#[test]
fn a_deliverer_killed_in_the_middle_of_an_attempt_is_followed_by_another() {
    let main = tokio::runtime::Runtime::new().unwrap();
    let scene = main.block_on(Scene::start());
    let (shop, hook) = main.block_on(async {
        let shop = scene.shop(true).await;
        let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
        (shop, hook)
    });
    scene.receiver.answers("hook", [Answer::Late(Duration::from_secs(30), 200)], Answer::Status(200));
    // A process of its own, as far as the log can tell: its tasks and its connections end at once, without a word.
    let doomed = tokio::runtime::Runtime::new().unwrap();
    let workers = doomed.block_on(scene.other_process());
    let source = main.block_on(async {
        let source = scene.sale(&shop, "customer").await.events[0];
        eventually(|| async { scene.receiver.received("hook").len() == 1 }).await;
        source
    });
    doomed.shutdown_timeout(Duration::from_secs(5));
    {
        let _inside = main.enter();
        drop(workers);
    }

    main.block_on(async {
        assert!(matches!(scene.delivery(source, hook.id).await.state, WebhookDelivery::Due { attempts: 0, .. }));
        let workers = scene.workers();
        scene.delivered(source, hook.id).await;
        let told = scene.receiver.received("hook");
        assert_eq!((told.len(), &told[0].id, &told[0].body), (2, &told[1].id, &told[1].body));
        assert_eq!(scene.recorded(source, hook.id, |event| matches!(event, Event::WebhookDelivered(_))).await, 1);
        assert_eq!(scene.recorded(source, hook.id, |event| matches!(event, Event::WebhookDeliveryAttempted(_))).await, 1);
        workers.stop().await;
        scene.rebuilt_equals_live().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_the_queue_the_read_models_and_the_bus_loses_no_delivery() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
    scene.receiver.answers("hook", [], Answer::Status(500));
    let workers = scene.workers();
    let tried = scene.sale(&shop, "tried").await.events[0];
    scene.attempted(tried, hook.id, 1).await;
    workers.stop().await;
    let missed = scene.sale(&shop, "missed").await.events[0];
    scene.lose_everything_derived().await;

    scene.receiver.answers("hook", [], Answer::Status(200));
    scene.clock.advance_seconds(10);
    let workers = scene.workers();
    scene.delivered(tried, hook.id).await;
    scene.delivered(missed, hook.id).await;
    assert_eq!(scene.receiver.received("hook").len(), 3);
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_never_called() {
    let scene = Scene::start().await;
    let shop = scene.shop(false).await;
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
    let workers = scene.workers_for_the_public_internet();
    let source = scene.sale(&shop, "customer").await.events[0];
    scene.attempted(source, hook.id, 1).await;
    assert!(scene.receiver.received("hook").is_empty());
    let refused = |event: &Event| matches!(event, Event::WebhookDeliveryAttempted(e) if e.error.as_deref() == Some("private_address"));
    assert_eq!(scene.recorded(source, hook.id, refused).await, 1);
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn emitting_again_changes_nothing() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let hook = scene.endpoint(&shop, "hook", PAYMENT, &[]).await;
    let workers = scene.workers();
    let source = scene.sale(&shop, "customer").await.events[0];
    scene.delivered(source, hook.id).await;
    workers.stop().await;
    scene.forget_what_was_emitted().await;
    let head = scene.log.known_head();
    let workers = scene.workers();
    scene.emitter_passed(source).await;
    assert_eq!(scene.log.known_head(), head);
    assert_eq!(scene.receiver.received("hook").len(), 1);
    workers.stop().await;
}
