//! Reads that are fresh enough: `Hilt-Position` on every write, `Hilt-Min-Position` on a read, and an owner always reads his own
//! writes (CV-13).

use super::problem::{Code, Problem};
use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
};
use events::{log::Log, vocab::id::OwnerId};
use projections::runner::Projections;
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
    time::Duration,
};

/// Position of the last event of a write.
pub const HILT_POSITION: HeaderName = HeaderName::from_static("hilt-position");
/// The position a read must have reached.
pub const HILT_MIN_POSITION: HeaderName = HeaderName::from_static("hilt-min-position");
/// How long a read waits for its read model.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last position each owner wrote through this process.
#[derive(Clone, Default)]
pub struct OwnWrites(Arc<RwLock<HashMap<OwnerId, u64>>>);

impl OwnWrites {
    /// `owner` wrote up to `position`.
    pub fn wrote(&self, owner: OwnerId, position: u64) {
        if let Ok(mut positions) = self.0.write() {
            let last = positions.entry(owner).or_default();
            *last = position.max(*last);
        }
    }
    /// The last position that `owner` wrote.
    pub fn last(&self, owner: OwnerId) -> Option<u64> {
        self.0.read().ok().and_then(|positions| positions.get(&owner).copied())
    }
}

/// What the request says about freshness.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MinPosition(pub Option<u64>);

impl MinPosition {
    /// This, or everything that the log holds now: for callers whose own writes cannot be told from others'.
    pub fn or_head(self, log: &Log) -> Self {
        MinPosition(self.0.max(log.watch_head().borrow().checked_sub(1)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MinPosition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(&HILT_MIN_POSITION) else { return Ok(MinPosition(None)) };
        let position = value.to_str().ok().and_then(|text| text.parse().ok());
        position
            .map(|position| MinPosition(Some(position)))
            .ok_or_else(|| Problem::field(Code::ValidationFailed, "Hilt-Min-Position", "a position is a whole number"))
    }
}

/// Read models, no older than the caller may expect.
#[derive(Clone)]
pub struct Fresh {
    projections: Projections,
    own_writes: OwnWrites,
}

impl Fresh {
    /// Reads of `projections`.
    pub fn new(projections: Projections, own_writes: OwnWrites) -> Self {
        Fresh { projections, own_writes }
    }
    /// Returns when projection `name` has reached `position`, or after `patience`.
    pub async fn until(&self, name: &'static str, position: u64, patience: Duration) {
        let _ = self.projections.wait_for(name, position, patience).await;
    }
    /// Returns when projection `name` has everything that `owner` wrote through this process and whatever the request asks for.
    pub async fn wait(&self, name: &'static str, owner: Option<OwnerId>, min: MinPosition) -> Result<(), Problem> {
        let Some(position) = owner.and_then(|owner| self.own_writes.last(owner)).max(min.0) else { return Ok(()) };
        match self.projections.wait_for(name, position, PATIENCE).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Problem::new(Code::ProjectionBehind, format!("{name} has not reached position {position}")).retry_after(1)),
        }
    }
}
