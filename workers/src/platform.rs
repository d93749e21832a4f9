//! The platform's rails as they now stand: what the service was built with, under the policy that the log holds (INV-31).
//!
//! Commands read the policy's stream, so a tripped switch is overlooked by none that begins after it; one that was under way then
//! fails to commit if it relies on what it read ([`Unit::rely_on`](events::unit::Unit::rely_on)). Answers that only show a rail may
//! be [`SHOWN_FOR`] behind.

use events::{
    decider::Decider as _,
    log::{Log, ReadError},
    unit::{Loaded, load},
};
use ledger::{platform, rails::Rails};
use std::{
    sync::{Arc, RwLock},
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};

/// For how long what was read may be shown: no process shows a rail as it was longer ago.
pub const SHOWN_FOR: Duration = Duration::from_millis(200);

/// Tells how the rails stand.
#[derive(Clone)]
pub struct Platform {
    log: Log,
    built_with: Arc<Rails>,
    seen: Arc<RwLock<Option<Seen>>>,
    /// Held by the one caller that reads for what is shown.
    turn: Arc<Mutex<()>>,
    history: Arc<RwLock<History>>,
}

/// How the rails stood, by the position of each change of the policy.
#[derive(Default)]
struct History {
    /// Up to here it is whole.
    known_to: Option<u64>,
    /// In the order of the log.
    changes: Vec<(u64, Arc<Rails>)>,
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
        Platform { log, built_with: Arc::new(rails), seen: Arc::default(), turn: Arc::default(), history: Arc::default() }
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

    /// The rails as they stood at most [`SHOWN_FOR`] ago: what answers show. One caller reads for all, and while they are asked for it
    /// reads ahead, so that busy routes do not wait for the log.
    pub async fn shown(&self) -> Result<Arc<Rails>, ReadError> {
        if let Some((since, rails)) = self.seen_lately() {
            if since.elapsed() >= SHOWN_FOR / 2 {
                self.read_ahead();
            }
            return Ok(rails);
        }
        let _turn = self.turn.lock().await;
        match self.seen_lately() {
            Some((_, rails)) => Ok(rails),
            None => self.rails().await,
        }
    }

    fn seen_lately(&self) -> Option<Seen> {
        let seen = self.seen.read().ok().and_then(|seen| seen.clone());
        seen.filter(|(since, _)| since.elapsed() < SHOWN_FOR)
    }

    fn read_ahead(&self) {
        let Ok(turn) = self.turn.clone().try_lock_owned() else { return };
        let platform = self.clone();
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = platform.standing().await {
                tracing::warn!(%error, "the rails could not be read ahead; whoever asks next reads them");
            }
        });
    }

    /// As they stood when the event at `position` was recorded: what is told of that event, whenever it is told.
    pub async fn at(&self, position: u64) -> Result<Arc<Rails>, ReadError> {
        if let Ok(history) = self.history.read()
            && history.known_to.is_some_and(|known_to| position <= known_to)
        {
            return Ok(history.at(position, &self.built_with));
        }
        // Taken before the read. Whatever comes before an event that is in the log is in the log too.
        let known_to = self.log.known_head().saturating_sub(1).max(position);
        let mut history = History { known_to: Some(known_to), changes: Vec::new() };
        let mut policy = platform::Platform::default();
        for recorded in self.log.read_stream(platform::stream(), 0).await? {
            let event = recorded.decode().map_err(|source| ReadError::Codec { position: recorded.position, source })?;
            policy = platform::Platform::evolve(policy, &event);
            history.changes.push((recorded.position, Arc::new(self.built_with.under(&policy))));
        }
        let rails = history.at(position, &self.built_with);
        if let Ok(mut known) = self.history.write()
            && known.known_to < history.known_to
        {
            *known = history;
        }
        Ok(rails)
    }
}

impl History {
    fn at(&self, position: u64, built_with: &Rails) -> Arc<Rails> {
        let before = self.changes.iter().rev().find(|(changed, _)| *changed < position);
        before.map_or_else(|| Arc::new(built_with.under(&platform::Platform::default())), |(_, rails)| rails.clone())
    }
}
