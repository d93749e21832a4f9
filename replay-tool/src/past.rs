//! The log's events in order, from a snapshot of the database or from a bundle: for those who fold them and do not care which.

use crate::{bundle::Bundle, class::Failure, state::failure};
use events::{log::Log, vocab::stream::Recorded};
use projections::state::{Snapshot, StateError};

/// Bytes of a bundle that are read at a time.
const PAGE_BYTES: usize = 1 << 20;

/// Where events come from.
pub(crate) enum Past {
    /// The database, as of one moment.
    Live(Snapshot),
    /// A bundle from the first event on. Its files are held against its manifest as they are read; what the manifest says is for
    /// `verify`.
    Bundled(Box<Bundle>, u64),
}

impl Past {
    /// The bundle, if it begins with the log.
    pub fn of_bundle(bundle: Bundle, vkey: &str) -> Result<Self, Failure> {
        let (from, size, _) = bundle.signed_by(vkey)?;
        match from {
            0 => Ok(Past::Bundled(Box::new(bundle), size)),
            from => Err(Failure::Input(format!("the bundle begins at position {from}: what it folds to needs the events before"))),
        }
    }

    /// How many events there are.
    pub async fn size(&mut self) -> Result<u64, Failure> {
        match self {
            Past::Live(snapshot) => {
                let head = Log::head_on(snapshot.connection()).await.map_err(|_| Failure::Unreadable("the head of the log"))?;
                Ok(head.next_position)
            }
            Past::Bundled(_, size) => Ok(*size),
        }
    }

    /// Some of the events from position `from` on, which is where the page before ended.
    pub async fn next(&mut self, from: u64) -> Result<Vec<Recorded>, Failure> {
        let page = match self {
            Past::Live(snapshot) => snapshot.events(from).await.map_err(failure)?,
            Past::Bundled(bundle, _) => bundle.next_recorded(PAGE_BYTES)?,
        };
        match page.first() {
            Some(first) if first.position == from => Ok(page),
            _ => Err(failure(StateError::Gap(from))),
        }
    }
}
