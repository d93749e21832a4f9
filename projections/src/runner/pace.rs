//! When a checkpoint is written although nothing but it has changed.
//!
//! Most events matter to one or two readers of the log, and all the others only pass them. Were each to write that down at once, every
//! event would cost as many transactions as there are readers. What a reader has passed is known in its process at once; other
//! processes read it in the checkpoint, at once where events are few, and a moment later where they are many.

use std::time::{Duration, Instant};

/// How often a reader writes down what it has only passed, at most.
const EVERY: Duration = Duration::from_millis(100);

/// How far a reader is, and how far the database knows it to be.
pub(crate) struct Pace {
    /// Position of the last event that was applied or passed; -1 before the first.
    pub reached: i64,
    /// What the database says.
    written: i64,
    written_at: Option<Instant>,
}

impl Pace {
    /// Begins at the checkpoint in the database.
    pub(crate) fn new(checkpoint: i64) -> Self {
        Pace { reached: checkpoint, written: checkpoint, written_at: None }
    }

    /// The checkpoint in the database.
    pub(crate) fn written(&self) -> i64 {
        self.written
    }

    /// Notes that the database has `checkpoint` now.
    pub(crate) fn wrote(&mut self, checkpoint: i64) {
        *self = Pace { reached: checkpoint, written: checkpoint, written_at: Some(Instant::now()) };
    }

    /// Whether the database does not know yet how far the reader is.
    pub(crate) fn is_ahead(&self) -> bool {
        self.reached > self.written
    }

    /// Returns when the database should be told; never while it knows.
    pub(crate) async fn due(&self) {
        match self.written_at {
            _ if !self.is_ahead() => std::future::pending().await,
            Some(written) => tokio::time::sleep_until((written + EVERY).into()).await,
            None => {}
        }
    }

    /// Whether the database should be told now.
    pub(crate) fn is_due(&self) -> bool {
        self.is_ahead() && self.written_at.is_none_or(|written| written.elapsed() >= EVERY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_event_is_written_down_at_once_and_one_that_follows_soon_is_not() {
        let mut pace = Pace::new(4);
        assert!(!pace.is_due() && !pace.is_ahead(), "nothing has come");
        pace.reached = 5;
        assert!(pace.is_due());
        pace.wrote(5);
        pace.reached = 6;
        assert!(pace.is_ahead() && !pace.is_due());
        assert_eq!((pace.written(), pace.reached), (5, 6));
    }

    #[tokio::test]
    async fn what_was_not_written_down_is_due_later_and_nothing_else_is() {
        let mut pace = Pace::new(4);
        assert!(tokio::time::timeout(Duration::from_millis(1), pace.due()).await.is_err(), "the database knows");
        pace.wrote(5);
        pace.reached = 6;
        pace.due().await;
        assert!(pace.is_due());
    }
}
