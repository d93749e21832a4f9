use super::*;
use crate::services::setup::sample;

#[test]
fn the_contracts_example_without_a_webhook() {
    let json = serde_json::to_value(Readiness::of(&sample::without_webhook())).unwrap();
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
    let readiness = Readiness::of(&sample::ready());
    assert!(readiness.ready && readiness.next_actions.is_empty());
}
