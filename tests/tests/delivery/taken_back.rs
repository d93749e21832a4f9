//! When a membership ends, the bots take the member out; when it goes on, he stays or is let in again.

use crate::scene::{Scene, check, config, identify, text, until};
use events::vocab::words::{DeliveryStatus, DeliveryType, IdentityType, WithdrawalStatus};
use hilt_tests::{
    discord::{self, Discord},
    telegram::{self, Fault, Telegram},
};
use ledger::delivery::RETRY_MINUTES;
use projections::deliveries::Delivery;
use serde_json::{Value, json};

const DAY: i64 = 86_400;
const USER: i64 = 77;

fn taken(status: WithdrawalStatus) -> impl Fn(&Delivery) -> bool {
    move |delivery| delivery.withdrawal_status == Some(status)
}

async fn with_telegram() -> (Telegram, Scene) {
    let telegram = Telegram::start().await;
    let scene = Scene::open(&[("HILT_TELEGRAM_BOT_TOKEN", telegram::TOKEN), ("HILT_TELEGRAM_API_URL", &telegram.url)]).await;
    scene.hands_over(DeliveryType::TelegramInvite, None, config(Some(telegram::CHAT), None, None)).await;
    (telegram, scene)
}

/// A member of the chat: what his membership is called.
async fn joins(scene: &Scene, telegram: &Telegram, customer: &str) -> (crate::scene::Sale, String) {
    let sale = scene.pay(customer).await;
    let answer = scene.confirm(&sale).await;
    assert_eq!(answer["delivery_status"], json!("SENT"), "{answer}");
    let membership = text(&answer["membership_id"]).to_owned();
    identify(&scene.app, &membership, IdentityType::TelegramUserId, &USER.to_string()).await;
    telegram.member(USER, "member");
    (sale, membership)
}

