//! A database that breaks off, is slow, or is full of waiting appends.

use events::{
    clock::new_id,
    log::{AppendError, LogOptions},
};
use hilt_tests::{db::Database, keyed, verify};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

#[tokio::test]
async fn a_broken_connection_loses_nothing_and_doubles_nothing() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let admin = database.admin_pool().await;
    let done = Arc::new(AtomicBool::new(false));
    let breaker = tokio::spawn({
        let done = done.clone();
        async move {
            let mut broken: i64 = 0;
            while !done.load(Ordering::SeqCst) {
                broken += sqlx::query_scalar::<_, i64>(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                     WHERE application_name = 'hilt writer' AND datname = current_database()",
                )
                .fetch_one(&admin)
                .await
                .unwrap();
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
            broken
        }
    });
    let workers = (0..16).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            let mut appended = Vec::new();
            for _ in 0..120 {
                let id: Uuid = new_id();
                appended.push((id, keyed::insist(&log, id).await.unwrap()));
            }
            appended
        })
    });
    let appended: Vec<_> = futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    done.store(true, Ordering::SeqCst);
    let broken = breaker.await.unwrap();
    assert!(broken > 5, "only {broken} connections were broken");
    let events = verify::whole_log(&log).await;
    assert_eq!(events.len(), appended.len() * 2);
    for (id, appended) in appended {
        assert!(!appended.repeated, "nobody repeated this one");
        assert_eq!(events[appended.first_position as usize].envelope.event_id, keyed::event_ids(id)[0]);
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_keeps_what_it_took() {
    let database = Database::fresh().await;
    let log = database.log_with(LogOptions { queue_requests: 4, batch_requests: 1, ..LogOptions::default() }).await;
    log.append(keyed::append(new_id())).await.unwrap();
    // Whoever holds the head holds every append.
    let mut holder = database.admin_pool().await.begin().await.unwrap();
    sqlx::query("SELECT FROM log.head FOR UPDATE").execute(&mut *holder).await.unwrap();
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move { log.append(keyed::append(new_id())).await })
        })
        .collect();
    let refused = || waiting.iter().filter(|task| task.is_finished()).count();
    // There is room for four, beside the one under way and one that the writer may hold.
    while refused() < 14 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let refused = refused();
    assert!(refused <= 16, "{refused} of 20 were refused");
    holder.rollback().await.unwrap();
    let mut kept = 0;
    for task in waiting {
        match task.await.unwrap() {
            Ok(_) => kept += 1,
            Err(AppendError::Overloaded { retry_after }) => assert_eq!(retry_after, Duration::from_secs(1)),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(kept, 20 - refused);
    assert_eq!(verify::whole_log(&log).await.len(), (kept + 1) * 2);
}

#[tokio::test]
async fn a_statement_without_answer_is_unavailable_and_cannot_write_later() {
    let database = Database::fresh().await;
    let log = database.log_with(LogOptions { deadline: Duration::from_millis(400), ..LogOptions::default() }).await;
    keyed::insist(&log, new_id()).await.unwrap();
    let mut holder = database.admin_pool().await.begin().await.unwrap();
    sqlx::query("SELECT FROM log.head FOR UPDATE").execute(&mut *holder).await.unwrap();
    let id: Uuid = new_id();
    let unavailable = log.append(keyed::append(id)).await.unwrap_err();
    assert!(matches!(unavailable, AppendError::Unavailable(_)), "{unavailable}");
    holder.rollback().await.unwrap();
    // The repeat finds the statement that was left behind written, or fenced off; never both.
    let repeat = keyed::insist(&log, id).await.unwrap();
    assert_eq!(repeat.last_position - repeat.first_position, 1);
    assert_eq!(verify::whole_log(&log).await.len(), 4);
}
