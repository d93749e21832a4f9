//! The complete history of a payment, which its owner keeps as a file, and what of an altered one is found.

use crate::log_key;
use api::http::jwt::Role;
use events::{
    clock::new_id,
    proof::{NoteKey, history::History},
    vocab::{id::OwnerId, words::Scope},
};
use hilt_tests::{app::TestApp, payments, processes::Folder};
use replay_tool::{BreakClass, Completeness, Failure, HistoryReport, history, verify_history};
use serde_json::{Value, json};
use std::fs;

async fn check(history: &Value, key: &NoteKey) -> Result<HistoryReport, Failure> {
    verify_history(&history.to_string(), key, None, &|_| {}).await
}

fn class(outcome: Result<HistoryReport, Failure>) -> BreakClass {
    match outcome {
        Err(Failure::Broken(found)) => found.class,
        other => panic!("nothing broken was found: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payments_history_is_complete_and_proves_it() {
    let app = TestApp::start(&[]).await;
    let log = app.state.log.clone();
    let shop = payments::shop(&log, true).await;
    // Others' payments, and another of the same person, whose membership they share.
    payments::paid(&log, &shop).await;
    let paid = payments::paid(&log, &shop).await;
    payments::paid_again(&log, &shop, &paid).await;
    let id = paid.session.payment_id;
    let owner_key = app.key(shop.owner_id, true, Scope::ALL).await;
    let path = format!("/v1/payments/{id}/history");
    let told = app.get(&owner_key, &path).await.ok();
    let key = log_key(&app).await;
    let report = check(&told, &key).await.unwrap();
    assert_eq!((report.payment_id, report.complete), (id, Completeness::Stated));

    let events = log.read(0, 100_000).await.unwrap();
    let correlation = events.iter().find(|event| event.envelope.stream.id == id.0).unwrap().envelope.correlation_id;
    let touched: std::collections::BTreeSet<_> =
        events.iter().filter(|event| event.envelope.correlation_id == correlation).map(|event| event.envelope.stream).collect();
    let expected: Vec<u64> = events.iter().filter(|event| touched.contains(&event.envelope.stream)).map(|event| event.position).collect();
    assert_eq!(report.events.iter().map(|step| step.position).collect::<Vec<_>>(), expected, "every event of every stream it touched");
    assert!(touched.len() >= 6 && expected.len() > 15, "{touched:?}");
    assert!(!told.to_string().contains(&hex::encode("buyer@example.com")), "nothing personal is in it");

    // From the database: with the master key the log states it, as an auditor nobody does.
    let master = events::vault::MasterKey::from_bytes([7; 32]);
    let stated = history(log.pool(), id, Some(master)).await.unwrap();
    assert!(stated.statement.is_some());
    assert_eq!(check(&serde_json::to_value(&stated).unwrap(), &key).await.unwrap().complete, Completeness::Stated);
    let auditor = app.database.auditor_pool().await;
    let unstated: History = history(&auditor, id, None).await.unwrap();
    let unstated = serde_json::to_value(&unstated).unwrap();
    assert_eq!(class(check(&unstated, &key).await), BreakClass::HistoryIncomplete);
    let published = format!("{}/v1/log", app.base_url);
    let token = app.token(Role::Auditor, None).await;
    let scan =
        async |history: &Value, token: Option<String>| verify_history(&history.to_string(), &key, Some((&published, token)), &|_| {}).await;
    assert!(matches!(scan(&unstated, None).await, Err(Failure::Remote(why)) if why.contains("401")), "entries are for auditors");
    assert_eq!(scan(&unstated, Some(token.clone())).await.unwrap().complete, Completeness::Scanned);

    // A stream that is left out whole, and an end that is cut off, do not show without a statement; going through the entries they do.
    let streams = unstated["streams"].as_array().unwrap().len();
    for index in 0..streams {
        let mut without = unstated.clone();
        let left = without["streams"].as_array_mut().unwrap().remove(index);
        if left["stream"].as_str().unwrap().starts_with("payment-") {
            assert_eq!(class(scan(&without, Some(token.clone())).await), BreakClass::HistoryMalformed);
            continue;
        }
        assert_eq!(class(scan(&without, Some(token.clone())).await), BreakClass::HistoryIncomplete, "{}", left["stream"]);
        let mut cut = unstated.clone();
        let events = cut["streams"][index]["events"].as_array_mut().unwrap();
        if events.len() > 1 {
            events.pop();
            assert_eq!(class(scan(&cut, Some(token.clone())).await), BreakClass::HistoryIncomplete, "{}", left["stream"]);
        }
    }

    // A copy of the entries in a folder does as well.
    let folder = Folder::new();
    mirror(&app, &folder, &unstated, &token).await;
    let local = folder.path().display().to_string();
    assert_eq!(verify_history(&unstated.to_string(), &key, Some((&local, None)), &|_| {}).await.unwrap().complete, Completeness::Scanned);
    let bundle = fs::read_dir(folder.path().join("tile/entries/000.p")).unwrap().next().unwrap().unwrap().path();
    let mut altered = fs::read(&bundle).unwrap();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    fs::write(&bundle, altered).unwrap();
    let found = class(verify_history(&unstated.to_string(), &key, Some((&local, None)), &|_| {}).await);
    assert!([BreakClass::RootMismatch, BreakClass::HistoryIncomplete].contains(&found), "{found}");
    app.close().await;
}

async fn mirror(app: &TestApp, folder: &Folder, history: &Value, token: &str) {
    let size: u64 = history["checkpoint"].as_str().unwrap().lines().nth(1).unwrap().parse().unwrap();
    assert!(size < 256, "one bundle holds this log");
    let path = format!("tile/entries/000.p/{size}");
    let answer = app.request(reqwest::Method::GET, &format!("/v1/log/{path}")).bearer_auth(token).send().await.unwrap();
    let file = folder.path().join(&path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, answer.bytes().await.unwrap()).unwrap();
}

/// Every character of the file that carries something, changed: the history does not hold any more.
#[tokio::test(flavor = "multi_thread")]
async fn every_altered_history_is_found() {
    let app = TestApp::start(&[]).await;
    let log = app.state.log.clone();
    let shop = payments::shop(&log, true).await;
    let paid = payments::paid(&log, &shop).await;
    let key = log_key(&app).await;
    let owner_key = app.key(shop.owner_id, true, Scope::ALL).await;
    let told = app.get(&owner_key, &format!("/v1/payments/{}/history", paid.session.payment_id)).await.ok();
    check(&told, &key).await.unwrap();
    let text = serde_json::to_string(&told).unwrap();
    let mut tried = 0;
    // A prime step reaches every part of the file in time; each place is changed in two ways.
    for place in (0..text.len()).step_by(61) {
        for by in [1_u8, 2] {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= by;
            let Ok(altered) = String::from_utf8(bytes) else { continue };
            let outcome = verify_history(&altered, &key, None, &|_| {}).await;
            assert!(matches!(outcome, Err(Failure::Broken(_))), "{place}: {outcome:?}");
            tried += 1;
        }
    }
    assert!(tried > 500, "{tried}");

    let stream = |name: &str| {
        told["streams"].as_array().unwrap().iter().position(|stream| stream["stream"].as_str().unwrap().starts_with(name)).unwrap()
    };
    let (proof, payment) = (stream("proof-"), stream("payment-"));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = told.clone();
        change(&mut changed);
        changed
    };
    let events = |value: &mut Value, at: usize| value["streams"][at]["events"].as_array_mut().unwrap().clone();
    for (name, altered, expected) in [
        ("an end cut off", with(&|h| drop(h["streams"][proof]["events"].as_array_mut().unwrap().pop())), BreakClass::StatementInvalid),
        ("a stream left out", with(&|h| drop(h["streams"].as_array_mut().unwrap().remove(proof))), BreakClass::StatementInvalid),
        (
            "an event left out between",
            with(&|h| drop(h["streams"][proof]["events"].as_array_mut().unwrap().remove(1))),
            BreakClass::StreamVersionGap,
        ),
        (
            "the first left out",
            with(&|h| drop(h["streams"][proof]["events"].as_array_mut().unwrap().remove(0))),
            BreakClass::StreamVersionGap,
        ),
        ("two swapped", with(&|h| h["streams"][proof]["events"].as_array_mut().unwrap().swap(0, 1)), BreakClass::StreamVersionGap),
        ("another's events", with(&|h| h["streams"][proof]["events"] = json!(events(h, payment))), BreakClass::HistoryMalformed),
        (
            "a payload of another",
            with(&|h| h["streams"][proof]["events"][0]["payload"] = h["streams"][proof]["events"][1]["payload"].clone()),
            BreakClass::LeafMismatch,
        ),
        ("another position", with(&|h| h["streams"][proof]["events"][0]["position"] = json!(0)), BreakClass::InclusionInvalid),
        ("no statement", with(&|h| h["statement"] = Value::Null), BreakClass::HistoryIncomplete),
        ("the checkpoint as statement", with(&|h| h["statement"] = h["checkpoint"].clone()), BreakClass::StatementInvalid),
        ("the statement as checkpoint", with(&|h| h["checkpoint"] = h["statement"].clone()), BreakClass::CheckpointSignatureInvalid),
        ("no payment", with(&|h| drop(h["streams"].as_array_mut().unwrap().remove(payment))), BreakClass::HistoryMalformed),
        ("an unknown member", with(&|h| h["more"] = json!(1)), BreakClass::HistoryMalformed),
    ] {
        assert_eq!(class(check(&altered, &key).await), expected, "{name}");
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_its_owners() {
    let app = TestApp::start(&[]).await;
    let shop = payments::shop(&app.state.log, true).await;
    let paid = payments::paid(&app.state.log, &shop).await;
    let path = format!("/v1/payments/{}/history", paid.session.payment_id);
    let stranger = app.key(new_id::<OwnerId>(), true, Scope::ALL).await;
    app.get(&stranger, &path).await.refused(404, "payment_not_found");
    app.get_public(&path).await.refused(401, "auth_required");
    let sandbox = app.key(shop.owner_id, false, Scope::ALL).await;
    app.get(&sandbox, &path).await.refused(403, "live_key_required");
    let own = app.key(shop.owner_id, true, Scope::ALL).await;
    app.get(&own, &format!("/v1/payments/{}/history", new_id::<uuid::Uuid>())).await.refused(404, "payment_not_found");
    app.get(&own, "/v1/payments/nothing/history").await.refused(404, "payment_not_found");
    app.get(&own, &path).await.ok();
    app.close().await;
}