async fn withdrawal(scene: &Scene, membership: &str) -> Value {
    let shown = scene.app.get(&scene.app.live_key, &format!("/v1/memberships/{membership}")).await.ok();
    shown["delivery"]["withdrawal"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_time_is_over_leaves_the_chat_and_whoever_pays_again_comes_back() {
    let (telegram, scene) = with_telegram().await;
    let app = &scene.app;
    let (sale, membership) = joins(&scene, &telegram, "cust_1").await;
    assert_eq!(withdrawal(&scene, &membership).await, Value::Null);

    // The provider is down when the time comes: that is tried again, as handing over is.
    telegram.fails([Fault::Status(502)], None);
    app.clock.advance_seconds(34 * DAY);
    let delivery = until(app, sale.payment, taken(WithdrawalStatus::RetryScheduled)).await;
    assert_eq!((delivery.withdrawal_error.as_deref(), delivery.status), (Some("provider_unavailable"), DeliveryStatus::Sent));
    assert_eq!(telegram.status(USER), Some("member"));
    let found = scene.diagnose(&membership).await;
    assert_eq!((&found["overall_status"], check(&found, "provider_membership_active")), (&json!("action_required"), "fail"), "{found}");
    app.clock.advance_seconds(RETRY_MINUTES[0] * 60 + 1);
    until(app, sale.payment, taken(WithdrawalStatus::Done)).await;
    assert_eq!(telegram.status(USER), Some("left"), "out, and not banned");
    let revoked = telegram.calls("revokeChatInviteLink");
    assert_eq!(revoked.last().unwrap().parameters["invite_link"], json!("https://t.me/+secretInvite1"));
    let shown = withdrawal(&scene, &membership).await;
    assert_eq!((&shown["status"], shown["withdrawn_at"].is_string()), (&json!("DONE"), true), "{shown}");
    let found = scene.diagnose(&membership).await;
    assert_eq!(check(&found, "provider_membership_active"), "pass", "{found}");

    // A gift brings him back: there is a new way in.
    let gift = json!({"days": 3});
    let path = |rest: &str| format!("/v1/memberships/{membership}/{rest}");
    app.post(&app.live_key, &path("gift"), gift).await.ok();
    until(app, sale.payment, |delivery| delivery.attempts == 2 && delivery.status == DeliveryStatus::Sent).await;
    assert_eq!(withdrawal(&scene, &membership).await, Value::Null);
    assert_eq!(scene.confirm(&sale).await["delivery_value"], json!("https://t.me/+secretInvite2"));
    telegram.member(USER, "member");

    // A revocation ends it at once.
    app.post(&app.live_key, &path("revoke"), json!({"reason": "refund"})).await.ok();
    until(app, sale.payment, taken(WithdrawalStatus::Done)).await;
    assert_eq!((telegram.status(USER), telegram.calls("banChatMember").len()), (Some("left"), 2));
    app.post(&app.live_key, &path("revoke"), json!({"reason": "refund"})).await.ok();

    // A payment lets him in, and takes nothing away.
    let again = scene.pay("cust_1").await;
    assert_eq!(scene.confirm(&again).await["delivery_value"], json!("https://t.me/+secretInvite3"));
    until(app, again.payment, |delivery| delivery.status == DeliveryStatus::Sent && delivery.withdrawal_status.is_none()).await;
    assert_eq!(telegram.calls("banChatMember").len(), 2);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_pays_while_the_provider_is_away_stays() {
    let (telegram, scene) = with_telegram().await;
    let app = &scene.app;
    let (sale, _) = joins(&scene, &telegram, "cust_1").await;
    telegram.fails([], Some(Fault::Status(502)));
    app.clock.advance_seconds(34 * DAY);
    until(app, sale.payment, taken(WithdrawalStatus::RetryScheduled)).await;
    let again = scene.pay("cust_1").await;
    scene.confirm(&again).await;
    telegram.fails([], None);
    app.clock.advance_seconds(RETRY_MINUTES[0] * 60 + 1);
    until(app, sale.payment, |delivery| delivery.withdrawal_status.is_none()).await;
    until(app, again.payment, |delivery| delivery.status == DeliveryStatus::Sent).await;
    assert_eq!((telegram.status(USER), telegram.calls("banChatMember").len()), (Some("member"), 0));
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_bot_can_do_is_a_persons_to_do() {
    let (telegram, scene) = with_telegram().await;
    let app = &scene.app;
    // Nobody knows which Telegram user used the invite.
    let sale = scene.pay("cust_1").await;
    let membership = text(&scene.confirm(&sale).await["membership_id"]).to_owned();
    app.post(&app.live_key, &format!("/v1/memberships/{membership}/revoke"), json!({"reason": "refund"})).await.ok();
    until(app, sale.payment, taken(WithdrawalStatus::ManualReview)).await;
    assert_eq!(telegram.calls("revokeChatInviteLink").len(), 1, "at least the invite opens nothing");
    let shown = withdrawal(&scene, &membership).await;
    assert_eq!((&shown["status"], &shown["last_error"]), (&json!("MANUAL_REVIEW"), &json!("telegram_identity_missing")), "{shown}");

    // The bot may not: tried on schedule, then a person's.
    telegram.keeps_members();
    let (sale, membership) = joins(&scene, &telegram, "cust_2").await;
    assert_eq!(check(&scene.diagnose(&membership).await, "automation_configured"), "warn");
    app.post(&app.live_key, &format!("/v1/memberships/{membership}/revoke"), json!({"reason": "refund"})).await.ok();
    for (tries, minutes) in (1..).zip(RETRY_MINUTES) {
        until(app, sale.payment, |delivery| {
            delivery.withdrawal_status == Some(WithdrawalStatus::RetryScheduled) && telegram.calls("banChatMember").len() == tries
        })
        .await;
        app.clock.advance_seconds(minutes * 60 + 1);
    }
    let delivery = until(app, sale.payment, taken(WithdrawalStatus::ManualReview)).await;
    assert_eq!((delivery.withdrawal_error.as_deref(), telegram.calls("banChatMember").len()), (Some("telegram_bot_lacks_rights"), 6));
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_discord_the_role_goes_and_without_one_the_place() {
    let discord = Discord::start().await;
    let scene = Scene::open(&[("HILT_DISCORD_BOT_TOKEN", discord::TOKEN), ("HILT_DISCORD_API_URL", &discord.url)]).await;
    let app = &scene.app;
    for (customer, user, role) in [("cust_1", "80351110224678912", Some(discord::ROLE)), ("cust_2", "80351110224678913", None)] {
        scene.hands_over(DeliveryType::DiscordInvite, None, config(Some(discord::GUILD), role, Some(discord::CHANNEL))).await;
        discord.joins(user);
        let sale = scene.pay(customer).await;
        let membership = text(&scene.confirm(&sale).await["membership_id"]).to_owned();
        identify(app, &membership, IdentityType::DiscordUserId, user).await;
        scene.retry(&membership).await.ok();
        until(app, sale.payment, |delivery| delivery.status == DeliveryStatus::Sent && delivery.attempts == 2).await;
        assert_eq!(discord.has_role(user), role.is_some());
        app.post(&app.live_key, &format!("/v1/memberships/{membership}/revoke"), json!({"reason": "refund"})).await.ok();
        until(app, sale.payment, taken(WithdrawalStatus::Done)).await;
        assert_eq!((discord.has_role(user), discord.is_in(user)), (false, role.is_some()), "{customer}");
    }
    assert!(discord.calls().iter().any(|call| call == "DELETE invites/secretInvite1"), "{:?}", discord.calls());
    scene.app.close().await;
}
