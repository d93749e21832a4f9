use crate::scene::{scene, silent};
use events::vocab::{bytes::Hash32, event::Event};
use hilt_tests::payments;
use projections::runner::Afterwards;
use replay_tool::{BreakClass, Certify, Failure, OperatorKey, Tell, attest, certify, rebuild_beside, verify_state};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A folder of this test's own, removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("hilt-{}", events::clock::new_id::<uuid::Uuid>()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn candidates(scene: &crate::scene::Scene) -> Vec<(String, i64)> {
    sqlx::query_as("SELECT name, checkpoint FROM projections.slots WHERE state = 'candidate'").fetch_all(&scene.admin).await.unwrap()
}

#[tokio::test]
async fn a_build_beside_the_live_one_is_compared_kept_resumed_and_swapped_in() {
    let scene = scene().await;
    let names = ["payments".to_owned(), "receipts".to_owned()];
    let payment = scene.paid.session.payment_id;
    let clean = rebuild_beside(&scene.models, &names, Afterwards::Drop, &silent()).await.unwrap();
    assert!(clean.ok && clean.models.iter().all(|model| model.before == model.after && !model.swapped));
    assert_eq!(candidates(&scene).await, [], "it leaves nothing behind");

    scene.tamper("payments", &format!("UPDATE {{table}} SET amount = 7, identity_value = 'x' WHERE id = '{payment}'")).await;
    let kept = rebuild_beside(&scene.models, &names, Afterwards::Keep, &silent()).await.unwrap();
    let model = &kept.models[0];
    assert!(!kept.ok && model.before.root != model.after.root && model.before.rows == model.after.rows);
    let found: Vec<_> = model.differences.iter().map(|row| (row.row, row.change, row.columns.clone())).collect();
    assert_eq!(found, [(payment.0, "changed", vec!["amount".to_owned(), "identity_value".to_owned()])]);
    assert!(!format!("{kept:?}").contains("crzypeas"), "columns are named, never what is in them");
    let at = scene.last().await as i64;
    assert_eq!(candidates(&scene).await.len(), 2);
    assert!(candidates(&scene).await.iter().all(|(_, checkpoint)| *checkpoint == at));
    assert_eq!(scene.broken().await.0, BreakClass::ProjectionMismatch, "the live one is as it was");

    // What comes after a kill: the build goes on where it was.
    payments::paid_again(&scene.log, &scene.shop, &scene.paid).await;
    scene.models.rebuild("payments", projections::runner::Progress::silent()).await.unwrap();
    scene.tamper("payments", &format!("DELETE FROM {{table}} WHERE id = '{payment}'")).await;
    let first = Arc::new(AtomicU64::new(u64::MAX));
    let tell: Tell = {
        let first = first.clone();
        Arc::new(move |_, progress| {
            first.fetch_min(progress.done, Ordering::SeqCst);
        })
    };
    let swapped = rebuild_beside(&scene.models, &names[..1], Afterwards::Swap, &tell).await.unwrap();
    let model = &swapped.models[0];
    assert!(swapped.ok && model.swapped && model.resumed == at as u64 + 1 && first.load(Ordering::SeqCst) > model.resumed);
    assert_eq!(model.differences.iter().map(|row| (row.row, row.change)).collect::<Vec<_>>(), [(payment.0, "added")]);
    assert_eq!((model.before.rows + 1, model.differing), (model.after.rows, 1));
    scene.follow_one("receipts").await;
    replay_tool::diff(&scene.models, &names, &silent()).await.unwrap();
    assert!(candidates(&scene).await.iter().all(|(name, _)| name == "receipts"));
    let swaps: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, differences FROM projections.swaps").fetch_all(&scene.admin).await.unwrap();
    assert_eq!(swaps, [("payments".to_owned(), 1)]);
    assert!(matches!(rebuild_beside(&scene.models, &["unheard".to_owned()], Afterwards::Drop, &silent()).await, Err(Failure::Input(_))));
}

fn openssl(json: &Path, signature: &Path, key: &Path) -> bool {
    let mut command = Command::new("openssl");
    command.args(["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey"]).arg(key).arg("-in").arg(json).arg("-sigfile").arg(signature);
    command.output().expect("openssl is there").status.success()
}

