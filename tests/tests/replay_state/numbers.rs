use crate::scene::{Scene, scene, silent};
use events::vocab::{event::SubjectErased, stream::Category, words::Account};
use hilt_tests::{
    app::{SOON, TestApp},
    payments,
};
use projections::state::{Snapshot, has_grown, newest_attestation, state_root};
use replay_tool::{BreakClass, Failure, Numbers, OnRecord, attest, verify_state};
use std::time::Instant;

#[tokio::test]
async fn an_auditor_comes_to_the_signed_number_without_any_key() {
    let scene = scene().await;
    let last = scene.last().await;
    assert_eq!(scene.verify().await.unwrap().attested, None, "nothing is on record yet");
    let OnRecord { at_position, root, projections, trial_balance, known, .. } = attest(&scene.models).await.unwrap();
    assert_eq!((at_position, known, root), (last, false, state_root(&projections, &trial_balance)));
    let sides: Vec<_> = trial_balance.iter().map(|line| (line.account, line.debit.0, line.credit.0)).collect();
    assert_eq!(sides[0], (Account::Buyer, 25_000_000, 0), "one payment of 25 USDC is settled");
    assert_eq!(sides.iter().map(|side| side.1).sum::<u64>(), sides.iter().map(|side| side.2).sum::<u64>());

    let again = attest(&scene.models).await.unwrap();
    assert!(again.known && again.root == root, "its own event changes nothing");
    assert_eq!(scene.last().await, last + 1);
    let mut snapshot = Snapshot::take(&scene.pool).await.unwrap();
    assert!(!has_grown(snapshot.connection(), at_position).await.unwrap(), "no attestation leads to another");
    drop(snapshot);

    let service = scene.verify().await.unwrap();
    let attested = service.attested.as_ref().unwrap();
    assert_eq!((attested.root, attested.at_position, attested.position), (root, last, last + 1));
    assert_eq!(attested.checkpoint, None, "no checkpoint was signed since");
    payments::sign_checkpoint(&scene.log).await;
    let signed = scene.verify().await.unwrap().attested.unwrap();
    assert_eq!(signed.checkpoint, Some(last + 2), "every later checkpoint covers it");
    assert!(attested.of_other_versions.is_empty() && service.models.iter().all(|model| model.compared));
    assert!(service.tables.iter().all(|table| table.checked), "{:?}", service.tables);

    let auditor = verify_state(&scene.database.auditor_pool().await, &[], Numbers::Hold, &|_| {}).await.unwrap();
    assert_eq!(auditor.attested, Some(signed));
    assert_eq!(auditor.trial_balance, service.trial_balance);
    let roots = |report: &replay_tool::StateReport| report.models.iter().map(|model| (model.rows, model.root)).collect::<Vec<_>>();
    assert_eq!(roots(&auditor), roots(&service));
    assert!(auditor.models.iter().all(|model| !model.compared), "he may not see the tables, and needs not");
}

#[tokio::test]
async fn erasing_a_person_changes_no_number_of_the_past() {
    let scene = scene().await;
    let before = attest(&scene.models).await.unwrap();
    let subject_id = scene.paid.session.subject_id;
    assert!(scene.log.vault().erase(subject_id).await.unwrap());
    let erased = SubjectErased { subject_id, reason: "asked_by_subject".into(), approval: None };
    payments::force(&scene.log, scene.shop.owner_id, true, payments::stream(Category::Subject, subject_id), erased).await;
    scene.follow().await;
    assert_eq!(scene.verify().await.unwrap().attested.unwrap().root, before.root);
    let after = attest(&scene.models).await.unwrap();
    assert_ne!(after.root, before.root, "rows were touched");
    assert_eq!(scene.verify().await.unwrap().attested.unwrap().root, after.root);
}

#[tokio::test]
async fn read_models_that_are_not_equally_far_are_taken_at_one_position() {
    let scene = scene().await;
    payments::paid(&scene.log, &scene.shop).await;
    payments::paid_again(&scene.log, &scene.shop, &scene.paid).await;
    scene.follow_one("payments").await;
    let last = scene.last().await;
    // All but one lack two payments: what they lack is folded on top of their rows.
    let attested = attest(&scene.models).await.unwrap();
    assert_eq!(attested.at_position, last);
    assert_eq!(scene.verify().await.unwrap().attested.unwrap().root, attested.root);
    scene.follow().await;
    assert_eq!(scene.verify().await.unwrap().attested.unwrap().root, attested.root);
    let balance = projections::journal::trial_balance(&projections::Reader::new(scene.pool.clone()), None, None).await.unwrap();
    assert_eq!(balance, attested.trial_balance, "SQL sums to the same");
    let nobody = Some(events::clock::new_id());
    assert_eq!(projections::journal::trial_balance(&projections::Reader::new(scene.pool.clone()), nobody, None).await.unwrap(), []);
}

