use super::*;
use events::vocab::{
    bytes::SolanaAddress,
    id::{AccessProductId, AppId, ProductId},
    money::{FeeBps, Minor},
};
use ledger::{
    rail_gates::{GateInput, RailSetting, Review, evaluate},
    rails::Rails,
};
use uuid::Uuid;

fn product() -> AccessProductCreated {
    AccessProductCreated {
        access_product_id: AccessProductId(Uuid::from_u128(1)),
        product_id: ProductId(Uuid::from_u128(2)),
        app_id: AppId(Uuid::from_u128(3)),
        external_product_id: "pro-ai-api".into(),
        title: "Pro".into(),
        description: None,
        amount: Minor::new(25_000_000).unwrap(),
        merchant_wallet: SolanaAddress([7; 32]),
        entitlement_duration_days: 30,
        default_rail: RailId::SolanaUsdc,
        allowed_rails: vec![RailId::SolanaUsdc],
        status: ProductStatus::Active,
        live_mode_confirmed: true,
    }
}

fn options(product: &AccessProductCreated, payout: Option<String>) -> RailOptions {
    let setting =
        RailSetting { rail_id: RailId::SolanaUsdc, enabled: true, payout_address: payout, review: Review::Verified, fee_collection: None };
    evaluate(&GateInput {
        mode: Mode::Live,
        allowed_rails: &product.allowed_rails,
        backing_wallet: &product.merchant_wallet.to_string(),
        fee_bps: FeeBps::new(100).unwrap(),
        rails: &Rails::standard(),
        settings: &[setting],
    })
}

fn codes(readiness: &Readiness) -> Vec<&'static str> {
    readiness.blockers.iter().map(|blocker| blocker.code).collect()
}

#[test]
fn the_contracts_example_without_a_webhook() {
    let product = product();
    let options = options(&product, Some(product.merchant_wallet.to_string()));
    let readiness = assemble(Mode::Live, true, Some(&product), Some(&options), coverage(0, &BTreeSet::new()));
    let json = serde_json::to_value(&readiness).unwrap();
    assert_eq!(json["ready"], false);
    assert_eq!(
        json["blockers"],
        serde_json::json!([{
            "code": "webhook_events_missing",
            "endpoint": "POST /v1/access/webhooks",
            "next_action": "Register a webhook covering payment, receipt, activation, and expiry events."
        }])
    );
    let rails = &json["rails"];
    assert_eq!(rails["allowed_rails"], serde_json::json!(["solana_usdc"]));
    let session = &rails["payment_session_options"];
    assert_eq!((&session["rail_required"], &session["auto_select_rail"]), (&false.into(), &"solana_usdc".into()));
    assert_eq!(session["session_creatable_rails"], serde_json::json!([{"rail_id": "solana_usdc"}]));
    let x402 = serde_json::json!({"rail_id": "x402", "payment_session_blocker": "payment_session_adapter_not_implemented"});
    assert!(session["session_blocked_rails"].as_array().unwrap().contains(&x402));
}

#[test]
fn with_every_recommended_event_it_is_ready() {
    let product = product();
    let options = options(&product, Some(product.merchant_wallet.to_string()));
    let readiness = assemble(Mode::Live, true, Some(&product), Some(&options), coverage(1, &RECOMMENDED.into_iter().collect()));
    assert!(readiness.ready && readiness.next_actions.is_empty());
}

#[test]
fn what_is_missing_is_named_in_the_order_to_mend_it() {
    let none = || coverage(0, &BTreeSet::new());
    assert_eq!(codes(&assemble(Mode::Live, false, None, None, none())), ["app_missing", "product_missing", "webhook_events_missing"]);
    let product = AccessProductCreated { status: ProductStatus::Paused, ..product() };
    let options = options(&product, None);
    let readiness = assemble(Mode::Live, true, Some(&product), Some(&options), none());
    assert_eq!(codes(&readiness), ["product_paused", "payout_address_required", "no_available_rails", "webhook_events_missing"]);
    assert_eq!(readiness.blockers[1].endpoint, "PUT /v1/access/rail-settings/solana_usdc");
}
