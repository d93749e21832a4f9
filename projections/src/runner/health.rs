//! What a projection or a subscription is doing, for `/readyz`, metrics and those who wait for it.

use super::slot::Poisoned;
use events::vocab::id::EventId;
use tokio::sync::watch;

/// What it is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Just started.
    Starting,
    /// Another process runs it.
    Standby,
    /// Its new version is being built; the old one goes on being read.
    Rebuilding,
    /// Following the log.
    Live,
    /// Something does not answer; trying again.
    Retrying {
        /// What.
        error: String,
    },
    /// An event cannot be folded. It waits for fixed code.
    Poisoned {
        /// The event's position.
        position: u64,
        /// The event.
        event_id: EventId,
        /// The rule that it breaks.
        reason: String,
    },
    /// A newer version of it is live: this process is the older program.
    Superseded,
    /// Asked to stop.
    Stopped,
}

impl State {
    pub(crate) fn poisoned(poisoned: &Poisoned) -> Self {
        let Poisoned { position, event_id, poison, .. } = poisoned;
        State::Poisoned { position: *position, event_id: *event_id, reason: poison.to_string() }
    }
    /// A word for metrics and health.
    pub fn as_str(&self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Standby => "standby",
            State::Rebuilding => "rebuilding",
            State::Live => "live",
            State::Retrying { .. } => "retrying",
            State::Poisoned { .. } => "poisoned",
            State::Superseded => "superseded",
            State::Stopped => "stopped",
        }
    }
}

/// A snapshot of one reader of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReaderHealth {
    /// Its name.
    pub name: String,
    /// The version of its code; 0 for a subscription.
    pub version: i32,
    /// What it is doing.
    pub state: State,
    /// Position of the last event applied.
    pub checkpoint: Option<u64>,
    /// Events committed and not yet applied, as this process knows.
    pub lag: u64,
    /// Whether events come through JetStream now.
    pub streaming: bool,
}

/// What one reader last said of itself.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub state: State,
    pub checkpoint: i64,
    pub streaming: bool,
}

/// Where one reader says how it is.
#[derive(Clone)]
pub(crate) struct Board {
    pub name: String,
    pub version: i32,
    status: watch::Sender<Status>,
}

impl Board {
    pub(crate) fn new(name: impl Into<String>, version: i32) -> Self {
        let status = Status { state: State::Starting, checkpoint: -1, streaming: false };
        Board { name: name.into(), version, status: watch::Sender::new(status) }
    }
    pub(crate) fn note(&self, state: State) {
        metrics::gauge!("hilt_reader_poisoned", "reader" => self.name.clone()).set(f64::from(u8::from(state.as_str() == "poisoned")));
        self.status.send_if_modified(|status| std::mem::replace(&mut status.state, state.clone()) != state);
    }
    pub(crate) fn reached(&self, checkpoint: i64, streaming: bool, head: u64) {
        self.status.send_modify(|status| {
            status.checkpoint = checkpoint;
            status.streaming = streaming;
        });
        let behind = head.saturating_sub(u64::try_from(checkpoint + 1).unwrap_or(0));
        metrics::gauge!("hilt_reader_lag_events", "reader" => self.name.clone()).set(behind as f64);
    }
    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }
    pub(crate) fn health(&self, head: u64) -> ReaderHealth {
        let status = self.status.borrow().clone();
        let next = u64::try_from(status.checkpoint + 1).unwrap_or(0);
        ReaderHealth {
            name: self.name.clone(),
            version: self.version,
            state: status.state,
            checkpoint: next.checked_sub(1),
            lag: head.saturating_sub(next),
            streaming: status.streaming,
        }
    }
}
