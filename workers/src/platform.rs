//! The platform's rails as they now stand: what the service was built with, under the policy that the log holds (INV-31).
//!
//! Commands read the policy's stream, so a tripped switch is overlooked by none that begins after it; one that was under way then
//! fails to commit if it relies on what it read ([`Unit::rely_on`](events::unit::Unit::rely_on)). Answers that only show a rail may
//! be [`SHOWN_FOR`] behind.

use events::{
    log::{Log, ReadError},
    unit::{Loaded, load},
};
use ledger::{platform, rails::Rails};
use std::{
    sync::{Arc, RwLock},
    time::Duration,
};
use tokio::time::Instant;

/// For how long what was read may be shown: no process shows a rail as it was longer ago.
pub const SHOWN_FOR: Duration = Duration::from_millis(200);

/// Tells how the rails stand.
#[derive(Clone)]
pub struct Platform {
    log: Log,
    built_with: Arc<Rails>,
    seen: Arc<RwLock<Option<Seen>>>,
}

/// The rails, and when they were read.
type Seen = (Instant, Arc<Rails>);

/// The policy as it was read, and the rails under it.
pub struct Standing {
    /// The stream of the policy: what a command on the rails relies on.
    pub policy: Loaded<platform::Platform>,
    /// The rails under it.
    pub rails: Arc<Rails>,
}

impl Platform {
    /// The rails that the service was built with, under the policy in `log`.
    pub fn new(log: Log, rails: Rails) -> Self {
        Platform { log, built_with: Arc::new(rails), seen: Arc::default() }
    }

    /// What the service was built with, whatever the policy says.
    pub fn built_with(&self) -> &Rails {
        &self.built_with
    }

    /// The policy and the rails at this moment.
    pub async fn standing(&self) -> Result<Standing, ReadError> {
        // Taken before the read: what is shown is no older than it says.
        let since = Instant::now();
        let policy = load::<platform::Platform>(&self.log, platform::stream()).await?;
        let rails = Arc::new(self.built_with.under(&policy.state));
        if let Ok(mut seen) = self.seen.write()
            && seen.as_ref().is_none_or(|(before, _)| *before < since)
        {
            *seen = Some((since, rails.clone()));
        }
        Ok(Standing { policy, rails })
    }

    /// The rails at this moment: what commands decide on.
    pub async fn rails(&self) -> Result<Arc<Rails>, ReadError> {
        Ok(self.standing().await?.rails)
    }

    /// The rails as they stood at most [`SHOWN_FOR`] ago: what answers show.
    pub async fn shown(&self) -> Result<Arc<Rails>, ReadError> {
        let seen = self.seen.read().ok().and_then(|seen| seen.clone());
        match seen {
            Some((since, rails)) if since.elapsed() < SHOWN_FOR => Ok(rails),
            _ => self.rails().await,
        }
    }
}
