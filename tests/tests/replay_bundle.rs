//! Bundles: the same bytes each time, whole after an interruption, checked without a database; and no byte of one can change unseen.

use hilt_tests::{
    bundles::{self, Copy, files, reseal},
    payments,
    processes::{self, Folder},
    tampering::{World, world},
};
use replay_tool::{BreakClass, ExportOptions, Failure, VerifyOptions, VerifyReport, verify_bundle};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Files, and what they hold now.
type Changes<'a> = Vec<(&'a str, Vec<u8>)>;

fn options(world: &World, folder: &Path) -> ExportOptions {
    ExportOptions { folder: folder.to_owned(), vkey: world.vkey.clone(), from: 0, to: None, sealed: false, segment_events: 16 }
}

async fn export(world: &World, options: &ExportOptions) -> replay_tool::ExportReport {
    let auditor = world.database.auditor_pool().await;
    replay_tool::export(&auditor, options, &|_| {}).await.unwrap()
}

async fn check(world: &World, folder: &Path, checkpoints: &[&str]) -> Result<VerifyReport, Failure> {
    let checkpoints = checkpoints.iter().map(|note| (*note).to_owned()).collect();
    let options = VerifyOptions { vkey: Some(world.vkey.clone()), checkpoints, ..VerifyOptions::default() };
    verify_bundle(folder, &options, &|_| {}).await
}

fn class(outcome: Result<VerifyReport, Failure>) -> BreakClass {
    match outcome {
        Err(Failure::Broken(found)) => found.class,
        other => panic!("nothing broken was found: {other:?}"),
    }
}

#[tokio::test]
async fn a_bundle_is_the_signed_log_and_the_same_each_time() {
    let world = world().await;
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    let exported = export(&world, &options(&world, folders[0].path())).await;
    // More is appended and signed meanwhile: the same range gives the same bytes.
    payments::session(&world.log, &world.shop).await;
    payments::sign_checkpoint(&world.log).await;
    export(&world, &ExportOptions { to: Some(exported.size), ..options(&world, folders[1].path()) }).await;
    assert_eq!(files(folders[0].path()), files(folders[1].path()));

    let held = check(&world, folders[0].path(), &[&world.note]).await.unwrap();
    assert_eq!((held.from, held.events, held.before), (0, world.signed[1], 0));
    assert_eq!((held.root, held.receipts), (exported.root, 2));
    assert_eq!((held.checkpoints, held.signed_size), (3, world.signed[1]));
    assert_eq!((held.log_key, held.receipt_keys), ("given", "bundle"));

    export(&world, &ExportOptions { sealed: true, to: Some(exported.size), ..options(&world, folders[2].path()) }).await;
    let sealed = check(&world, folders[2].path(), &[]).await.unwrap();
    assert_eq!(sealed.streams, held.streams);
    for folder in &folders {
        for (name, bytes) in files(folder.path()) {
            for personal in ["buyer@example.com", "customer-1", "7710", "crzypeas"] {
                assert!(!bytes.windows(personal.len()).any(|part| part == personal.as_bytes()), "{name} holds {personal}");
            }
        }
    }
}

#[tokio::test]
async fn a_range_is_proved_by_its_frontier() {
    let world = world().await;
    let (folder, odd) = (Folder::new(), Folder::new());
    export(&world, &ExportOptions { from: world.signed[0], ..options(&world, folder.path()) }).await;
    let held = check(&world, folder.path(), &[&world.note]).await.unwrap();
    assert_eq!((held.from, held.events), (world.signed[0], world.signed[1] - world.signed[0]));

    // In the middle of a payment, away from where segments begin.
    let from = world.position("payment_requirement.authored", 0).await;
    export(&world, &ExportOptions { from, to: Some(world.signed[0]), ..options(&world, odd.path()) }).await;
    let held = check(&world, odd.path(), &[&world.note]).await.unwrap();
    assert_eq!((held.from, held.events), (from, world.signed[0] - from));
    assert!(held.before > 0, "the requirement cites its session, which lies before");
    let refused = check(&world, folder.path(), &[&other_log(&world).await]).await;
    assert!(matches!(refused, Err(Failure::Input(_))), "another log's checkpoint is not this log's");

    let unsigned = ExportOptions { to: Some(world.signed[0] + 1), ..options(&world, Folder::new().path()) };
    let refused = replay_tool::export(&world.admin, &unsigned, &|_| {}).await;
    let Err(Failure::Input(text)) = refused else { panic!("an unsigned end is refused") };
    assert!(text.contains(&format!("the next below is {}", world.signed[0])), "{text}");
}

