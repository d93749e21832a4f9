//! What a worker is doing, for `/readyz` and metrics. No names of receivers, no personal data.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a worker is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WorkerState {
    /// Another process does the work, or this one has just started.
    Standby,
    /// At work.
    Leading,
    /// Something does not answer; trying again.
    Retrying {
        /// What.
        error: String,
    },
    /// Asked to stop.
    Stopped,
}

impl WorkerState {
    /// A word for metrics and health.
    pub fn as_str(&self) -> &'static str {
        match self {
            WorkerState::Standby => "standby",
            WorkerState::Leading => "leading",
            WorkerState::Retrying { .. } => "retrying",
            WorkerState::Stopped => "stopped",
        }
    }
}

/// A snapshot of one worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkerHealth {
    /// Its name.
    pub name: &'static str,
    /// What it is doing.
    pub state: WorkerState,
    /// Pieces of work that wait, now or until their time.
    pub queued: usize,
    /// Pieces of work under way.
    pub under_way: usize,
}

/// Where one worker says how it is.
#[derive(Clone)]
pub struct Board(Arc<Mutex<WorkerHealth>>);

impl Board {
    /// The board of the worker of that name.
    pub fn new(name: &'static str) -> Self {
        Board(Arc::new(Mutex::new(WorkerHealth { name, state: WorkerState::Standby, queued: 0, under_way: 0 })))
    }
    /// The worker's name.
    pub fn name(&self) -> &'static str {
        self.lock().name
    }
    /// It leads.
    pub fn leading(&self) {
        self.note(WorkerState::Leading);
    }
    /// It does something else; what it had to do is not known here any more unless it leads.
    pub fn note(&self, state: WorkerState) {
        let mut health = self.lock();
        if state != WorkerState::Leading {
            (health.queued, health.under_way) = (0, 0);
        }
        metrics::gauge!("hilt_worker_leading", "worker" => health.name).set(f64::from(u8::from(state == WorkerState::Leading)));
        health.state = state;
    }
    /// How much it has to do.
    pub fn queue(&self, queued: usize, under_way: usize) {
        let mut health = self.lock();
        if (health.queued, health.under_way) != (queued, under_way) {
            (health.queued, health.under_way) = (queued, under_way);
            metrics::gauge!("hilt_worker_queue", "worker" => health.name).set(queued as f64);
        }
    }
    /// The snapshot.
    pub fn health(&self) -> WorkerHealth {
        self.lock().clone()
    }
    fn lock(&self) -> MutexGuard<'_, WorkerHealth> {
        // A snapshot is whole whoever panicked while writing the one before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
