//! INV-32: whichever door a payment comes through, the log tells the same story, stage by stage.

use crate::{
    buyer,
    shop::{Shop, events_of_type, legs, memo},
    start,
};
use api::http::jwt::Role;
use hilt_tests::{app::TestApp, chain::PayRequest};
use reqwest::Method;
use serde_json::{Value, json};

/// The ten steps of a live rail, as the log has them.
const STAGES: [&str; 12] = [
    "payment_session.created",
    "payment.created",
    "payment_requirement.authored",
    "entitlement.pended",
    "proof.fingerprinted",
    "verification.attempted",
    "settlement.evidenced",
    "payment.confirmed",
    "receipt.created",
    "receipt.mapped",
    "membership.activated",
    "entitlement.activated",
];

/// What happened of a session, each kind once, in the order of the log; looks that came to nothing are left out.
async fn story(app: &TestApp, session: &Value) -> Vec<String> {
    let created = events_of_type(app, "payment_session.created").await;
    let id = &session["payment_session"]["id"];
    let of = created.iter().find(|event| event["data"]["session_id"] == *id).expect("the session is in the log");
    let token = app.token(Role::Auditor, None).await;
    let page = app.request(Method::GET, "/v1/admin/access/audit-events?limit=100").bearer_auth(token);
    let page = app.send(page).await.ok();
    let mut told: Vec<String> = Vec::new();
    for item in page["items"].as_array().unwrap() {
        let kind = item["event_type"].as_str().unwrap();
        let look = kind == "verification.attempted" && item["data"]["outcome"] != json!("passed");
        // Who announced it and who looked first differs, and is not the outcome.
        let looks = ["payment.broadcast_recorded", "payment.confirmation_attempted"];
        if item["correlation_id"] == of["correlation_id"] && !look && !looks.contains(&kind) {
            told.extend((!told.iter().any(|known| known == kind)).then(|| kind.to_owned()));
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_leads_through_the_same_stages() {
    let (chain, app) = start().await;
    let (shop, buyer) = (Shop::open(&app).await, buyer(&chain).await);
    let mut stories = Vec::new();
    for door in ["confirm", "proof", "watcher"] {
        let session = shop.session(&app, door).await;
        let requirement = &session["payment_session"]["payment_requirement"];
        let tx = chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
        match door {
            "confirm" => {
                chain.wait_finalized(&tx).await;
                let confirm = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
                app.send(app.request(Method::POST, "/v1/pay/confirm").json(&confirm)).await.ok();
            }
            "proof" => {
                let proof = json!({"payment_session_id": session["payment_session"]["id"], "external_customer_id": door,
                    "rail": "solana_usdc", "tx_signature": tx.to_string()});
                // The watcher may have been first; then the proof is a replay, and the story the same.
                app.post(&app.live_key, "/v1/access/payment-proofs", proof).await;
            }
            _ => {}
        }
        shop.until_access(&app, door).await;
        stories.push(story(&app, &session).await);
    }
    let stages: Vec<_> = STAGES.iter().map(|stage| (*stage).to_owned()).chain(["payment_session.confirmed".to_owned()]).collect();
    for told in stories {
        assert_eq!(told, stages);
    }
    app.close().await;
}
