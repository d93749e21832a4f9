//! A process that ends between the provider's call and its record, and a provider that keeps everybody waiting.

use crate::scene::{config, set, until};
use events::{
    unit::{Unit, load},
    vocab::{
        event::EventType,
        id::{AccessDeliveryId, PaymentId},
        stream::{Category, StreamId},
        words::{DeliveryMode, DeliveryStatus, DeliveryType},
    },
};
use hilt_tests::{
    app::{SOON, TestApp},
    discord::{self, Discord},
    payments::{Paid, Shop, paid, shop},
    telegram::{self, Fault, Telegram},
};
use ledger::{
    Cited,
    delivery::{Command, Delivery, Request},
    payment::Payment,
};
use std::time::{Duration, Instant};

/// The delivery of a settled payment waits for a bot from now on.
async fn request(app: &TestApp, shop: &Shop, sold: &Paid, delivery_type: DeliveryType, mode: DeliveryMode) -> PaymentId {
    let log = &app.state.log;
    let payment_id = sold.session.payment_id;
    let payment = load::<Payment>(log, StreamId::new(Category::Payment, payment_id)).await.unwrap();
    let cited = payment.first(EventType::PaymentConfirmed).unwrap();
    let Payment::Confirmed { confirmed, .. } = payment.state else { panic!("it is paid") };
    let context = events::log::Context {
        owner_id: Some(shop.owner_id),
        livemode: true,
        actor: events::vocab::stream::Actor::system("test"),
        request_id: None,
        correlation_id: sold.session.correlation_id,
    };
    let mut unit = Unit::new(log, context);
    let mut delivery = unit.start::<Delivery>(StreamId::new(Category::Delivery, AccessDeliveryId::of(payment_id)));
    let request = Request {
        payment: Cited::new(cited, *confirmed),
        access_product_id: Some(shop.access_product_id),
        membership_id: Some(sold.membership_id),
        subject_id: sold.session.subject_id,
        delivery_type,
        mode,
    };
    unit.decide(&mut delivery, Command::Request(Box::new(request)), Some(cited)).unwrap();
    unit.commit().await.unwrap();
    payment_id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_between_call_and_record_leaves_the_delivery_due() {
    let telegram = Telegram::start().await;
    let roles = ("HILT_ROLES", "api,relay,projections");
    let bot = [("HILT_TELEGRAM_BOT_TOKEN", telegram::TOKEN), ("HILT_TELEGRAM_API_URL", telegram.url.as_str()), roles];
    let app = TestApp::start(&bot).await;
    let shop = shop(&app.state.log, true).await;
    set(&app, shop.product_id, DeliveryType::TelegramInvite, None, config(Some(telegram::CHAT), None, None)).await;
    let sold = paid(&app.state.log, &shop).await;
    let payment = request(&app, &shop, &sold, DeliveryType::TelegramInvite, DeliveryMode::TelegramBot).await;
    let id = AccessDeliveryId::of(payment);

    telegram.fails([Fault::Lost], None);
    let handover = app.state.handover.clone();
    let ended = tokio::spawn({
        let (handover, reader, projections) = (handover.clone(), app.state.reader.clone(), app.projections.clone());
        async move { handover.attempt(&reader, &projections, id).await }
    });
    let deadline = Instant::now() + SOON;
    while telegram.calls("createChatInviteLink").is_empty() {
        assert!(Instant::now() < deadline, "Telegram was never called");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ended.abort();
    let stream = StreamId::new(Category::Delivery, id);
    assert_eq!(app.state.log.read_stream(stream, 0).await.unwrap().len(), 1, "nothing is recorded");

    // Whoever comes next calls again; of several at once, one records.
    let attempts = (0..4).map(|_| handover.attempt(&app.state.reader, &app.projections, id));
    let recorded = futures::future::join_all(attempts).await.into_iter().filter_map(|outcome| outcome.unwrap()).count();
    assert!(recorded >= 1);
    let types: Vec<EventType> = app.state.log.read_stream(stream, 0).await.unwrap().iter().map(|event| event.envelope.event_type).collect();
    assert_eq!(types, [EventType::DeliveryRequested, EventType::DeliveryAttempted, EventType::DeliverySent]);
    assert_eq!(handover.attempt(&app.state.reader, &app.projections, id).await.unwrap(), None);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_answer_keeps_nobody_elses_buyers_waiting() {
    let (telegram, discord) = (Telegram::start().await, Discord::start().await);
    let app = TestApp::start(&[
        ("HILT_TELEGRAM_BOT_TOKEN", telegram::TOKEN),
        ("HILT_TELEGRAM_API_URL", &telegram.url),
        ("HILT_DISCORD_BOT_TOKEN", discord::TOKEN),
        ("HILT_DISCORD_API_URL", &discord.url),
    ])
    .await;
    let (slow, quick) = (shop(&app.state.log, true).await, shop(&app.state.log, true).await);
    set(&app, slow.product_id, DeliveryType::TelegramInvite, None, config(Some(telegram::CHAT), None, None)).await;
    set(&app, quick.product_id, DeliveryType::DiscordInvite, None, config(Some(discord::GUILD), None, Some(discord::CHANNEL))).await;
    telegram.fails([], Some(Fault::Slow(Duration::from_secs(6))));
    let sold = paid(&app.state.log, &quick).await;
    let mut waiting = Vec::new();
    for _ in 0..20 {
        waiting.push(paid(&app.state.log, &slow).await);
    }
    for sold in &waiting {
        request(&app, &slow, sold, DeliveryType::TelegramInvite, DeliveryMode::TelegramBot).await;
    }
    let deadline = Instant::now() + SOON;
    while telegram.calls("createChatInviteLink").len() < 16 {
        assert!(Instant::now() < deadline, "Telegram was never busy");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let payment = request(&app, &quick, &sold, DeliveryType::DiscordInvite, DeliveryMode::DiscordBot).await;
    until(&app, payment, |delivery| delivery.status == DeliveryStatus::Sent).await;
    assert_eq!(telegram.calls("createChatInviteLink").len(), 16, "Telegram's own places are all that it uses up");
    assert_eq!(discord.calls().len(), 1);
    app.close().await;
}
