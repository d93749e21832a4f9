//! A verification that was killed goes on without believing more than one from the start; and the log is followed as it grows.

use hilt_tests::{
    payments,
    processes::Folder,
    tampering::{World, world},
};
use replay_tool::{BreakClass, Failure, Followed, Resume, TailOptions, VerifyOptions, VerifyReport};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, mpsc};

fn resuming(world: &World, folder: &Folder) -> VerifyOptions {
    VerifyOptions { resume: Some(Resume { folder: folder.path().to_owned(), every: 1 }), ..world.options() }
}

/// A verification that is dropped in the middle.
async fn killed(world: &World, options: &VerifyOptions) {
    let (told, seen) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let progress = {
        let (told, seen) = (told.clone(), seen.clone());
        move |_| {
            if seen.fetch_add(1, Ordering::SeqCst) == 0 {
                told.notify_one();
            }
        }
    };
    tokio::select! {
        biased;
        () = told.notified() => {}
        ended = replay_tool::verify(&world.admin, options, &progress) => { ended.unwrap(); }
    }
}

/// A log of several pages.
async fn long() -> World {
    let world = world().await;
    let payments = (0..150).map(|_| payments::paid(&world.log, &world.shop));
    futures::future::join_all(payments).await;
    payments::sign_checkpoint(&world.log).await;
    world
}

#[tokio::test]
async fn a_verification_that_was_killed_goes_on() {
    let world = long().await;
    let whole = world.verify().await.unwrap();
    let folder = Folder::new();
    let options = resuming(&world, &folder);
    killed(&world, &options).await;
    assert!(folder.path().join("verify.json").exists(), "what was done is kept");

    let resumed = replay_tool::verify(&world.admin, &options, &|_| {}).await.unwrap();
    assert!(resumed.resumed_at > 0, "{resumed:?}");
    let same = |report: VerifyReport| VerifyReport { resumed_at: 0, spilled_bytes: 0, milliseconds: 0, ..report };
    assert_eq!(same(resumed), same(whole));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left of a run that ended");

    killed(&world, &options).await;
    for other in [VerifyOptions { vkey: None, ..options.clone() }, VerifyOptions { from: 9, ..options.clone() }] {
        assert!(matches!(replay_tool::verify(&world.admin, &other, &|_| {}).await, Err(Failure::Input(_))), "another run");
    }
    // The process that kept it wrote on after that.
    let mut facts = std::fs::read(folder.path().join("facts")).unwrap();
    facts.extend([7; 100]);
    std::fs::write(folder.path().join("facts"), facts).unwrap();
    assert!(replay_tool::verify(&world.admin, &options, &|_| {}).await.unwrap().resumed_at > 0);
}

#[tokio::test]
async fn what_was_checked_before_the_kill_is_held_again() {
    let world = long().await;
    let cases = [
        (
            "UPDATE log.events SET payload = set_byte(payload, 30, get_byte(payload, 30) # 1) WHERE position = 20",
            BreakClass::LeafMismatch,
            20,
        ),
        (
            "UPDATE log.events SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1) WHERE position = 3 + 20",
            BreakClass::LeafMismatch,
            23,
        ),
        ("DELETE FROM log.events WHERE position = 15", BreakClass::PositionGap, 15),
        ("DELETE FROM log.events WHERE position > 15", BreakClass::LogTruncated, 16),
    ];
    let sealed = world.position("entitlement.pended", 4).await;
    for (tampering, class, position) in cases {
        let (tampering, position) = match tampering.contains("3 + 20") {
            true => (tampering.replace("3 + 20", &sealed.to_string()), sealed),
            false => (tampering.to_owned(), position),
        };
        let folder = Folder::new();
        let options = resuming(&world, &folder);
        killed(&world, &options).await;
        assert_eq!(world.named_after(&tampering, &options).await, (class, position), "{tampering}");
    }
}

