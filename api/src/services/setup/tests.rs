use super::{action::Kind, sample::*, *};
use crate::services::setup::webhooks::{RECOMMENDED, Receiver};
use events::vocab::{
    bytes::SolanaAddress,
    id::EndpointId,
    words::{ProductStatus, WebhookEvent},
};
use ledger::rails::{KillSwitch, Rails};
use serde_json::json;

fn codes(facts: &Facts) -> Vec<&'static str> {
    facts.blockers().iter().map(|blocker| blocker.code).collect()
}

fn ids(facts: &Facts) -> Vec<&'static str> {
    facts.next_actions().iter().map(|action| action.id).collect()
}

/// Every blocker is cleared by one of the actions.
fn cleared(facts: &Facts) {
    let actions = facts.next_actions();
    for code in codes(facts) {
        assert!(actions.iter().any(|action| action.clears.contains(&code)), "nothing clears {code}: {actions:?}");
    }
}

fn wallet() -> String {
    product().merchant_wallet.to_string()
}

#[test]
fn what_is_missing_is_named_in_the_order_to_mend_it() {
    let nothing = Facts {
        asked: None,
        app_id: None,
        product: Product::Missing,
        options: None,
        setting: None,
        webhooks: Coverage::new(&[]),
        ..ready()
    };
    assert_eq!(codes(&nothing), ["app_missing", "product_missing", "webhook_events_missing"]);
    assert_eq!(ids(&nothing), ["create_app", "configure_rail", "create_product", "register_webhook"]);
    cleared(&nothing);
    let product = &nothing.next_actions()[2];
    let body = product.body.as_ref().unwrap();
    assert_eq!(body["access_app_id"], json!({"$result": "create_app", "pointer": "/id"}));
    assert_eq!(
        (&body["merchant_wallet"]["$input"], &body["live_mode_confirmed"]["$input"]),
        (&json!("payout_wallet"), &json!("live_mode_confirmed"))
    );
    let named = Facts {
        asked: Some("pro".into()),
        app_id: Some(AppId(uuid::Uuid::from_u128(9))),
        setting: Some(saved(true, Some(wallet()))),
        ..nothing
    };
    assert_eq!(ids(&named), ["create_product", "register_webhook"]);
    let body = named.next_actions()[0].body.clone().unwrap();
    assert_eq!((&body["external_product_id"], &body["merchant_wallet"]), (&json!("pro"), &json!(wallet())));
    assert_eq!(named.recheck().query["external_product_id"], json!("pro"));
}

#[test]
fn the_sandbox_asks_for_no_wallet_setting_and_no_confirmation() {
    let nothing = Facts {
        mode: Mode::Sandbox,
        app_id: None,
        product: Product::Missing,
        options: None,
        setting: None,
        webhooks: Coverage::new(&[]),
        credential: Credential::SandboxApiKey,
        ..ready()
    };
    assert_eq!(ids(&nothing), ["create_app", "create_product"]);
    assert!(nothing.next_actions()[1].body.as_ref().unwrap().get("live_mode_confirmed").is_none());
    cleared(&nothing);
}

#[test]
fn a_paused_product_is_activated_on_the_owners_word() {
    let paused = AccessProductCreated { status: ProductStatus::Paused, ..product() };
    let facts = with(paused, &Rails::standard(), Some((true, Some(wallet()))));
    assert_eq!((codes(&facts), ids(&facts)), (vec!["product_paused"], vec!["change_product"]));
    let action = &facts.next_actions()[0];
    assert_eq!((action.method, action.path.as_str()), ("PATCH", "/v1/access/products/00000000-0000-0000-0000-000000000001"));
    assert_eq!(action.body.as_ref().unwrap()["status"], json!("active"));
    assert_eq!(action.body.as_ref().unwrap()["live_mode_confirmed"]["$input"], json!("live_mode_confirmed"));
}

#[test]
fn a_setting_is_saved_whole_with_the_products_wallet() {
    for (setting, first) in [
        (None, "payout_address_required"),
        (Some((true, None)), "payout_address_required"),
        (Some((false, Some(wallet()))), "rail_setting_disabled"),
        (Some((true, Some(SolanaAddress([8; 32]).to_string()))), "backing_product_wallet_mismatch"),
    ] {
        let facts = with(product(), &Rails::standard(), setting);
        assert_eq!(codes(&facts), [first, "no_available_rails"]);
        assert_eq!(ids(&facts), ["configure_rail"], "{first}");
        cleared(&facts);
        let action = &facts.next_actions()[0];
        assert_eq!((action.method, action.path.as_str()), ("PUT", "/v1/access/rail-settings/solana_usdc"));
        let body = action.body.as_ref().unwrap();
        assert_eq!((&body["enabled"], &body["mode"], &body["payout_address"]), (&json!(true), &json!("live"), &json!(wallet())));
    }
}

