//! Proofs that other people's tools verify: tiles, witnesses, receipts in the log, histories of payments, and every command that
//! `docs/audit.md` prints.

#[path = "audit/approvals.rs"]
mod approvals;
#[path = "audit/erasure.rs"]
mod erasure;
#[path = "audit/histories.rs"]
mod histories;
#[path = "audit/receipts.rs"]
mod receipts;
#[path = "audit/script.rs"]
mod script;
#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;
#[path = "audit/tiles.rs"]
mod tiles;
#[path = "audit/witnesses.rs"]
mod witnesses;

use events::{clock::new_id, log::Log, proof::NoteKey};
use futures::future::join_all;
use hilt_tests::{app::TestApp, keyed};
use reqwest::{Method, Response};

/// Appends about `events` events to the log, of which no read model makes sense: a test that uses this only ends its service.
async fn grow(log: &Log, events: usize) {
    let mut left = events.div_ceil(2);
    while left > 0 {
        // Fewer than may wait at a time.
        let now = left.min(4_000);
        let appends = (0..now).map(|_| log.append(keyed::append(new_id())));
        let appended = join_all(appends).await;
        assert!(appended.iter().all(Result::is_ok));
        left -= now;
    }
}

/// A request without a credential, whatever the answer.
async fn ask(app: &TestApp, path: &str) -> Response {
    app.request(Method::GET, path).send().await.unwrap()
}

/// The body of a 200 without a credential.
async fn bytes(app: &TestApp, path: &str) -> Vec<u8> {
    let answer = ask(app, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap().to_vec()
}

/// The same as text.
async fn text(app: &TestApp, path: &str) -> String {
    String::from_utf8(bytes(app, path).await).unwrap()
}

/// The key of the log's checkpoints.
async fn log_key(app: &TestApp) -> NoteKey {
    let keys = app.get_public("/v1/log/keys").await.ok();
    let told: NoteKey = keys["checkpoint_keys"][0]["vkey"].as_str().unwrap().parse().unwrap();
    assert_eq!(told, app.state.checkpointer.vkey().await.unwrap());
    told
}