#[tokio::test]
async fn a_log_is_followed_as_it_grows() {
    let world = world().await;
    let head = world.log.head().await.unwrap().next_position;
    let (sender, mut told) = mpsc::unbounded_channel();
    let options =
        TailOptions { vkey: Some(world.vkey.clone()), receipt_keys: None, from: Some(5), until: None, interval: Duration::from_millis(10) };
    let auditor = world.database.auditor_pool().await;
    let following =
        tokio::spawn(async move { replay_tool::tail(&auditor, &options, &|followed| sender.send(followed.clone()).is_ok()).await });
    let mut next = async || tokio::time::timeout(Duration::from_secs(60), told.recv()).await.unwrap().unwrap();
    let mut signed = Vec::new();
    let mut expected = 5;
    while expected < head || signed.len() < 2 {
        match next().await {
            Followed::Event { position, .. } => {
                assert_eq!(position, expected);
                expected += 1;
            }
            Followed::Checkpoint { size, .. } => signed.push(size),
        }
    }
    assert_eq!(signed, world.signed);

    payments::paid(&world.log, &world.shop).await;
    let note = payments::sign_checkpoint(&world.log).await;
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    loop {
        let followed = next().await;
        let text = serde_json::to_string(&followed).unwrap() + &followed.to_string();
        assert!(!text.contains("buyer@example.com") && !text.contains("customer-1") && !text.contains('\n'), "{text}");
        match followed {
            Followed::Event { position, leaf, .. } => {
                assert_eq!(position, expected);
                assert_eq!(leaf, world.log.read(position, 1).await.unwrap()[0].leaf);
                expected += 1;
            }
            Followed::Checkpoint { size: covered, .. } if covered == size => break,
            Followed::Checkpoint { .. } => {}
        }
    }
    assert_eq!(expected, size);

    world
        .tamper(&format!(
            "CREATE TEMP TABLE forged ON COMMIT DROP AS SELECT * FROM log.events WHERE position = {};
             UPDATE forged SET position = {size}, event_id = gen_random_uuid(), version = version + 1;
             INSERT INTO log.events SELECT * FROM forged",
            size - 1
        ))
        .await;
    let ended = tokio::time::timeout(Duration::from_secs(60), following).await.unwrap().unwrap();
    let Err(Failure::Broken(found)) = ended else { panic!("the forged event is not found: {ended:?}") };
    assert_eq!((found.class, found.position), (BreakClass::LeafMismatch, size));
}

#[tokio::test]
async fn following_begins_now_and_ends_where_it_is_told() {
    let world = world().await;
    let head = world.log.head().await.unwrap().next_position;
    let told = Mutex::new(Vec::new());
    // The head is where it begins, so appending goes on until three have come.
    let options = TailOptions { vkey: None, receipt_keys: None, from: None, until: None, interval: Duration::from_millis(10) };
    let tell = |followed: &Followed| {
        let mut told = told.lock().unwrap();
        told.push(followed.clone());
        told.len() < 3
    };
    let follow = replay_tool::tail(&world.admin, &options, &tell);
    let append = async {
        loop {
            payments::session(&world.log, &world.shop).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), async {
        tokio::select! {
            ended = follow => ended.unwrap(),
            () = append => {}
        }
    })
    .await
    .unwrap();
    let positions: Vec<u64> = told
        .into_inner()
        .unwrap()
        .iter()
        .filter_map(|followed| match followed {
            Followed::Event { position, .. } => Some(*position),
            Followed::Checkpoint { .. } => None,
        })
        .collect();
    assert!(positions[0] >= head, "what was there before is not followed");
    assert!(positions.is_sorted_by(|one, next| one + 1 == *next), "{positions:?}");

    let until = TailOptions { from: Some(2), until: Some(head), ..options };
    let count = AtomicUsize::new(0);
    let tell = |followed: &Followed| {
        count.fetch_add(usize::from(matches!(followed, Followed::Event { .. })), Ordering::SeqCst);
        true
    };
    replay_tool::tail(&world.admin, &until, &tell).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst) as u64, head - 2);
}
