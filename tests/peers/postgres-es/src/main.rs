//! Appends through `postgres-es`: each client fills streams of some events, each event in its turn, each awaited. Prints one JSON line.
//!
//! `peer-postgres-es <database url> <clients> <seconds> <events of a stream> <bytes of a payload>`

use cqrs_es::{
    Aggregate, DomainEvent,
    event_sink::EventSink,
    persist::{PersistedEventRepository as _, SerializedEvent},
};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// What the crate's README says to make.
const TABLE: &str = "CREATE TABLE events (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
    event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL, PRIMARY KEY (aggregate_type, aggregate_id, sequence)
)";

/// Whose events they are; nothing is decided by it.
#[derive(Default, Serialize, Deserialize)]
struct Session;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Authored;

impl DomainEvent for Authored {
    fn event_type(&self) -> String {
        "Authored".to_owned()
    }
    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Session {
    const TYPE: &'static str = "payment_session";
    type Command = ();
    type Event = Authored;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _: &EventSink<Self>) -> Result<(), Self::Error> {
        Ok(())
    }
    fn apply(&mut self, _: Authored) {}
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, clients, seconds, length, bytes] = arguments.as_slice() else { return Err("five arguments are needed".into()) };
    let (clients, seconds, length): (u32, u64, usize) = (clients.parse()?, seconds.parse()?, length.parse()?);
    let payload = serde_json::json!({ "data": "x".repeat(bytes.parse()?) });
    let pool = PgPoolOptions::new().max_connections(clients).min_connections(clients).connect(url).await?;
    sqlx::raw_sql(TABLE).execute(&pool).await?;
    let repository = Arc::new(PostgresEventRepository::new(pool));
    let (begun, turn) = (Instant::now(), Duration::from_secs(seconds));
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (repository, payload) = (repository.clone(), payload.clone());
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while begun.elapsed() < turn {
                    let id = Uuid::now_v7().to_string();
                    for sequence in 1..=length {
                        let event = SerializedEvent {
                            aggregate_id: id.clone(),
                            sequence,
                            aggregate_type: Session::TYPE.to_owned(),
                            event_type: "Authored".to_owned(),
                            event_version: "1".to_owned(),
                            payload: payload.clone(),
                            metadata: serde_json::json!({}),
                        };
                        let asked = Instant::now();
                        repository.persist::<Session>(&[event], None).await?;
                        taken.push(asked.elapsed().as_micros() as u64);
                    }
                }
                Ok::<_, cqrs_es::persist::PersistenceError>(taken)
            })
        })
        .collect();
    let mut taken = Vec::new();
    for task in tasks {
        taken.extend(task.await??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    taken.sort_unstable();
    let at = |permille: usize| taken.get(taken.len().saturating_sub(1) * permille / 1_000).copied().unwrap_or(0);
    let (events, p50, p99, p999) = (taken.len(), at(500), at(990), at(999));
    println!("{}", serde_json::json!({"events": events, "seconds": seconds, "p50_us": p50, "p99_us": p99, "p999_us": p999}));
    Ok(())
}