async fn other_log(world: &World) -> String {
    world.note.replace(&world.note[world.note.len() - 20..world.note.len() - 10], "AAAAAAAAAA")
}

#[tokio::test]
async fn an_export_that_was_killed_goes_on() {
    let world = world().await;
    let whole = Folder::new();
    let exported = export(&world, &options(&world, whole.path())).await;
    assert!(exported.segments >= 3, "{exported:?}");
    for kill_at in 1..=exported.segments {
        let folder = Folder::new();
        let options = options(&world, folder.path());
        let (told, seen) = (Arc::new(tokio::sync::Notify::new()), Arc::new(AtomicUsize::new(0)));
        let progress = {
            let (told, seen) = (told.clone(), seen.clone());
            move |_| {
                if seen.fetch_add(1, Ordering::SeqCst) + 1 == kill_at as usize {
                    told.notify_one();
                }
            }
        };
        // Dropped in the middle of what it does, with a file half written.
        tokio::select! {
            biased;
            () = told.notified() => {}
            ended = replay_tool::export(&world.admin, &options, &progress) => { ended.unwrap(); }
        }
        let left = folder.path().join("manifest.json").exists();
        if !left {
            assert!(matches!(check(&world, folder.path(), &[]).await, Err(Failure::Broken(_))), "half a bundle is none");
            let other = ExportOptions { from: 1, ..options.clone() };
            assert!(matches!(replay_tool::export(&world.admin, &other, &|_| {}).await, Err(Failure::Input(_))));
            let resumed = export(&world, &options).await;
            assert!(resumed.resumed_segments < exported.segments || kill_at == exported.segments);
        }
        assert_eq!(files(folder.path()), files(whole.path()), "killed at {kill_at}");
        let again = replay_tool::export(&world.admin, &options, &|_| {}).await;
        assert!(matches!(again, Err(Failure::Input(_))), "a bundle that is whole is not written over");
    }
}

/// Flips one bit of every byte of every file, one after the other, and returns what was found. With `mend`, the manifest is made to agree.
async fn flips(world: &World, original: &Copy, mend: bool) -> Vec<(String, usize, BreakClass)> {
    let mut found = Vec::new();
    // A manifest says itself what it is; it cannot be made to agree with itself.
    for (name, bytes) in original.files().iter().filter(|(name, _)| !mend || name != "manifest.json") {
        let copy = original.copy();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            copy.write(name, &flipped);
            if mend {
                reseal(&copy);
            }
            match check(world, copy.path(), &[]).await {
                Err(Failure::Broken(broken)) => found.push((name.clone(), at, broken.class)),
                other => panic!("byte {at} of {name} changed unseen: {other:?}"),
            }
        }
    }
    found
}

async fn small(world: &World) -> Copy {
    let folder = Folder::new();
    export(world, &ExportOptions { sealed: true, ..options(world, folder.path()) }).await;
    Copy::of(folder)
}

/// The first payment and what came before it.
async fn smaller(world: &World) -> Copy {
    let folder = Folder::new();
    export(world, &ExportOptions { sealed: true, to: Some(world.signed[0]), ..options(world, folder.path()) }).await;
    Copy::of(folder)
}

