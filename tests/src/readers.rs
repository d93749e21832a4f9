//! A process of the service as the tests of relay and read models need it, and histories to feed it.

use crate::{db::Database, nats::Nats};
use events::{
    leader::Leases,
    log::{Append, Context, Expected, Log, NewEvent, StreamWrite},
    relay::{self, Relay, StreamConfig},
    vocab::{
        id::{OwnerId, SubjectId},
        stream::Actor,
    },
};
use projections::{
    Reader,
    runner::{Definition, Deps, Progress, Projections},
    testkit::{Sample, Written},
};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One process of the service, as far as these tests need it.
pub struct Process {
    /// What its readers of the log share.
    pub deps: Deps,
    /// Its relay.
    pub relay: Relay,
    /// Its projections.
    pub projections: Projections,
    shutdown: CancellationToken,
}

impl Process {
    /// Runs the relay and every projection.
    pub async fn start(database: &Database, nats: &Nats) -> Self {
        Process::start_with(database, nats, projections::ALL).await
    }

    /// Runs the relay and these projections.
    pub async fn start_with(database: &Database, nats: &Nats, definitions: &[Definition]) -> Self {
        let log = database.log().await;
        let pool = database.pool().await;
        let leases = Leases::new(pool.clone());
        let client = nats.connect().await;
        let stream = StreamConfig { prefix: "test".to_owned(), ..StreamConfig::default() };
        let relay = Relay::new(pool.clone(), log.clone(), client.clone(), leases.clone(), stream.clone());
        let vault = log.vault().clone();
        let deps = Deps { pool, log, vault, nats: Some(client), stream, leases };
        let projections = Projections::of(deps.clone(), definitions);
        let shutdown = CancellationToken::new();
        tokio::spawn(relay::run(relay.clone(), shutdown.clone()));
        projections.run(shutdown.clone());
        Process { deps, relay, projections, shutdown }
    }

    /// Stops it in good order.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.projections.stopped().await;
    }

    /// Its log.
    pub fn log(&self) -> &Log {
        &self.deps.log
    }

    /// Reads the live tables.
    pub fn reader(&self) -> Reader {
        Reader::new(self.deps.pool.clone())
    }

    /// Returns when every projection holds the event at `position`.
    pub async fn caught_up(&self, position: u64) {
        self.projections.wait_for_all(&self.projections.names(), position, PATIENCE).await.unwrap();
    }

    /// Returns when JetStream has the event at `position`.
    pub async fn relayed(&self, position: u64) {
        until("the relay has published", || self.relay.health().position == Some(position)).await;
    }

    /// Every end-to-end test closes with this.
    pub async fn rebuilt_equals_live(&self) {
        for name in self.projections.names() {
            let comparison = self.projections.compare(name, Progress::silent()).await.unwrap();
            assert_eq!(comparison.differences, [], "{name}");
        }
    }
}

/// Waits until it holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Appends the events at once and returns the last one's position.
pub async fn append(log: &Log, owner: OwnerId, events: &[Written]) -> u64 {
    let new = |written: &Written| NewEvent {
        event_id: written.event_id,
        event: written.event.clone(),
        personal: written.personal.clone(),
        causation_id: None,
    };
    let writes =
        events.iter().map(|written| StreamWrite { stream: written.stream, expected: Expected::Any, events: vec![new(written)] }).collect();
    let context =
        Context { owner_id: Some(owner), livemode: true, actor: Actor::system("test"), request_id: None, correlation_id: owner.0 };
    log.append(Append { context, writes, idempotency: None }).await.unwrap().last_position
}

/// A sample of a new merchant and a person the vault knows.
pub async fn sample(log: &Log) -> Sample {
    let owner: OwnerId = events::clock::new_id();
    let subject: SubjectId = log.vault().new_subject(owner).await.unwrap();
    Sample::of(owner, subject)
}

/// Appends that many samples, and returns the last and the log's last position.
pub async fn samples(log: &Log, count: usize) -> (Sample, u64) {
    let mut last = None;
    for _ in 0..count {
        let sample = sample(log).await;
        let position = append(log, sample.owner, &sample.events()).await;
        last = Some((sample, position));
    }
    last.unwrap()
}
