//! What bots make, through the whole flow.

use crate::scene::{Scene, check, config, identify, text, until, until_attempt};
use events::vocab::{
    stream::{Category, StreamId},
    words::{DeliveryMode, DeliveryStatus, DeliveryTrigger, DeliveryType, IdentityType},
};
use hilt_tests::{
    app::SOON,
    discord::{self, Discord},
    receiver::Receiver,
    telegram::{self, Telegram},
};
use ledger::delivery::RETRY_MINUTES;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const STATIC: &str = "https://t.me/joinchat/everybody";
const TELEGRAM_USER: i64 = 77;
const DISCORD_USER: &str = "80351110224678912";

async fn with_telegram() -> (Telegram, Scene) {
    let telegram = Telegram::start().await;
    let scene = Scene::open(&[("HILT_TELEGRAM_BOT_TOKEN", telegram::TOKEN), ("HILT_TELEGRAM_API_URL", &telegram.url)]).await;
    (telegram, scene)
}

/// AC-32, AC-39, INV-70, INV-71: from the first failure to manual review, and out of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_provider_is_visible_at_once_rescued_on_schedule_and_handed_to_a_person() {
    let (telegram, scene) = with_telegram().await;
    let app = &scene.app;
    let receiver = Receiver::start().await;
    let hook = json!({"label": "sync", "url": receiver.url("hook"), "subscribed_events": ["delivery.failed"]});
    app.post(&app.live_key, "/v1/access/webhooks", hook).await.ok();
    scene.hands_over(DeliveryType::TelegramInvite, Some(STATIC), config(Some(telegram::CHAT), None, None)).await;
    telegram.fails([], Some(telegram::Fault::Status(502)));

    let sale = scene.pay("cust_1").await;
    let answer = scene.confirm(&sale).await;
    assert_eq!((&answer["status"], &answer["membership_status"]), (&json!("confirmed"), &json!("ACTIVE")), "{answer}");
    assert_eq!(answer["delivery_status"], json!("RETRY_SCHEDULED"), "the first failure shows at once");
    assert_eq!((&answer["delivery_type"], &answer["delivery_value"]), (&json!("TELEGRAM_INVITE"), &json!(STATIC)));
    let payment = scene.payment(&sale).await;
    assert_eq!((&payment["status"], &payment["delivery_status"]), (&json!("CONFIRMED"), &json!("RETRY_SCHEDULED")));
    let membership = text(&answer["membership_id"]).to_owned();
    let found = scene.diagnose(&membership).await;
    assert_eq!((&found["overall_status"], &found["provider_state"]["reachable"]), (&json!("unknown"), &json!(false)), "{found}");
    assert_eq!((check(&found, "automation_configured"), check(&found, "static_fallback")), ("unknown", "warn"));

    let stream = StreamId::new(Category::Payment, sale.payment);
    let payment_events = app.state.log.read_stream(stream, 0).await.unwrap().len();
    for (attempt, minutes) in (2..).zip(RETRY_MINUTES) {
        app.clock.advance_seconds(minutes * 60 + 1);
        let delivery = until_attempt(app, sale.payment, attempt).await;
        assert_eq!(delivery.history.last().unwrap().trigger, DeliveryTrigger::Schedule);
    }
    let delivery = until(app, sale.payment, |delivery| delivery.status == DeliveryStatus::ManualReview).await;
    assert_eq!((delivery.attempts, delivery.last_error.as_deref()), (6, Some("provider_unavailable")));
    assert_eq!(telegram.calls("createChatInviteLink").len(), 6);
    assert_eq!(scene.payment(&sale).await["delivery_status"], json!("MANUAL_REVIEW"));
    assert_eq!(scene.diagnose(&membership).await["overall_status"], json!("action_required"));
    assert_eq!(scene.failed_deliveries().await, json!(1), "RT-007");

    telegram.fails([], None);
    let retried = scene.retry(&membership).await.ok();
    assert_eq!((&retried["queued"], &retried["attempt"], &retried["delivery_status"]), (&json!(true), &json!(7), &json!("PENDING")));
    until(app, sale.payment, |delivery| delivery.status == DeliveryStatus::Sent).await;
    assert_eq!(scene.failed_deliveries().await, json!(0));
    let (first, second) = (scene.confirm(&sale).await, scene.confirm(&sale).await);
    assert_eq!(first, second, "a buyer who comes back gets the same answer");
    assert_eq!((&first["delivery_status"], &first["delivery_value"]), (&json!("SENT"), &json!("https://t.me/+secretInvite7")));
    assert_eq!(app.state.log.read_stream(stream, 0).await.unwrap().len(), payment_events, "INV-70");

    let told = told_once(&receiver).await;
    assert_eq!((&told["type"], &told["data"]["delivery"]["attempt"]), (&json!("delivery.failed"), &json!(1)), "{told}");
    assert_eq!(told["data"]["delivery"]["membership_id"], json!(membership));
    assert_eq!(told["data"]["access"]["access_product"]["external_product_id"], json!("pro-ai-api"), "OPS-51");
    for secret in [telegram::TOKEN, "secretInvite", "joinchat/everybody"] {
        assert!(app.database.tables_holding(secret).await.is_empty(), "{secret}");
    }
    scene.app.close().await;
}

