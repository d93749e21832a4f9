//! What the relay says of itself.

/// What the relay is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelayState {
    /// Another process has the role, or this one has just started.
    Standby,
    /// Publishing what is committed.
    Leading,
    /// Something does not answer; trying again.
    Retrying,
}

/// A snapshot for `/readyz`. Positions count from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RelayHealth {
    /// What it is doing.
    pub state: RelayState,
    /// Position of the last event that JetStream acknowledged.
    pub position: Option<u64>,
    /// The log's next position, as this process knows it.
    pub head: u64,
    /// How often the stream was found lost, wholly or in part, and filled again.
    pub refills: u64,
    /// Why it is trying again.
    pub last_error: Option<String>,
}

impl RelayHealth {
    /// Events committed and not yet published.
    pub fn lag(&self) -> u64 {
        self.head.saturating_sub(self.position.map_or(0, |position| position + 1))
    }
}