#[test]
fn a_rail_that_is_switched_off_is_waited_for() {
    let switched = Rails::standard().with(RailId::SolanaUsdc, |rail| rail.kill_switch = KillSwitch::Tripped);
    let facts = with(product(), &switched, Some((true, Some(wallet()))));
    assert_eq!(codes(&facts), ["rail_kill_switched", "no_available_rails"]);
    let actions = facts.next_actions();
    assert_eq!((ids(&facts), actions[0].kind, actions[0].method), (vec!["wait_for_rail"], Kind::Wait, "GET"));
    assert!(actions[0].retry_after_seconds.is_some_and(|seconds| seconds > 0));
    cleared(&facts);
}

#[test]
fn a_product_whose_rails_are_all_closed_is_allowed_one_that_is_open() {
    let closed = AccessProductCreated { allowed_rails: vec![RailId::BaseUsdc], default_rail: RailId::BaseUsdc, ..product() };
    let facts = with(closed, &Rails::standard(), Some((true, Some(wallet()))));
    assert_eq!(codes(&facts), ["no_available_rails"]);
    assert_eq!(ids(&facts), ["change_product"]);
    let body = facts.next_actions()[0].body.clone().unwrap();
    assert_eq!((&body["allowed_rails"], &body["default_rail"]), (&json!(["base_usdc", "solana_usdc"]), &json!("solana_usdc")));
    cleared(&facts);
}

#[test]
fn a_receiver_that_hears_too_little_is_told_of_the_rest_and_a_paused_one_is_resumed() {
    let some = [WebhookEvent::DeliveryFailed, WebhookEvent::PaymentConfirmed];
    let facts = Facts { webhooks: Coverage::new(&[receiver(&some, false)]), ..ready() };
    assert_eq!((codes(&facts), ids(&facts)), (vec!["webhook_events_missing"], vec!["complete_webhook"]));
    cleared(&facts);
    let action = &facts.next_actions()[0];
    assert_eq!((action.method, action.path.as_str()), ("PATCH", "/v1/access/webhooks/00000000-0000-0000-0000-000000000005"));
    let all = ["delivery.failed", "payment.confirmed", "receipt.created", "membership.activated", "membership.expired"];
    assert_eq!(action.body, Some(json!({"subscribed_events": all})), "what it heard before it still hears");
    assert_eq!(facts.webhooks.missing_events.len(), RECOMMENDED.len() - 1);

    let paused = Coverage::new(&[receiver(&RECOMMENDED, true)]);
    assert_eq!((paused.ready, paused.active_count, paused.missing_events.len()), (false, 0, RECOMMENDED.len()));
    let facts = Facts { webhooks: paused, ..ready() };
    assert_eq!(ids(&facts), ["resume_webhook"]);
    cleared(&facts);

    let fuller = Receiver { id: EndpointId(uuid::Uuid::from_u128(6)), ..receiver(&RECOMMENDED[..2], false) };
    let several = Coverage::new(&[receiver(&some, false), fuller.clone(), receiver(&RECOMMENDED, true)]);
    assert_eq!(several.incomplete, Some(fuller), "the one of which the least more is asked");
    assert_eq!(Coverage::new(&[receiver(&some, false), receiver(&RECOMMENDED, false)]).incomplete, None);
}

#[test]
fn several_products_are_told_apart_before_anything_else() {
    let facts = Facts { asked: None, product: Product::Several(vec!["a".into(), "b".into()]), options: None, ..ready() };
    assert_eq!((codes(&facts), ids(&facts)), (vec!["product_required"], vec!["name_product"]));
    assert_eq!(facts.next_actions()[0].query["external_product_id"]["one_of"], json!(["a", "b"]));
}

#[test]
fn every_write_carries_a_key_of_its_own_and_names_its_credential() {
    let nothing = Facts { app_id: None, product: Product::Missing, options: None, setting: None, webhooks: Coverage::new(&[]), ..ready() };
    for action in nothing.next_actions() {
        assert_eq!(action.headers["Idempotency-Key"], json!({"$generate": "uuid"}), "{}", action.id);
        assert_eq!(action.headers["X-Hilt-Key"]["$input"], json!("live_api_key"));
        assert!(action.scope.is_some() && !action.why.is_empty() && !action.action.is_empty());
    }
    assert!(nothing.recheck().headers.get("Idempotency-Key").is_none());
}