#[tokio::test]
async fn a_recovery_is_certified_on_record_and_openssl_verifies_it() {
    let scene = scene().await;
    let folder = Folder::new();
    let key = OperatorKey::generate(&folder.file("operator.pem")).unwrap();
    assert!(OperatorKey::generate(&folder.file("operator.pem")).is_err(), "a key is never written over");
    assert_eq!(OperatorKey::read(&folder.file("operator.pem")).unwrap().public(), key.public());
    let asked = |operator: &str| Certify {
        operator: operator.to_owned(),
        key: &key,
        reason: "disk_fault".to_owned(),
        file: folder.file("recovery"),
    };
    let origin = Some(payments::ORIGIN);
    let nothing = certify(&scene.models, origin, &asked("staff-1"), &|_| {}).await;
    assert!(matches!(nothing, Err(Failure::Input(_))), "nothing was rebuilt: {nothing:?}");

    let payment = scene.paid.session.payment_id;
    scene.tamper("payments", &format!("UPDATE {{table}} SET amount = 7 WHERE id = '{payment}'")).await;
    // The wrong table was even put on record: the certificate rests on what holds after the recovery.
    attest(&scene.models).await.unwrap();
    rebuild_beside(&scene.models, &["receipts".to_owned()], Afterwards::Swap, &silent()).await.unwrap();
    let too_early = certify(&scene.models, origin, &asked("staff-1"), &|_| {}).await;
    let Err(Failure::Broken(found)) = too_early else { panic!("a table that is wrong cannot be certified: {too_early:?}") };
    assert_eq!(found.class, BreakClass::ProjectionMismatch);
    rebuild_beside(&scene.models, &["payments".to_owned()], Afterwards::Swap, &silent()).await.unwrap();
    for name in ["Ana Example", "ana@example.com"] {
        assert!(matches!(certify(&scene.models, origin, &asked(name), &|_| {}).await, Err(Failure::Input(_))), "no names");
    }
    let certificate = certify(&scene.models, origin, &asked("staff-1"), &|_| {}).await.unwrap();

    let [json, signature, public] = certificate.files.as_slice() else { panic!("three files") };
    let bytes = std::fs::read(json).unwrap();
    assert_eq!(Hash32::of(&bytes), certificate.certificate_hash);
    assert_eq!(serde_json_canonicalizer::to_vec(&certificate.certificate).unwrap(), bytes, "RFC 8785, by a library that is not ours");
    assert!(openssl(json, signature, public));
    let tampered = folder.file("tampered.json");
    for at in (0..bytes.len()).step_by(97) {
        let mut copy = bytes.clone();
        copy[at] ^= 1;
        std::fs::write(&tampered, copy).unwrap();
        assert!(!openssl(&tampered, signature, public), "byte {at}");
    }
    let mut forged = std::fs::read(signature).unwrap();
    forged[3] ^= 1;
    std::fs::write(&tampered, forged).unwrap();
    assert!(!openssl(json, &tampered, public));

    let said = &certificate.certificate;
    let rebuilt: Vec<_> = said["rebuilt"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["projection"].as_str().unwrap(), one["differences"].as_u64().unwrap()))
        .collect();
    assert_eq!(rebuilt, [("receipts", 0), ("payments", 1)]);
    let payments_after = &said["rebuilt"][1]["after"];
    assert_ne!(said["rebuilt"][1]["before"]["root"], payments_after["root"]);
    let model = said["read_models"].as_array().unwrap().iter().find(|model| model["projection"] == "payments").unwrap();
    assert_eq!(model["root"], payments_after["root"]);
    assert_eq!(said["trial_balance"][0]["debit"], "25000000");
    assert_eq!(said["operator"]["id"], "staff-1");
    let recorded = scene.log.event(certificate.event_id).await.unwrap().unwrap();
    let Event::RecoveryCertified(on_record) = recorded.decode().unwrap() else { panic!("another event") };
    assert_eq!(
        (on_record.certificate_json.as_bytes(), on_record.ed25519_sig.0.as_slice()),
        (bytes.as_slice(), std::fs::read(signature).unwrap().as_slice())
    );
    assert_eq!((recorded.envelope.actor.to_string(), recorded.position), ("operator:staff-1".to_owned(), certificate.position));

    assert!(matches!(certify(&scene.models, origin, &asked("staff-1"), &|_| {}).await, Err(Failure::Input(_))), "once");
    verify_state(&scene.pool, &[], replay_tool::Numbers::Hold, &|_| {}).await.unwrap();
}
