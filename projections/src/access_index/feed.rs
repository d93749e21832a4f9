//! Keeps the index current: fills it from the read models, then follows the log, position by position.

use super::{
    Shared, State,
    index::{self, Index},
    links::Identity,
    load::{self, LoadError},
};
use crate::runner::{Applied, Poison};
use events::{
    codec::CodecError,
    log::{Log, ReadError},
    vault::VaultError,
    vocab::{event::Event, id::SubjectId, personal::Personal, stream::Recorded},
};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Events read at a time.
const BATCH: u64 = 1_000;
/// Events folded while readers wait.
const TURN: usize = 64;
/// How often the head is asked for although nobody tells of commits: it proves that nothing was missed.
const POLL: Duration = Duration::from_millis(200);
/// How long the database may take.
const PATIENCE: Duration = Duration::from_millis(800);
/// How long a first fill may take.
const LOADING: Duration = Duration::from_secs(600);
/// Between tries after a failure.
const PAUSE: Duration = Duration::from_millis(100);

/// Why the index cannot go on for now.
#[derive(Debug, thiserror::Error)]
enum Setback {
    #[error("{0}")]
    Load(#[from] LoadError),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Vault(#[from] VaultError),
    #[error("the event at position {0} cannot be read: {1}")]
    Codec(u64, CodecError),
    #[error("the event at position {0} cannot be folded: {1}")]
    Poison(u64, Poison),
    #[error("the log has no event at position {0}, and later ones")]
    Missing(u64),
    #[error("the database does not answer in time")]
    Slow,
    /// The log is another one, or shorter than what was read of it.
    #[error("the log ends before what was read of it")]
    Replaced,
}

/// Runs until `stop`.
pub(super) async fn run(shared: Arc<Shared>, log: Log, stop: CancellationToken) {
    // A connection of its own: when all others are busy answering in its stead, the index must still come back.
    let options = (*log.pool().connect_options()).clone().application_name("hilt access index");
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options);
    let mut feed = Feed { shared, log, pool, asked_at: None };
    stop.run_until_cancelled(async {
        loop {
            let setback = match feed.load().await {
                Ok(()) => feed.follow().await,
                Err(setback) => setback,
            };
            feed.shared.note(State::Loading, Some(&setback));
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
}

struct Feed {
    shared: Arc<Shared>,
    log: Log,
    pool: PgPool,
    /// When the head was asked for last.
    asked_at: Option<Instant>,
}

impl Feed {
    async fn load(&mut self) -> Result<(), Setback> {
        let begun = Instant::now();
        // The old one is of no use any more; two would need twice the memory.
        self.shared.replace(Index::new(index::Loaded::default()), 0);
        let loading = load::load(&self.pool, self.log.vault());
        let (index, from) = tokio::time::timeout(LOADING, loading).await.map_err(|_| Setback::Slow)??;
        let (products, entitlements, memberships) = index.counts();
        let bytes = index.bytes();
        self.shared.replace(index, from);
        let taken = begun.elapsed();
        self.shared.loaded_in(taken);
        let taken_ms = u64::try_from(taken.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(products, entitlements, memberships, bytes, taken_ms, "the access index is filled");
        Ok(())
    }

    /// Follows the log until it has to be filled anew.
    async fn follow(&mut self) -> Setback {
        let mut head = self.log.watch_head();
        loop {
            let known = *head.borrow_and_update();
            match self.step(known).await {
                Ok(true) => {}
                Ok(false) => {
                    // Nothing is left to read. Whoever ends the log's follower ends this too.
                    let _ = tokio::time::timeout(POLL, head.changed()).await;
                }
                Err(Setback::Replaced) => return Setback::Replaced,
                Err(setback) => {
                    self.shared.note(State::Broken, Some(&setback));
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Reads and folds what there is, at most one batch; whether there may be more.
    async fn step(&mut self, known: u64) -> Result<bool, Setback> {
        let next = self.shared.next();
        let mut end = known;
        let mut proven = None;
        if self.asked_at.is_none_or(|at| at.elapsed() >= POLL) {
            let asked = Instant::now();
            let head = within(Log::head_on(&self.pool)).await?.next_position;
            if head < next {
                return Err(Setback::Replaced);
            }
            (end, proven, self.asked_at) = (end.max(head), Some((head, asked)), Some(asked));
        }
        if end > next {
            let events = within(Log::read_range_on(&self.pool, next..next + BATCH)).await?;
            if events.is_empty() {
                return Err(Setback::Missing(next));
            }
            self.fold(events).await?;
        }
        let next = self.shared.next();
        if let Some((head, asked)) = proven {
            match next >= head {
                true => self.shared.confirm(asked),
                // Asked again at once: what is missing was committed before, and only then is it known to be all.
                false => self.asked_at = None,
            }
        }
        self.shared.note(if next >= end { State::Live } else { State::CatchingUp }, None);
        Ok(next < end || self.shared.sweep())
    }

    async fn fold(&mut self, events: Vec<Recorded>) -> Result<(), Setback> {
        let prepared = self.prepare(events).await?;
        for turn in prepared.chunks(TURN) {
            self.shared.fold(turn)?;
        }
        Ok(())
    }

    /// Decodes what matters, and finds out what leads to it.
    async fn prepare(&self, events: Vec<Recorded>) -> Result<Vec<Prepared>, Setback> {
        let vault = self.log.vault();
        let mut prepared = Vec::with_capacity(events.len());
        for recorded in events {
            let handled = index::handles(recorded.envelope.event_type);
            let decoded = handled.then(|| recorded.decode()).transpose();
            let event = decoded.map_err(|error| Setback::Codec(recorded.position, error))?;
            prepared.push(Prepared { recorded, event, identities: Vec::new(), members: Vec::new() });
        }
        let is_new = |one: &&mut Prepared| matches!(one.event, Some(Event::EntitlementPended(_)));
        let sealed: Vec<Recorded> = prepared.iter_mut().filter(is_new).map(|one| one.recorded.clone()).collect();
        let opened = if sealed.is_empty() { Vec::new() } else { vault.open_all(&sealed).await? };
        for (one, personal) in prepared.iter_mut().filter(is_new).zip(opened) {
            one.identify(self.log.vault(), personal.unwrap_or_default());
        }
        // A person's identities are linked before the first event that he is in: whoever is or becomes a member is looked up then.
        let people: BTreeSet<SubjectId> = prepared.iter().filter_map(Prepared::person).collect();
        let members: BTreeSet<SubjectId> = {
            let joining: BTreeSet<SubjectId> = prepared.iter().filter_map(Prepared::joins).collect();
            let index = self.shared.read();
            people.into_iter().filter(|person| joining.contains(person) || index.is_member(*person)).collect()
        };
        if !members.is_empty() {
            let known = load::members_identities(vault, &members.into_iter().collect::<Vec<_>>()).await?;
            for one in &mut prepared {
                let Some(person) = one.person() else { continue };
                one.members = known.iter().filter(|(of, _)| *of == person).copied().collect();
            }
        }
        Ok(prepared)
    }
}

/// An event ready to be folded.
pub(super) struct Prepared {
    recorded: Recorded,
    event: Option<Event>,
    /// What the entitlement that begins with it is found by.
    identities: Vec<Identity>,
    /// What the memberships of its person are found by.
    members: Vec<(SubjectId, Identity)>,
}

impl Prepared {
    fn identify(&mut self, vault: &events::vault::Vault, personal: Personal) {
        let (Some(Event::EntitlementPended(e)), Some(owner)) = (&self.event, self.recorded.envelope.owner_id) else { return };
        let storable = |text: Option<String>| text.map(|text| text.replace('\0', "\u{FFFD}"));
        let (id, email) = (storable(personal.external_customer_id), storable(personal.email));
        self.identities = load::identities(vault, owner, id.as_deref(), e.wallet.as_deref(), email.as_deref());
    }

    /// The person whose identities may have become more.
    fn person(&self) -> Option<SubjectId> {
        match &self.event {
            Some(Event::EntitlementPended(e)) => Some(e.subject_id),
            _ => self.joins(),
        }
    }

    fn joins(&self) -> Option<SubjectId> {
        match &self.event {
            Some(Event::MembershipActivated(e)) => Some(e.subject_id),
            Some(Event::MembershipRenewed(e)) => Some(e.subject_id),
            _ => None,
        }
    }
}

impl Shared {
    /// Folds these in while readers wait.
    fn fold(&self, events: &[Prepared]) -> Result<(), Setback> {
        let mut index = self.write();
        let mut next = self.next();
        let mut outcome = Ok(());
        for one in events {
            if let Some(event) = &one.event {
                let applied = Applied { recorded: &one.recorded, event, personal: None };
                if let Err(poison) = index.apply(&applied, &one.identities) {
                    outcome = Err(Setback::Poison(one.recorded.position, poison));
                    break;
                }
                one.members.iter().for_each(|(person, identity)| index.identify(*person, identity));
            }
            next = one.recorded.position + 1;
        }
        self.reached(next);
        outcome
    }

    /// Drops a part of what still leads to erased people; whether there may be more.
    fn sweep(&self) -> bool {
        self.read().has_unswept() && self.write().sweep()
    }
}

async fn within<T>(reading: impl Future<Output = Result<T, ReadError>>) -> Result<T, Setback> {
    Ok(tokio::time::timeout(PATIENCE, reading).await.map_err(|_| Setback::Slow)??)
}