#[tokio::test]
async fn every_flipped_bit_of_every_file_is_found() {
    let world = world().await;
    let original = smaller(&world).await;
    let found = flips(&world, &original, false).await;
    let bytes: usize = original.files().iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(found.len(), bytes);
    for (name, at, class) in found {
        let expected: &[BreakClass] = match name.as_str() {
            // One that still reads says something else than the files.
            "manifest.json" => &[
                BreakClass::BundleManifestInvalid,
                BreakClass::BundleFileAltered,
                BreakClass::CheckpointSignatureInvalid,
                BreakClass::RootMismatch,
                BreakClass::BundleMalformed,
                BreakClass::LeafMismatch,
            ],
            "checkpoints" | "jwks.json" => &[BreakClass::BundleFileAltered],
            // Found at the event, where one event shows it, else by the file's digest.
            _ => &[
                BreakClass::BundleFileAltered,
                BreakClass::BundleMalformed,
                BreakClass::FieldInvalid,
                BreakClass::LeafMismatch,
                BreakClass::StreamVersionGap,
                BreakClass::StreamLeafMismatch,
                BreakClass::TimeReversed,
                BreakClass::SealedWithoutSubject,
                BreakClass::StageWithoutCause,
                BreakClass::SettlementWithoutVerification,
                BreakClass::ActivationWithoutEvidence,
                BreakClass::PayloadUndecodable,
                BreakClass::RootMismatch,
            ],
        };
        assert!(expected.contains(&class), "byte {at} of {name}: {class}");
    }
}

#[tokio::test]
async fn every_flipped_bit_is_found_though_the_digests_were_mended() {
    let world = world().await;
    let original = smaller(&world).await;
    for (name, at, class) in flips(&world, &original, true).await {
        assert_ne!(class, BreakClass::BundleFileAltered, "byte {at} of {name} was mended");
    }
}

#[tokio::test]
async fn what_is_cut_off_swapped_doubled_or_taken_away_is_found() {
    use BreakClass::{BundleFileAltered, BundleFileMissing, BundleFileUnexpected, BundleMalformed, CheckpointMissing, LogTruncated};
    let world = world().await;
    let original = small(&world).await;
    let names: Vec<String> = original.files().iter().map(|(name, _)| name.clone()).collect();
    for name in &names {
        let copy = original.copy();
        copy.remove(name);
        assert_eq!(class(check(&world, copy.path(), &[]).await), BundleFileMissing, "{name}");
        let bytes = original.bytes(name);
        for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            copy.write(name, &bytes[..length]);
            let found = class(check(&world, copy.path(), &[]).await);
            assert_ne!(found, BundleFileMissing, "{name} cut to {length}");
            if name != "manifest.json" {
                reseal(&copy);
                check(&world, copy.path(), &[]).await.unwrap_err();
            }
        }
    }
    let copy = original.copy();
    copy.write("events/9999999999999999", b"");
    assert_eq!(class(check(&world, copy.path(), &[]).await), BundleFileUnexpected);

    let segments: Vec<&String> = names.iter().filter(|name| name.starts_with("events/")).collect();
    let (first, second) = (original.bytes(segments[0]), original.bytes(segments[1]));
    let cases: Vec<(&str, Changes<'_>)> = vec![
        ("two segments swapped", vec![(segments[0], second.clone()), (segments[1], first.clone())]),
        ("a segment doubled", vec![(segments[1], first.clone())]),
        ("bytes behind a segment", vec![(segments[0], [first.clone(), vec![0]].concat())]),
        ("two records swapped", vec![(segments[0], bundles::records(&first, |records| records.swap(3, 4)))]),
        ("a record doubled", vec![(segments[0], bundles::records(&first, |records| records.insert(3, records[3].clone())))]),
        ("a record taken away", vec![(segments[0], bundles::records(&first, |records| drop(records.remove(3))))]),
        ("a record put elsewhere", vec![(segments[0], bundles::records(&first, |records| records[3] = records[9].clone()))]),
    ];
    for (what, changes) in cases {
        let copy = original.copy();
        for (name, bytes) in changes {
            copy.write(name, &bytes);
        }
        let found = class(check(&world, copy.path(), &[]).await);
        println!("{what}: {found}");
        reseal(&copy);
        let mended = class(check(&world, copy.path(), &[]).await);
        assert_ne!(mended, BundleFileAltered, "{what}");
        println!("{what}, digests mended: {mended}");
    }

    // The last checkpoint is taken away: what it signed is signed by none, or was promised.
    let copy = original.copy();
    copy.write("checkpoints", &bundles::notes(&original.bytes("checkpoints"), |notes| drop(notes.pop())));
    assert_eq!(class(check(&world, copy.path(), &[]).await), BundleFileAltered);
    reseal(&copy);
    assert_eq!(class(check(&world, copy.path(), &[]).await), CheckpointMissing);
    let copy = original.copy();
    bundles::shorten(&copy);
    let found = class(check(&world, copy.path(), &[]).await);
    assert!([LogTruncated, BundleMalformed].contains(&found), "{found}");
}

