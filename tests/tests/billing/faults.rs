//! Stripe away, slow, broken, or with another key: the answer says so, and nothing has changed.

use super::office::{Office, SESSIONS};
use hilt_tests::stripe::{Fault, KEY};
use serde_json::json;
use std::{
    io,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Everything that this program logs.
fn logged() -> &'static Mutex<Vec<u8>> {
    static LOGGED: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    LOGGED.get_or_init(Mutex::default)
}

struct Kept(MutexGuard<'static, Vec<u8>>);
impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn keep_logs() {
    let writer = || Kept(logged().lock().unwrap_or_else(PoisonError::into_inner));
    // Another test of this program may have done it.
    let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(writer).with_ansi(false).try_init();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_by_itself_is_tried_again_under_the_same_key() {
    let office = Office::open().await;
    office.stripe.fails([Fault::TooMany, Fault::Broken], None);
    office.checkout("growth", "monthly").await.ok();
    let made = office.stripe.calls("POST /v1/customers");
    assert_eq!(made.len(), 3);
    assert!(made.iter().all(|call| call.idempotency_key.is_some() && call == &made[0]), "a repeat is the same request: {made:?}");
    assert_eq!(office.stripe.calls(SESSIONS).len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_stripe_is_away_nothing_changes_and_the_caller_is_told_to_wait() {
    keep_logs();
    let office = Office::open().await;
    let subscription = office.subscribed().await;
    let (before, shown) = (office.head().await, office.summary().await);
    office.stripe.becomes(&subscription, "past_due");
    for fault in [Fault::TooMany, Fault::Broken, Fault::Html] {
        office.stripe.fails([], Some(fault));
        for answer in [office.refresh().await, office.portal().await, office.checkout("growth", "yearly").await] {
            let problem = answer.refused(503, "stripe_unavailable");
            assert_eq!(problem["retryable"], json!(true), "{fault:?}: {problem}");
        }
    }
    assert_eq!((office.head().await, office.summary().await), (before, shown), "the summary needs nobody");
    office.stripe.fails([], None);
    assert_eq!(office.refresh().await.ok()["billing_status"], json!("past_due"));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_is_not_waited_for_for_ever() {
    let office = Office::open().await;
    let before = office.head().await;
    office.stripe.fails([], Some(Fault::Hang));
    office.checkout("growth", "monthly").await.refused(503, "stripe_unavailable");
    assert_eq!((office.head().await, office.stripe.asked()), (before, 1), "whoever has waited is not made to wait again");
    office.stripe.fails([], None);
    office.checkout("growth", "monthly").await.ok();
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_stripe_does_not_take_is_told_to_the_operator_alone() {
    keep_logs();
    let wrong = "sk_test_51KeyOfSomebodyElse";
    let office = Office::with(&[("HILT_STRIPE_SECRET_KEY", wrong)]).await;
    let before = office.head().await;
    let problem = office.checkout("growth", "monthly").await.refused(503, "stripe_refused");
    assert_eq!(problem.get("retryable"), None, "waiting does not mend it: {problem}");
    assert_eq!((office.head().await, office.stripe.asked()), (before, 1));
    assert!(!problem.to_string().contains("sk_test"), "{problem}");
    office.close().await;

    let office = Office::open().await;
    let url = office.checkout("growth", "monthly").await.ok()["checkout_url"].as_str().unwrap().to_owned();
    office.close().await;
    let text = String::from_utf8(logged().lock().unwrap().clone()).unwrap();
    assert!(text.contains("Stripe refuses"), "what happened is logged");
    for secret in [wrong, KEY, url.as_str(), "of_a_secret_name"] {
        assert!(!text.contains(secret), "a log line holds {secret}");
    }
}
