//! Witnesses: an auditor's own key signs that the log has only grown, and the log collects such signatures.

use crate::{bytes, grow, log_key, text};
use events::{
    proof::{Checkpoint, Witness},
    vault::KeyPurpose,
    vocab::bytes::Hash32,
};
use hilt_tests::{app::TestApp, payments, processes::Folder};
use replay_tool::{Break, BreakClass, Failure, WitnessOptions, Witnessed, witness};
use reqwest::Method;
use serde_json::{Value, json};
use std::{fs, path::Path};

fn options(app: &TestApp, folder: &Folder, key: &Witness, log_key: &events::proof::NoteKey) -> WitnessOptions {
    WitnessOptions {
        log: format!("{}/v1/log", app.base_url),
        key: log_key.clone(),
        witness: key.clone(),
        state: folder.path().join("seen"),
        submit: true,
    }
}

fn broken(outcome: Result<Witnessed, Failure>) -> Break {
    match outcome {
        Err(Failure::Broken(found)) => *found,
        other => panic!("nothing broken was found: {other:?}"),
    }
}

async fn send(app: &TestApp, note: &str) -> hilt_tests::app::Answer {
    app.send(app.request(Method::POST, "/v1/log/cosignatures").json(&json!({ "note": note }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_signs_a_log_that_grows_and_its_signature_travels_with_every_proof() {
    let key = Witness::generate("witness.example/w1").unwrap();
    let other = Witness::generate("witness.example/w2").unwrap();
    let known = format!("{} {}", key.key(), other.key());
    let app = TestApp::start(&[("HILT_LOG_WITNESSES", &known), ("HILT_CHECKPOINT_SECONDS", "86400")]).await;
    let log = app.state.log.clone();
    let shop = payments::shop(&log, true).await;
    let paid = payments::paid(&log, &shop).await;
    let folder = Folder::new();
    let log_key = log_key(&app).await;
    let options = options(&app, &folder, &key, &log_key);
    let keys = app.get_public("/v1/log/keys").await.ok();
    assert_eq!(keys["witnesses"][0], json!({"name": "witness.example/w1", "vkey": key.key().to_string()}));

    let first = witness(&options).await.unwrap();
    assert_eq!((first.before, first.submitted), (None, true));
    let again = witness(&options).await.unwrap();
    assert_eq!((again.before, again.size), (Some(first.size), first.size), "nothing was appended");
    payments::paid(&log, &shop).await;
    let second = witness(&options).await.unwrap();
    assert_eq!(second.before, Some(first.size));
    assert!(second.size > first.size);

    let note = text(&app, "/v1/log/checkpoint").await;
    let cosigned = key.key().cosignature(&note).unwrap().expect("the witness's line is on the checkpoint");
    assert_eq!(cosigned.line, second.cosignature);
    assert_eq!(Checkpoint::open(&note, &log_key).unwrap().size, second.size);
    let list = app.get_public("/v1/log/checkpoints").await.ok();
    assert_eq!(list["items"][0]["cosignatures"][0]["witness"], json!("witness.example/w1"));

    // Beyond what is cosigned the log goes on; proofs take the checkpoint that says most.
    payments::session(&log, &shop).await;
    app.state.checkpointer.sign().await.unwrap();
    let proof = text(&app, &format!("/v1/receipt/{}/proof", paid.receipt_id)).await;
    assert!(proof.contains(&second.cosignature), "{proof}");

    // A second witness adds its own line, and a repetition adds none.
    let checkpoint = Checkpoint::open(&note, &log_key).unwrap();
    let line = other.cosign(&checkpoint, 1_700_000_000).line;
    let answer = send(&app, &format!("{note}{line}\n")).await.ok();
    assert_eq!(answer["kept"].as_array().unwrap().iter().map(|kept| kept["new"].clone()).collect::<Vec<_>>(), [json!(false), json!(true)]);
    let later = other.cosign(&checkpoint, 1_700_000_001).line;
    assert_eq!(send(&app, &format!("{note}{later}\n")).await.ok()["kept"][1]["new"], json!(false));
    let note = text(&app, &format!("/v1/log/checkpoints/{}", second.size)).await;
    assert!(note.contains(&line) && !note.contains(&later));
    assert_eq!(note.matches("\n— ").count(), 3, "{note}");

    refused(&app, &key, &note, &checkpoint).await;
    app.close().await;
}

/// What is not kept, and why.
async fn refused(app: &TestApp, key: &Witness, note: &str, checkpoint: &Checkpoint) {
    let (body, _) = note.split_once("\n\n").unwrap();
    let signed = note.lines().find(|line| line.starts_with("— hilt.local/log ")).unwrap();
    let with = |line: &str| format!("{body}\n\n{signed}\n{line}\n");
    let stranger = Witness::generate("witness.example/w1").unwrap();
    send(app, &with(&stranger.cosign(checkpoint, 1_700_000_000).line)).await.refused(403, "witness_unknown");
    send(app, &format!("{body}\n\n{signed}\n")).await.refused(403, "witness_unknown");
    let other = Checkpoint { root: Hash32([1; 32]), ..checkpoint.clone() };
    let line = key.cosign(&other, 1_700_000_000).line;
    let refused = send(app, &with(&line)).await.refused(422, "validation_failed");
    assert_eq!(refused["errors"][0]["field"], json!("note"));
    send(app, &format!("{}\n{signed}\n{line}\n", other.body())).await.refused(404, "checkpoint_not_found");
    let beyond = Checkpoint { size: checkpoint.size + 1, ..checkpoint.clone() };
    send(app, &format!("{}\n{signed}\n{}\n", beyond.body(), key.cosign(&beyond, 1_700_000_000).line))
        .await
        .refused(404, "checkpoint_not_found");
    let extended = format!("{}state made up\n\n{signed}\n{}\n", checkpoint.body(), key.cosign(checkpoint, 1).line);
    let refused = send(app, &extended).await;
    assert!([404, 422].contains(&refused.status.as_u16()), "a text that the log has not signed: {}", refused.body);
    let future = u64::try_from(app.clock.now().seconds()).unwrap() + 3_600;
    send(app, &with(&key.cosign(checkpoint, future).line)).await.refused(422, "validation_failed");
    for nothing in ["", "x", "a\nb\nc\n\n— d e\n", "\n\n"] {
        send(app, nothing).await.refused(422, "validation_failed");
    }
}

/// A copy of what the log publishes, whose checkpoint somebody else may write.
async fn mirror(app: &TestApp, place: &Path, note: &str, size: u64) {
    let tile = place.join("tile/0");
    fs::create_dir_all(tile.join("000.p")).unwrap();
    fs::write(place.join("checkpoint"), note).unwrap();
    fs::write(tile.join(format!("000.p/{size}")), bytes(app, &format!("/v1/log/tile/0/000.p/{size}")).await).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_refuses_a_fork_a_rewind_and_a_forgery_and_keeps_the_evidence() {
    let app = TestApp::start(&[("HILT_CHECKPOINT_SECONDS", "86400")]).await;
    let log = app.state.log.clone();
    let (folder, log_key, key) = (Folder::new(), log_key(&app).await, Witness::generate("w").unwrap());
    let signer = app.state.vault.signer(KeyPurpose::Log).await.unwrap();
    grow(&log, 40).await;
    let early = text(&app, "/v1/log/checkpoint").await;
    let early_size = Checkpoint::open(&early, &log_key).unwrap().size;
    grow(&log, 40).await;
    let base = WitnessOptions { submit: false, ..options(&app, &folder, &key, &log_key) };
    let seen = witness(&base).await.unwrap();
    let kept = fs::read_to_string(&base.state).unwrap();
    grow(&log, 40).await;
    let note = text(&app, "/v1/log/checkpoint").await;
    let newest = Checkpoint::open(&note, &log_key).unwrap();

    let show = async |note: &str, size: u64| {
        let place = folder.path().join("mirror");
        mirror(&app, &place, note, size).await;
        let outcome = witness(&WitnessOptions { log: place.display().to_string(), ..base.clone() }).await;
        fs::remove_dir_all(place).unwrap();
        outcome
    };
    // The log itself signs all of these but the last two.
    let other_root = Checkpoint { root: Hash32([9; 32]), ..newest.clone() }.sign(&signer);
    let same_size = Checkpoint { size: seen.size, root: Hash32([9; 32]), origin: newest.origin.clone() }.sign(&signer);
    let foreign = Checkpoint { origin: "other.example/log".to_owned(), ..newest.clone() }.sign(&signer);
    for (name, shown, size, class) in [
        ("another history", &other_root, newest.size, BreakClass::CheckpointForked),
        ("another history of one size", &same_size, seen.size, BreakClass::CheckpointForked),
        ("an older one", &early, early_size, BreakClass::CheckpointRewound),
        ("another log's", &foreign, newest.size, BreakClass::CheckpointSignatureInvalid),
        (
            "an altered one",
            &note.replacen(&newest.size.to_string(), &(newest.size - 1).to_string(), 1),
            newest.size - 1,
            BreakClass::CheckpointSignatureInvalid,
        ),
    ] {
        let found = broken(show(shown, size).await);
        assert_eq!(found.class, class, "{name}: {found}");
        assert_eq!(fs::read_to_string(&base.state).unwrap(), kept, "{name}: what was seen stays");
        if class != BreakClass::CheckpointSignatureInvalid {
            assert_eq!(fs::read_to_string(folder.path().join("seen.refused")).unwrap(), *shown, "{name}: both are kept");
        }
    }
    // Tiles that lead elsewhere.
    let place = folder.path().join("mirror");
    mirror(&app, &place, &note, newest.size).await;
    let tile = place.join(format!("tile/0/000.p/{}", newest.size));
    let mut hashes = fs::read(&tile).unwrap();
    hashes[32 * usize::try_from(seen.size).unwrap()] ^= 1;
    fs::write(&tile, &hashes).unwrap();
    let at_mirror = WitnessOptions { log: place.display().to_string(), ..base.clone() };
    assert_eq!(broken(witness(&at_mirror).await).class, BreakClass::CheckpointForked);
    fs::write(&tile, &hashes[..64]).unwrap();
    assert!(matches!(witness(&at_mirror).await, Err(Failure::Remote(_))), "a cut tile proves nothing, either way");

    // A file of what was seen that is none is no first run.
    fs::write(&base.state, "nothing").unwrap();
    assert!(matches!(witness(&base).await, Err(Failure::Input(_))));
    fs::write(&base.state, &kept).unwrap();
    assert_eq!(witness(&base).await.unwrap().before, Some(seen.size));
    // A log that does not know the witness says so, and the witness has seen what it has seen.
    let refused = witness(&WitnessOptions { submit: true, ..base.clone() }).await;
    assert!(matches!(&refused, Err(Failure::Remote(why)) if why.contains("403")), "{refused:?}");
    let gone = WitnessOptions { log: "http://127.0.0.1:9/v1/log".to_owned(), ..base.clone() };
    assert!(matches!(witness(&gone).await, Err(Failure::Remote(_))));
    app.end().await;
}

/// Two runs with one file, at once, over and over: each signs what extends what the other signed, or does not run.
#[tokio::test(flavor = "multi_thread")]
async fn two_runs_of_a_witness_never_contradict_each_other() {
    let app = TestApp::start(&[("HILT_CHECKPOINT_SECONDS", "86400")]).await;
    let (folder, log_key, key) = (Folder::new(), log_key(&app).await, Witness::generate("w").unwrap());
    let base = WitnessOptions { submit: false, ..options(&app, &folder, &key, &log_key) };
    let mut largest = 0;
    for _ in 0..10 {
        grow(&app.state.log, 4).await;
        let runs = futures::future::join_all((0..4).map(|_| witness(&base))).await;
        let signed: Vec<Witnessed> = runs.into_iter().filter_map(Result::ok).collect();
        assert!(!signed.is_empty());
        assert!(signed.iter().all(|run| run.size >= largest));
        largest = signed.iter().map(|run| run.size).max().unwrap();
        let seen = Checkpoint::open(&fs::read_to_string(&base.state).unwrap(), &log_key).unwrap();
        assert_eq!(seen.size, largest);
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cosignatures_are_never_changed() {
    let key = Witness::generate("w").unwrap();
    let known = key.key().to_string();
    let app = TestApp::start(&[("HILT_LOG_WITNESSES", &known)]).await;
    let folder = Folder::new();
    witness(&options(&app, &folder, &key, &log_key(&app).await)).await.unwrap();
    let owner = app.database.admin_pool().await;
    for statement in [
        "UPDATE log.cosignatures SET size = size",
        "DELETE FROM log.cosignatures",
        "TRUNCATE log.cosignatures",
        "UPDATE log.tree_nodes SET level = level",
        "DELETE FROM log.tree_nodes",
        "TRUNCATE log.tree_nodes",
    ] {
        let refused = sqlx::query(statement).execute(&owner).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{statement}: {refused}");
        let refused = sqlx::query(statement).execute(app.state.log.pool()).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{statement}: {refused}");
    }
    let unsigned: Value = app.get_public("/v1/log/checkpoints").await.ok();
    assert!(unsigned["items"].as_array().unwrap().iter().any(|item| item["cosignatures"][0]["witness"] == json!("w")));
    app.close().await;
}
