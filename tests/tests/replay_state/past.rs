use crate::scene::scene;
use events::{
    leaf::leaf_hash,
    proof::{Checkpoint, verify_consistency, verify_inclusion},
    vocab::{id::EventId, stream::Category, time::Timestamp},
};
use hilt_tests::{payments, processes::Folder};
use projections::{
    runner::Definition,
    state::{RowForm, canonical},
};
use replay_tool::{AsOf, AtPosition, ExportOptions, Failure, When, as_of, as_of_bundle, attest, export, what_if};
use serde_json::Value;
use uuid::Uuid;

fn form(name: &str) -> RowForm {
    RowForm::of(definition(name))
}
fn definition(name: &str) -> &'static Definition {
    projections::ALL.iter().find(|definition| definition.name == name).unwrap()
}
fn whole(name: &str, rows: &[(Uuid, Value)]) -> Vec<Value> {
    rows.iter().map(|(_, row)| form(name).whole(row.clone())).collect()
}
fn rows(found: &AtPosition) -> Vec<Value> {
    found.rows.iter().map(|row| row.row.clone()).collect()
}
fn asked(name: &str, when: When) -> AsOf {
    AsOf { projection: name.to_owned(), when, owner: None, ids: Vec::new() }
}

#[tokio::test]
async fn a_read_model_is_shown_as_it_was_and_proved_to_be_of_this_log() {
    let scene = scene().await;
    let then = scene.last().await;
    let old_note = payments::sign_checkpoint(&scene.log).await;
    let attested = attest(&scene.models).await.unwrap();
    let mut as_it_was = Vec::new();
    for definition in projections::ALL {
        as_it_was.push((definition.name, scene.live(definition.name).await));
    }
    payments::paid_again(&scene.log, &scene.shop, &scene.paid).await;
    let elsewhere = payments::shop(&scene.log, true).await;
    payments::paid(&scene.log, &elsewhere).await;
    let new_note = payments::sign_checkpoint(&scene.log).await;

    let vault = scene.models.deps().vault.clone();
    for (name, live) in &as_it_was {
        let found = as_of(&scene.pool, Some(&vault), &asked(name, When::Position(then)), &|_| {}).await.unwrap();
        assert_eq!(rows(&found), whole(name, live), "{name} at {then}");
        assert!(found.attested.as_ref().is_some_and(|line| line.holds), "{name}: {:?}", found.attested);
        // An auditor opens nothing, and comes to the same root.
        let auditor = scene.database.auditor_pool().await;
        let public = as_of(&auditor, None, &asked(name, When::Position(then)), &|_| {}).await.unwrap();
        assert_eq!((public.table_root, public.table_rows), (found.table_root, live.len() as u64));
        for row in &public.rows {
            assert_eq!(row.leaf, leaf_hash(&canonical(&row.row)), "what is shown is what is hashed");
            verify_inclusion(&row.leaf, row.index, public.table_rows, &row.path, &public.table_root).unwrap();
        }
    }
    let line = attested.projections.iter().find(|line| line.name == "payments").unwrap();
    let found = as_of(&scene.pool, None, &asked("payments", When::Position(then)), &|_| {}).await.unwrap();
    assert_eq!(found.table_root, line.root);
    let shown = serde_json::to_string(&found.rows).unwrap();
    assert!(!shown.contains("identity_value") && !shown.contains("crzypeas"), "nothing personal without its key");

    let key = payments::log_vkey(&scene.log).await.parse().unwrap();
    let (old, new) = (Checkpoint::open(&old_note, &key).unwrap(), Checkpoint::open(&new_note, &key).unwrap());
    let proof = &found.consistency;
    assert_eq!((proof.old_size, proof.old_root, proof.old_checkpoint.as_deref()), (old.size, old.root, Some(old_note.as_str())));
    assert_eq!((proof.new_size, proof.new_root, proof.new_checkpoint.as_deref()), (new.size, new.root, Some(new_note.as_str())));
    verify_consistency(old.size, &old.root, new.size, &new.root, &proof.path).unwrap();

    let head = scene.log.read(then, 1).await.unwrap();
    let at = found.recorded_at;
    assert_eq!(at, head[0].envelope.recorded_at);
    let by_time = as_of(&scene.pool, None, &asked("payments", When::Time(at)), &|_| {}).await.unwrap();
    assert_eq!(by_time.rows, found.rows, "by its time, as nothing else was recorded in that microsecond");
    let now = AsOf { owner: Some(elsewhere.owner_id), ..asked("payments", When::Position(scene.last().await)) };
    let of_owner = as_of(&scene.pool, None, &now, &|_| {}).await.unwrap();
    assert_eq!((of_owner.rows.len(), of_owner.table_rows), (1, 4));
    let one = AsOf { ids: vec![scene.paid.session.payment_id.0], ..asked("payments", When::Position(then)) };
    assert_eq!(as_of(&scene.pool, None, &one, &|_| {}).await.unwrap().rows.len(), 1);

    from_a_bundle(&scene, then, &found).await;
    let refused = |when| {
        let pool = scene.pool.clone();
        async move { as_of(&pool, None, &asked("payments", when), &|_| {}).await }
    };
    assert!(matches!(refused(When::Position(1_000_000)).await, Err(Failure::Input(_))));
    assert!(matches!(refused(When::Time(Timestamp::from_micros(0))).await, Err(Failure::Input(_))));
    let nothing = AsOf { ids: vec![Uuid::from_u128(9)], ..asked("payments", When::Position(then)) };
    assert!(matches!(as_of(&scene.pool, None, &nothing, &|_| {}).await, Err(Failure::NotFound(_))));
    assert!(matches!(as_of(&scene.pool, None, &asked("unheard", When::Position(0)), &|_| {}).await, Err(Failure::Input(_))));
}

