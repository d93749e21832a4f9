//! A process that appends, for tests that start several or end one in the middle.
//!
//! `appender history <url> <count>` makes random appends, four at a time, and prints each with its outcome as a line of JSON.
//! `appender keyed <url> <count>` appends under idempotency keys, sixteen at a time, and prints `try <id>` before and `ack <id>`
//! after each.

use hilt_tests::{db::open_log, history, keyed};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, url, count] = arguments.as_slice() else { panic!("appender history|keyed <url> <count>") };
    let count: u64 = count.parse().expect("a count");
    let log = open_log(url).await;
    let left = Arc::new(AtomicU64::new(count));
    let workers = if mode == "history" { 4 } else { 16 };
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let (log, left, mode) = (log.clone(), left.clone(), mode.clone());
            tokio::spawn(async move {
                while left.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                    match mode.as_str() {
                        "history" => println!("{}", serde_json::to_string(&history::step(&log).await).expect("records are plain")),
                        _ => keyed::step(&log).await,
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no append panics");
    }
}
