//! RT-076, INV-62, AC-95: what Alchemy says is kept as candidates, once, and nothing follows from it.

use hilt_tests::app::{Answer, TestApp};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

const PATH: &str = "/v1/access/provider-webhooks/alchemy/evm";
const KEY: &str = "whsec_test_alchemy_key";
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

fn topic(n: u8) -> String {
    format!("0x{}{}", "0".repeat(24), format!("{n:02x}").repeat(20))
}
fn message(id: &str, block_hash: u8, sequence: &str) -> Value {
    json!({"webhookId": "wh_1", "id": id, "createdAt": "2026-11-20T00:00:00Z", "type": "GRAPHQL", "event": {
        "sequenceNumber": sequence,
        "data": {"block": {"number": 31_000_000, "hash": format!("0x{}", format!("{block_hash:02x}").repeat(32)), "logs": [{
            "account": {"address": "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"}, "topics": [TRANSFER, topic(1), topic(2)],
            "data": format!("0x{:064x}", 25_000_000), "index": 3,
            "transaction": {"hash": format!("0x{}", "09".repeat(32)), "status": 1},
        }]}},
    }})
}
async fn send(app: &TestApp, body: &str, signature: Option<&str>) -> Answer {
    let request = app.request(reqwest::Method::POST, PATH).header("Content-Type", "application/json").body(body.to_owned());
    app.send(signature.into_iter().fold(request, |request, signature| request.header("X-Alchemy-Signature", signature))).await
}
async fn signed(app: &TestApp, body: &Value) -> Answer {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(body.to_string().as_bytes());
    send(app, &body.to_string(), Some(&hex::encode(mac.finalize().into_bytes()))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alchemy_says_is_kept_once_and_pays_nothing() {
    let app = TestApp::start(&[("HILT_PAY_API_ALCHEMY_WEBHOOK_SIGNING_KEY", KEY)]).await;
    let before = app.state.log.head().await.unwrap().next_position;
    let body = message("whevt_1", 7, "10000000000578619000");
    let right = {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(body.to_string().as_bytes());
        hex::encode(mac.finalize().into_bytes())
    };
    send(&app, &body.to_string(), None).await.refused(401, "invalid_provider_signature");
    for wrong in ["", "00", &right.to_uppercase(), &right.replace('a', "b"), &format!("sha256={right}")] {
        send(&app, &body.to_string(), Some(wrong)).await.refused(401, "invalid_provider_signature");
    }
    send(&app, &format!("{body} "), Some(&right)).await.refused(401, "invalid_provider_signature");
    for strange in [json!({}), json!([1]), json!("x")] {
        signed(&app, &strange).await.refused(400, "malformed_request");
    }
    signed(&app, &json!({"filler": "x".repeat(1 << 20)})).await.refused(413, "payload_too_large");
    let heartbeat = json!({"id": "whevt_0", "type": "GRAPHQL", "event": {"data": {"block": {"logs": []}}, "sequenceNumber": "1"}});
    let nothing = signed(&app, &heartbeat).await.ok();
    assert_eq!(nothing, json!({"received": true, "candidates": [], "payment_accepted": false}));
    signed(&app, &json!({"id": "whevt_e", "type": "GRAPHQL", "event": {"error": "timeout"}})).await.ok();
    assert_eq!(app.state.log.head().await.unwrap().next_position, before, "nothing so far was worth a word in the log");

    let taken = signed(&app, &body).await.ok();
    assert_eq!((&taken["received"], &taken["payment_accepted"]), (&json!(true), &json!(false)));
    let candidate = json!({
        "chain_id": 8_453, "tx_hash": format!("0x{}", "09".repeat(32)), "log_index": 3,
        "token_contract": "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", "from": format!("0x{}", "01".repeat(20)),
        "to": format!("0x{}", "02".repeat(20)), "amount": "25000000",
    });
    assert_eq!(taken["candidates"], json!([candidate]));
    // It comes again, twenty times at once; and after a reorganisation, as another message about the same height.
    let again = futures::future::join_all((0..20).map(|_| signed(&app, &body))).await;
    assert!(again.into_iter().all(|answer| answer.ok() == taken));
    signed(&app, &message("whevt_2", 8, "10000000000578619001")).await.ok();
    let events = app.state.log.read(before, 100).await.unwrap();
    let types: Vec<_> = events.iter().map(|event| event.envelope.event_type.as_str()).collect();
    assert_eq!(types, ["provider_webhook.received", "provider_webhook.received"], "candidates and nothing else");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_signing_key_the_route_is_closed() {
    let app = TestApp::start(&[]).await;
    signed(&app, &message("whevt_1", 7, "1")).await.refused(503, "feature_disabled");
    app.close().await;
}