/// The same from a bundle, with the verifier key and nothing else.
async fn from_a_bundle(scene: &crate::scene::Scene, then: u64, live: &AtPosition) {
    let vkey = payments::log_vkey(&scene.log).await;
    let folder = Folder::new();
    let path = folder.path();
    let options = ExportOptions { folder: path.to_owned(), vkey: vkey.clone(), from: 0, to: None, sealed: false, segment_events: 16 };
    export(&scene.database.auditor_pool().await, &options, &|_| {}).await.unwrap();
    let at = async |when| as_of_bundle(path, &vkey, &asked("payments", when), &|_| {}).await;
    assert_eq!(at(When::Position(then)).await.unwrap(), *live);
    assert_eq!(at(When::Time(live.recorded_at)).await.unwrap(), *live);
    assert!(live.attested.is_some() && live.consistency.new_checkpoint.is_some());
    assert!(matches!(at(When::Position(1_000_000)).await, Err(Failure::Input(_))));
    assert!(matches!(at(When::Time(Timestamp::from_micros(0))).await, Err(Failure::Input(_))));
    let nothing = AsOf { ids: vec![Uuid::from_u128(9)], ..asked("payments", When::Position(then)) };
    assert!(matches!(as_of_bundle(path, &vkey, &nothing, &|_| {}).await, Err(Failure::NotFound(_))));
    let segment = path.join("events/0000000000000000");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert!(matches!(at(When::Position(then)).await, Err(Failure::Broken(_))), "it is verified first");
}

async fn event(scene: &crate::scene::Scene, category: Category, id: impl Into<Uuid>, event_type: &str) -> EventId {
    let events = scene.log.read_stream(payments::stream(category, id), 0).await.unwrap();
    events.iter().find(|event| event.envelope.event_type.as_str() == event_type).unwrap().envelope.event_id
}

#[tokio::test]
async fn what_would_be_different_without_an_event_is_told_and_nothing_is_written() {
    let scene = scene().await;
    let slots = || async {
        sqlx::query_as::<_, (String, i64, String)>("SELECT slot, checkpoint, state FROM projections.slots ORDER BY slot")
            .fetch_all(&scene.admin)
            .await
            .unwrap()
    };
    let (before, last) = (slots().await, scene.last().await);
    let nothing = what_if(&scene.pool, &[], &[], &|_| {}).await.unwrap();
    assert!(nothing.changed.is_empty() && nothing.unchanged.len() == projections::ALL.len() && nothing.missed_in_all == 0);

    let receipt = event(&scene, Category::Receipt, scene.paid.receipt_id, "receipt.created").await;
    let found = what_if(&scene.pool, &[], &[receipt], &|_| {}).await.unwrap();
    let changes: Vec<_> = found
        .changed
        .iter()
        .flat_map(|model| model.differences.iter().map(|row| (model.projection.as_str(), row.row, row.change, row.columns.clone())))
        .collect();
    let payment = scene.paid.session.payment_id.0;
    assert!(changes.contains(&("receipts", scene.paid.receipt_id.0, "removed", vec![])), "{changes:?}");
    let columns = changes.iter().find(|change| (change.0, change.1) == ("payments", payment)).unwrap();
    assert_eq!((columns.2, columns.3.contains(&"receipt_id".to_owned())), ("changed", true));

    let settled = event(&scene, Category::Proof, scene.paid.proof_id, "settlement.evidenced").await;
    let journal = ["journal".to_owned()];
    let found = what_if(&scene.pool, &journal, &[settled], &|_| {}).await.unwrap();
    assert_eq!((found.changed.len(), found.trial_balance.len()), (1, 0), "the money would not have moved");
    let created = event(&scene, Category::Payment, payment, "payment.created").await;
    let found = what_if(&scene.pool, &journal, &[created], &|_| {}).await.unwrap();
    let missed = found.missed.iter().map(|missed| (missed.projection, missed.event_type)).collect::<Vec<_>>();
    assert_eq!(missed, [("journal", "settlement.evidenced")], "what rests on it falls with it, and is named");
    let unknown = what_if(&scene.pool, &[], &[EventId(Uuid::from_u128(5))], &|_| {}).await;
    assert!(matches!(unknown, Err(Failure::NotFound(_))));
    assert_eq!((slots().await, scene.last().await), (before, last));
}