async fn mismatch(scene: &Scene, name: &str, statement: &str, expected: &str) {
    scene.tamper(name, statement).await;
    let (class, _, detail) = scene.broken().await;
    assert_eq!((class, detail.as_str()), (BreakClass::ProjectionMismatch, expected));
    scene.follow_one(name).await;
}

#[tokio::test]
async fn every_way_to_change_a_live_row_is_found_and_named() {
    let scene = scene().await;
    attest(&scene.models).await.unwrap();
    let (payment, receipt) = (scene.paid.session.payment_id, scene.paid.receipt_id);
    let changed = format!("UPDATE {{table}} SET amount = amount + 1, status = 'FAILED' WHERE id = '{payment}'");
    mismatch(&scene, "payments", &changed, &format!("payments: row {payment} differs in amount, status")).await;
    let deleted = format!("DELETE FROM {{table}} WHERE id = '{receipt}'");
    mismatch(&scene, "receipts", &deleted, &format!("receipts: row {receipt} is missing")).await;
    let invented = uuid::Uuid::from_u128(7);
    let inserted = format!(
        "INSERT INTO {{table}} SELECT * FROM jsonb_populate_record(NULL::{{table}}, (SELECT to_jsonb(t) || '{{\"id\": \"{invented}\"}}' FROM {{table}} t LIMIT 1))"
    );
    mismatch(&scene, "memberships", &inserted, &format!("memberships: row {invented} follows from no event")).await;
    let moved = format!("UPDATE {{table}} SET entries = replace(entries::text, '25000000', '25000001')::jsonb WHERE id = '{payment}'");
    let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(moved.replace("{table}", &scene.table("journal").await))).execute(&scene.admin).await;
    assert!(refused.unwrap_err().to_string().contains("journal_entries_check"), "the table itself refuses what does not balance");
    let balanced = format!("UPDATE {{table}} SET entries = '[]' WHERE id = '{payment}'");
    mismatch(&scene, "journal", &balanced, &format!("journal: row {payment} differs in entries")).await;
    scene.verify().await.unwrap();

    // Personal columns are not in the number: `diff` opens them.
    scene.tamper("payments", &format!("UPDATE {{table}} SET identity_value = 'x' WHERE id = '{payment}'")).await;
    scene.verify().await.unwrap();
    let names = ["payments".to_owned()];
    let Err(Failure::Broken(found)) = replay_tool::diff(&scene.models, &names, &silent()).await else { panic!("not found") };
    assert_eq!(found.detail, format!("payments: row {payment} differs in identity_value"));
}

#[tokio::test]
async fn a_number_that_was_attested_over_a_wrong_table_names_the_projection() {
    let scene = scene().await;
    let payment = scene.paid.session.payment_id;
    scene.tamper("payments", &format!("UPDATE {{table}} SET amount = 1 WHERE id = '{payment}'")).await;
    let wrong = attest(&scene.models).await.unwrap();
    scene.follow_one("payments").await;
    let (class, position, detail) = scene.broken().await;
    assert_eq!((class, position), (BreakClass::StateRootMismatch, scene.last().await));
    assert!(detail.starts_with(&format!("payments at position {}", wrong.at_position)), "{detail}");
    verify_state(&scene.pool, &[], Numbers::PassBy, &|_| {}).await.unwrap();
    attest(&scene.models).await.unwrap();
    scene.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_attests_by_itself_and_every_later_checkpoint_covers_it() {
    let app = TestApp::start(&[("HILT_STATE_INTERVAL_SECONDS", "1")]).await;
    let deadline = Instant::now() + SOON;
    let (recorded, attested) = loop {
        let mut connection = app.state.log.pool().acquire().await.unwrap();
        // The keys of the test are in the log before the service begins to look.
        if let Some(found) = newest_attestation(&mut connection, i64::MAX).await.unwrap() {
            break found;
        }
        assert!(Instant::now() < deadline, "nothing was attested");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(recorded.envelope.actor.to_string(), "system:state_attester");
    assert_eq!(attested.projections.len(), projections::ALL.len());
    let head = app.state.checkpointer.sign().await.unwrap();
    assert!(head.size > recorded.position);
    app.caught_up().await;
    let report = verify_state(app.state.log.pool(), &[], Numbers::Hold, &|_| {}).await.unwrap();
    assert!(report.attested.is_some());
    app.close().await;
}
