//! Steps of an append at which a test can end the process. Without the feature `failpoints` nothing of it is compiled.

/// A step of an append.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The batch is decided and nothing is sent.
    BeforeStatement,
    /// The statement is on its way and its outcome is unknown.
    StatementSent,
    /// The batch is committed and nobody knows.
    Committed,
    /// Those who waited have their answers.
    Answered,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Step; 4] = [Step::BeforeStatement, Step::StatementSent, Step::Committed, Step::Answered];
    /// Its name in `HILT_FAIL_POINT`.
    pub const fn name(self) -> &'static str {
        match self {
            Step::BeforeStatement => "before_statement",
            Step::StatementSent => "statement_sent",
            Step::Committed => "committed",
            Step::Answered => "answered",
        }
    }
}

/// Aborts the process if `HILT_FAIL_POINT` is `<name>:<count>` and this is the count-th time that the step is reached.
#[cfg(feature = "failpoints")]
pub(super) fn reach(step: Step) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    };
    static TARGET: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let text = std::env::var("HILT_FAIL_POINT").ok()?;
        let (name, count) = text.split_once(':')?;
        Some((name.to_owned(), count.parse().ok()?))
    });
    static REACHED: AtomicU64 = AtomicU64::new(0);
    if let Some((name, count)) = &*TARGET
        && name == step.name()
        && REACHED.fetch_add(1, Ordering::SeqCst) + 1 == *count
    {
        std::process::abort();
    }
}

#[cfg(not(feature = "failpoints"))]
pub(super) fn reach(_: Step) {}
