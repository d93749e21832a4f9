//! A process that dies at any step of an append leaves nothing half-done, and loses nothing that it acknowledged.
#![cfg(feature = "failpoints")]

use events::{
    log::{Log, Step},
    vocab::id::EventId,
};
use hilt_tests::{db::Database, history::OWNER, keyed, verify};
use std::{
    collections::HashSet,
    process::{Command, Stdio},
};
use uuid::Uuid;

/// Ids that a process was going to append, and those that it was told are appended.
fn crash(url: &str, step: Step, count: u64) -> (Vec<Uuid>, Vec<Uuid>) {
    let output = Command::new(env!("CARGO_BIN_EXE_appender"))
        .args(["keyed", url, "100000"])
        .env("HILT_FAIL_POINT", format!("{}:{count}", step.name()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success(), "the process was to die at {step:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let ids = |word: &str| text.lines().filter_map(|line| line.strip_prefix(word)?.trim().parse().ok()).collect();
    (ids("try "), ids("ack "))
}

async fn writers(log: &Log) -> i64 {
    let statement = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hilt writer' AND datname = current_database()";
    sqlx::query_scalar(statement).fetch_one(log.pool()).await.unwrap()
}

#[tokio::test]
async fn a_crash_at_every_step_leaves_all_or_nothing() {
    for step in Step::ALL {
        for count in [1, 2, 17] {
            let database = Database::fresh().await;
            let url = database.service_url().to_owned();
            let (tried, acknowledged) = tokio::task::spawn_blocking(move || crash(&url, step, count)).await.unwrap();
            assert!(!tried.is_empty());
            let log = database.log().await;
            // A statement that was sent may still be running.
            while writers(&log).await > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            let before: HashSet<EventId> = verify::whole_log(&log).await.iter().map(|event| event.envelope.event_id).collect();
            for id in &acknowledged {
                assert!(keyed::event_ids(*id).iter().all(|event| before.contains(event)), "{step:?}: an acknowledged append is lost");
            }
            for id in &tried {
                let [first, second] = keyed::event_ids(*id).map(|event| before.contains(&event));
                assert_eq!(first, second, "{step:?}: half an append");
                let repeat = keyed::insist(&log, *id).await.unwrap();
                assert!(repeat.repeated || !first, "{step:?}: appended twice");
                let answer = log.find_answer(OWNER, keyed::OPERATION, &id.to_string()).await.unwrap().unwrap();
                assert_eq!((answer.body, answer.position), (id.as_bytes().to_vec(), repeat.last_position), "{step:?}");
            }
            let after = verify::whole_log(&log).await;
            assert_eq!(after.len(), tried.len() * 2, "{step:?}: nothing lost, nothing doubled");
        }
    }
}