/// The first failure of a series is told, its repeats are not.
async fn told_once(receiver: &Receiver) -> Value {
    let deadline = Instant::now() + SOON;
    while receiver.received("hook").is_empty() {
        assert!(Instant::now() < deadline, "delivery.failed was never told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(receiver.received("hook").len(), 1);
    receiver.received("hook")[0].json()
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_is_left_alone_as_long_as_it_asks_and_followed_where_the_group_goes() {
    let (telegram, scene) = with_telegram().await;
    let app = &scene.app;
    scene.hands_over(DeliveryType::TelegramInvite, None, config(Some(telegram::CHAT), None, None)).await;
    telegram.fails([telegram::Fault::TooMany(600)], None);
    let sale = scene.pay("cust_2").await;
    let answer = scene.confirm(&sale).await;
    assert_eq!((&answer["delivery_status"], &answer["delivery_value"]), (&json!("RETRY_SCHEDULED"), &Value::Null));
    let delivery = until_attempt(app, sale.payment, 1).await;
    assert_eq!(delivery.last_error.as_deref(), Some("provider_rate_limited"));
    let waits = delivery.next_attempt_at.unwrap().micros() - delivery.history[0].at.micros();
    assert!((590_000_000..=600_000_000).contains(&waits), "{waits}");

    telegram.fails([telegram::Fault::Migrated(-1_009_876)], None);
    app.clock.advance_seconds(601);
    until(app, sale.payment, |delivery| delivery.status == DeliveryStatus::Sent).await;
    let chats: Vec<Value> = telegram.calls("createChatInviteLink").iter().map(|call| call.parameters["chat_id"].clone()).collect();
    assert_eq!(chats, [json!(telegram::CHAT), json!(telegram::CHAT), json!(-1_009_876)]);
    let answer = scene.confirm(&sale).await;
    assert_eq!(answer["delivery_value"], json!("https://t.me/+secretInvite3"));

    // He is in the chat when he renews: he needs no other invite.
    let membership = text(&answer["membership_id"]).to_owned();
    scene.hands_over(DeliveryType::TelegramInvite, None, config(Some("-1009876"), None, None)).await;
    identify(app, &membership, IdentityType::TelegramUserId, &TELEGRAM_USER.to_string()).await;
    telegram.member(TELEGRAM_USER, "member");
    assert_eq!(scene.retry(&membership).await.ok()["queued"], json!(true));
    until(app, sale.payment, |delivery| delivery.attempts == 3 && delivery.status == DeliveryStatus::Sent).await;
    assert_eq!(telegram.calls("createChatInviteLink").len(), 3);
    let found = scene.diagnose(&membership).await;
    assert_eq!((&found["overall_status"], &found["provider_state"]["member"]), (&json!("healthy"), &json!("in")), "{found}");
    telegram.takes_rights();
    let found = scene.diagnose(&membership).await;
    assert_eq!((&found["overall_status"], check(&found, "automation_configured")), (&json!("action_required"), "fail"), "{found}");
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_discord_the_role_is_the_access() {
    let discord = Discord::start().await;
    let scene = Scene::open(&[("HILT_DISCORD_BOT_TOKEN", discord::TOKEN), ("HILT_DISCORD_API_URL", &discord.url)]).await;
    let app = &scene.app;
    let place = config(Some(discord::GUILD), Some(discord::ROLE), Some(discord::CHANNEL));
    scene.hands_over(DeliveryType::DiscordInvite, None, place).await;
    let sale = scene.pay("cust_3").await;
    let answer = scene.confirm(&sale).await;
    assert_eq!(answer["delivery_status"], json!("RETRY_SCHEDULED"), "{answer}");
    assert_eq!(answer["delivery_value"], json!("https://discord.gg/secretInvite1"), "the way in, while the role waits for him");
    let membership = text(&answer["membership_id"]).to_owned();
    let found = scene.diagnose(&membership).await;
    assert_eq!((check(&found, "identity_usable"), check(&found, "automation_configured")), ("warn", "pass"), "{found}");

    identify(app, &membership, IdentityType::DiscordUserId, DISCORD_USER).await;
    app.clock.advance_seconds(61);
    let delivery = until_attempt(app, sale.payment, 2).await;
    assert_eq!(delivery.last_error.as_deref(), Some("discord_user_not_in_guild"));
    assert_eq!(scene.diagnose(&membership).await["provider_state"]["member"], json!("out"));
    discord.fails([discord::Fault::TooMany(400, "399.4")], None);
    app.clock.advance_seconds(301);
    let delivery = until_attempt(app, sale.payment, 3).await;
    assert_eq!((delivery.last_error.as_deref(), delivery.mode), (Some("provider_rate_limited"), DeliveryMode::DiscordBot));

    discord.joins(DISCORD_USER);
    assert_eq!(check(&scene.diagnose(&membership).await, "provider_membership_active"), "fail", "in the guild, without the role");
    app.clock.advance_seconds(901);
    until(app, sale.payment, |delivery| delivery.status == DeliveryStatus::Sent).await;
    assert!(discord.has_role(DISCORD_USER));
    assert_eq!(discord.calls().iter().filter(|call| call.starts_with("POST")).count(), 1, "one invite serves every attempt");
    assert_eq!(scene.diagnose(&membership).await["overall_status"], json!("healthy"));
    for secret in [discord::TOKEN, "secretInvite"] {
        assert!(app.database.tables_holding(secret).await.is_empty(), "{secret}");
    }
    scene.app.close().await;
}