#[tokio::test]
async fn the_auditors_own_key_and_checkpoint_decide() {
    let world = world().await;
    let original = small(&world).await;
    let other = hilt_tests::tampering::world().await;
    let folder = Folder::new();
    export(&other, &options(&other, folder.path())).await;
    assert_eq!(class(check(&world, folder.path(), &[]).await), BreakClass::CheckpointSignatureInvalid);
    let without = verify_bundle(original.path(), &VerifyOptions::default(), &|_| {}).await;
    assert!(matches!(without, Err(Failure::Input(_))));
    // A checkpoint of the log that is larger than the bundle was promised and is not there.
    payments::session(&world.log, &world.shop).await;
    let later = payments::sign_checkpoint(&world.log).await;
    assert_eq!(class(check(&world, original.path(), &[&later]).await), BreakClass::LogTruncated);
}

/// What `docs/bundle.md` shows, so that it is true.
fn reader() -> String {
    let page = include_str!("../../docs/bundle.md");
    let (_, rest) = page.split_once("```python\n").expect("the page shows a program");
    rest.split_once("```").expect("the program ends").0.to_owned()
}

#[tokio::test]
async fn a_few_lines_of_python_read_a_bundle() {
    let world = world().await;
    let program = reader();
    assert!(program.lines().count() <= 40, "few lines");
    let read = |folder: &Path| {
        let mut python = std::process::Command::new("python3");
        python.args(["-I", "-c", &program]).arg(folder).output().unwrap()
    };
    for from in [0, 5] {
        let folder = Folder::new();
        let exported = export(&world, &ExportOptions { from, sealed: from == 0, ..options(&world, folder.path()) }).await;
        let output = read(folder.path());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&said["root"], &said["size"]), (&exported.root.into(), &exported.size.into()));
        assert_eq!(said["origin"], payments::ORIGIN);
        let copy = Copy::of(folder);
        let name = "events/0000000000000016";
        let mut segment = copy.bytes(name);
        segment[100] ^= 1;
        copy.write(name, &segment);
        reseal(&copy);
        assert!(!read(copy.path()).status.success(), "a changed entry leads to another root");
    }
}

#[tokio::test]
async fn the_command_says_what_it_found() {
    let world = world().await;
    let original = small(&world).await;
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(processes::binary("hilt-replay"));
        // No setting of this machine, least of all one that leads to a database.
        let output = command.args(arguments).env_clear().current_dir(std::env::temp_dir()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let path = original.path().to_str().unwrap();
    let (code, text) = run(&["verify", "--bundle", path, "--vkey", &world.vkey, "--json"]);
    let said: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &said["ok"], &said["events"]), (Some(0), &true.into(), &world.signed[1].into()));
    assert_eq!(run(&["verify", "--bundle", path]).0, Some(2), "the key is needed");

    let name = "events/0000000000000000";
    original.write(name, &[original.bytes(name), vec![0]].concat());
    let (code, text) = run(&["verify", "--bundle", path, "--vkey", &world.vkey, "--json"]);
    let said: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &said["ok"], &said["break"]["class"]), (Some(82), &false.into(), &"BUNDLE_FILE_ALTERED".into()));
    let (code, text) = run(&["verify", "--bundle", path, "--vkey", &world.vkey]);
    assert_eq!(code, Some(82));
    assert!(text.starts_with("It does not hold.\n  BUNDLE_FILE_ALTERED at position 16: events/0000000000000000 has "), "{text}");
}
