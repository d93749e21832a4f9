//! What is on record, held once more by `hilt-replay`: against the log, against the file, and in a bundle.

use crate::scene::{Asked, Scene};
use events::vocab::{
    event::{Event, StatementImported},
    id::StatementId,
    stream::{Category, StreamId},
    time::Timestamp,
};
use hilt_tests::processes::Folder;
use ledger::statement::{Scope, asset};
use rails::solana::programs::USDC_MINT;
use replay_tool::{BreakClass, ExportOptions, Failure, Numbers, Reconcile, Reconciliation, Wanted, export, reconcile, verify_state};

fn scope(asked: &Asked) -> Scope {
    let source = asked.source.parse().unwrap();
    let scope = Scope {
        source,
        account: asked.account.clone(),
        asset: asset(source, &asked.asset, USDC_MINT).unwrap(),
        livemode: true,
        period_start: Timestamp::parse(&asked.from).unwrap(),
        period_end: Timestamp::parse(&asked.to).unwrap(),
    };
    scope.checked().unwrap()
}

#[track_caller]
fn broken(outcome: Result<Reconciliation, Failure>) -> String {
    match outcome {
        Err(Failure::Broken(found)) if found.class == BreakClass::ReconciliationMismatch => found.detail,
        other => panic!("no mismatch: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_holds_against_its_file_the_log_and_a_bundle_and_late_payments_show() {
    let mut scene = Scene::start(2).await;
    let asked = Asked::of(&scene.merchant);
    let file = scene.statement_of(&scene.merchant).await;
    let auditor = scene.app.database.auditor_pool().await;
    let as_file = || Wanted::File { scope: scope(&asked), format: asked.format.parse().unwrap(), file: file.clone() };
    let live = async |wanted: &Wanted| reconcile(Reconcile::Live(&auditor), wanted, &|_| {}).await;

    let before = live(&as_file()).await.unwrap();
    assert!(before.on_record.is_none() && before.reconciled, "the auditor needs no one to bring it: {before:?}");
    let imported = scene.import(&asked, &file).await.ok();
    let id: StatementId = imported["statement_id"].as_str().unwrap().parse().unwrap();
    let recorded = live(&as_file()).await.unwrap();
    assert_eq!((recorded.statement_id, &recorded.entries, recorded.sums), (id, &before.entries, before.sums));
    let record = recorded.on_record.expect("it is on record");
    assert!(record.file && record.sums == before.sums);

    // Another customer pays later: the record stays what it was, and today's outcome shows the payment.
    scene.pay("late").await;
    let by_lines = live(&Wanted::Recorded { id, file: None }).await.unwrap();
    assert_eq!((by_lines.reconciled, by_lines.sums.ledger_only.entries, by_lines.sums.difference.0), (false, 1, -24_750_000));
    let record = by_lines.on_record.as_ref().expect("it is on record");
    assert_eq!((record.file, record.sums.difference.0), (false, 0));

    let altered = [file.as_slice(), b"\n"].concat();
    assert!(broken(live(&Wanted::Recorded { id, file: Some(altered) }).await).contains("SHA-256"));
    let unknown = StatementId(events::clock::new_id());
    assert!(matches!(live(&Wanted::Recorded { id: unknown, file: None }).await, Err(Failure::NotFound(_))));

    let state = verify_state(&auditor, &[], Numbers::Hold, &|_| {}).await.unwrap();
    assert_eq!(state.statements, 1);
    offline(&scene, id, &file, &by_lines).await;
    scene.app.close().await;
}

/// The same of a bundle, with nothing but the verifier key.
async fn offline(scene: &Scene, id: StatementId, file: &[u8], live: &Reconciliation) {
    let checkpointer = &scene.app.state.checkpointer;
    checkpointer.sign().await.unwrap();
    let vkey = checkpointer.vkey().await.unwrap().to_string();
    let bundle = Folder::new();
    let options =
        ExportOptions { folder: bundle.path().to_owned(), vkey: vkey.clone(), from: 0, to: None, sealed: false, segment_events: 16 };
    export(&scene.app.database.auditor_pool().await, &options, &|_| {}).await.unwrap();
    let wanted = Wanted::Recorded { id, file: Some(file.to_vec()) };
    let at = Reconcile::Bundle { folder: bundle.path(), vkey: vkey.clone() };
    let found = reconcile(at, &wanted, &|_| {}).await.unwrap();
    assert_eq!((&found.entries, found.sums), (&live.entries, live.sums));
    assert!(found.on_record.is_some_and(|record| record.file));
    let wrong = Reconcile::Bundle { folder: bundle.path(), vkey: vkey.replacen('+', "x+", 1) };
    assert!(reconcile(wrong, &wanted, &|_| {}).await.is_err(), "another log's key");
}

/// Whoever could write the log could record what is not so, with leaves that hold. The replay comes to something else.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_never_true_is_found() {
    let scene = Scene::start(1).await;
    let asked = Asked::of(&scene.merchant);
    let file = scene.statement_of(&scene.merchant).await;
    let imported = scene.import(&asked, &file).await.ok();
    let id: StatementId = imported["statement_id"].as_str().unwrap().parse().unwrap();
    let pool = scene.app.state.log.pool().clone();
    let stream = scene.app.state.log.read_stream(StreamId::new(Category::Statement, id), 0).await.unwrap();
    let events: Vec<Event> = stream.iter().map(|recorded| recorded.decode().unwrap()).collect();
    let [Event::StatementImported(header), Event::StatementEntriesRecorded(part)] = &events[..] else { panic!("{events:?}") };

    // The same file of another wallet, which has nothing: written as if it had.
    let other = StatementImported { account: hilt_tests::solana_tx::Keypair::generate().address().to_string(), ..header.clone() };
    let other_asked = Asked { account: other.account.clone(), ..asked.clone() };
    let other_id = scope(&other_asked).statement(&other.digest);
    let other = StatementImported { statement_id: other_id, ..other };
    let mut part = part.clone();
    part.statement_id = other_id;
    scene.append_forged(other_id, vec![other.into(), part.into()]).await;
    let forged = Wanted::Recorded { id: other_id, file: None };
    let detail = broken(reconcile(Reconcile::Live(&pool), &forged, &|_| {}).await);
    assert!(detail.contains("is not what the statement's lines and the log come to"), "{detail}");
    scene.app.caught_up().await;
    match verify_state(&pool, &[], Numbers::Hold, &|_| {}).await {
        Err(Failure::Broken(found)) => assert_eq!(found.class, BreakClass::ReconciliationMismatch, "{found}"),
        other => panic!("nothing broken was found: {other:?}"),
    }
    // The true one holds all the same.
    assert!(reconcile(Reconcile::Live(&pool), &Wanted::Recorded { id, file: Some(file) }, &|_| {}).await.is_ok());
    scene.app.end().await;
}
