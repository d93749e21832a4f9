//! Appends a second: clients that each fill short streams at expected versions, beside the same bytes written bare.

use super::{
    scratch::{self, BenchError},
    usage::own_cpu_seconds,
};
use events::{
    clock::{Clock, new_id},
    log::{Append, AppendError, Context, Expected, Log, LogOptions, NewEvent, StreamWrite},
    vault::{MasterKey, Vault},
    vocab::{
        bytes::{Hash32, SolanaAddress},
        event::{PaymentRequirementAuthored, RequiredTransfer},
        id::EventId,
        money::{FeeBps, Minor},
        rail::RailId,
        stream::{Actor, Category, Recorded, StreamId},
        words::TransferRole,
    },
};
use serde::Serialize;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Events of one stream.
const STREAM: u64 = 10;

/// What to measure.
#[derive(Clone, Debug)]
pub struct AppendOptions {
    /// A database in the server to measure, as a role that may create databases and roles.
    pub admin_url: String,
    /// How many append at the same time, each waiting for its answer before the next.
    pub clients: u64,
    /// How many events are counted, rounded up to whole streams; a twentieth of them is appended before, uncounted.
    pub events: u64,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// `append`.
    pub bench: &'static str,
    /// Clients at the same time.
    pub clients: u64,
    /// Events counted.
    pub events: u64,
    /// Bytes of one payload.
    pub payload_bytes: usize,
    /// How long they took.
    pub seconds: f64,
    /// CPU seconds of this process meanwhile, clients included, the database not; 0 where the system does not tell.
    pub cpu_seconds: f64,
    /// Events a second.
    pub events_per_second: f64,
    /// Events of one batch, on average.
    pub batch: f64,
    /// Microseconds from append to answer, for half of them.
    pub p50_us: u64,
    /// For 99 in a hundred.
    pub p99_us: u64,
    /// For 999 in a thousand.
    pub p999_us: u64,
    /// The same rows into a table with the same indexes and nothing else, in batches of that size, one after another.
    pub floor_events_per_second: f64,
    /// Measured rate over the floor's.
    pub ratio: f64,
}

/// Measures on a scratch database that exists only for the run.
pub async fn run(options: AppendOptions) -> Result<BenchReport, BenchError> {
    let scratch = scratch::make(&options.admin_url).await?;
    let report = measure(scratch.options.clone(), &options).await;
    scratch.remove().await?;
    report
}

async fn measure(scratch: PgConnectOptions, options: &AppendOptions) -> Result<BenchReport, BenchError> {
    let pool = PgPoolOptions::new().max_connections(4).connect_with(scratch.clone()).await?;
    let vault = Vault::new(pool.clone(), MasterKey::generate(), Clock::machine());
    let log = Log::open(pool.clone(), vault, Clock::machine(), LogOptions::default()).await?;
    append_all(&log, options.clients, options.events / 20).await?;

    let before = log.head().await?;
    let (cpu, started) = (own_cpu_seconds(), Instant::now());
    let mut latencies = append_all(&log, options.clients, options.events).await?;
    let (seconds, cpu_seconds) = (started.elapsed().as_secs_f64(), own_cpu_seconds() - cpu);
    let after = log.head().await?;

    let events = after.next_position - before.next_position;
    let batches = (after.epoch - before.epoch).max(1);
    let batch = events.div_ceil(batches).max(1);
    let payload_bytes = log.read(before.next_position, 1).await?.first().map_or(0, |event| event.payload.len());
    let floor = floor(&log, scratch, before.next_position..after.next_position, batch).await?;
    pool.close().await;
    latencies.sort_unstable();
    let at = |permille: usize| latencies.get(latencies.len().saturating_sub(1) * permille / 1000).copied().unwrap_or_default();
    let events_per_second = events as f64 / seconds;
    Ok(BenchReport {
        bench: "append",
        clients: options.clients,
        events,
        payload_bytes,
        seconds,
        cpu_seconds,
        events_per_second,
        batch: events as f64 / batches as f64,
        p50_us: at(500),
        p99_us: at(990),
        p999_us: at(999),
        floor_events_per_second: events as f64 / floor.as_secs_f64(),
        ratio: events_per_second / (events as f64 / floor.as_secs_f64()),
    })
}

/// Appends at least `events` events from `clients` clients and returns how long each append took, in microseconds.
async fn append_all(log: &Log, clients: u64, events: u64) -> Result<Vec<u64>, BenchError> {
    let streams = Arc::new(AtomicU64::new(events.div_ceil(STREAM)));
    let client = || {
        let (log, streams) = (log.clone(), streams.clone());
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                fill_stream(&log, &mut latencies).await?;
            }
            Ok::<_, AppendError>(latencies)
        })
    };
    let tasks: Vec<_> = (0..clients).map(|_| client()).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.map_err(|error| AppendError::Unavailable(error.into()))??);
    }
    Ok(all)
}

/// One short stream, each event at its expected version and caused by the one before.
async fn fill_stream(log: &Log, latencies: &mut Vec<u64>) -> Result<(), AppendError> {
    let (session, owner_id) = (new_id::<Uuid>(), Some(new_id()));
    let mut cause = None;
    for version in 0..STREAM {
        let event_id: EventId = new_id();
        let append = Append {
            context: Context {
                owner_id,
                livemode: true,
                actor: Actor::system("bench"),
                request_id: Some("req_0123456789abcdef".to_owned()),
                correlation_id: session,
            },
            writes: vec![StreamWrite {
                stream: StreamId::new(Category::PaymentSession, session),
                expected: version.checked_sub(1).map_or(Expected::NoStream, Expected::Version),
                events: vec![NewEvent { event_id, event: event(session, event_id).into(), personal: None, causation_id: cause }],
            }],
            idempotency: None,
        };
        let sent = Instant::now();
        log.append(append).await?;
        latencies.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
        cause = Some(event_id);
    }
    Ok(())
}

/// A payment requirement as the service writes them, of about 500 bytes.
fn event(session: Uuid, event_id: EventId) -> PaymentRequirementAuthored {
    let wallet = |n: u8| SolanaAddress([n; 32]);
    let split = FeeBps::new(100).map(|bps| (bps, bps.split(Minor::MAX)));
    let (fee_bps, split) = split.expect("one percent is a rate");
    PaymentRequirementAuthored {
        session_id: session.into(),
        session_event: event_id,
        rail_id: RailId::SolanaUsdc,
        network: "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp".to_owned(),
        asset: wallet(1),
        memo: format!("HILT:{}", session.simple()),
        gross: Minor::MAX,
        merchant_amount: split.merchant,
        fee_amount: split.fee,
        fee_bps,
        fee_policy: "access_default".to_owned(),
        required_transfers: vec![RequiredTransfer { role: TransferRole::Merchant, pay_to: wallet(2), amount: split.merchant }],
        expires_at: Clock::machine().now(),
        requirement_hash: Hash32::of(session.as_bytes()),
        x402: None,
    }
}

/// How long the rows of `positions` take into a bare table, in batches of `batch`, one statement after another.
async fn floor(log: &Log, scratch: PgConnectOptions, positions: std::ops::Range<u64>, batch: u64) -> Result<Duration, BenchError> {
    let mut connection = PgConnection::connect_with(&scratch).await?;
    sqlx::raw_sql(include_str!("sql/make_floor.sql")).execute(&mut connection).await?;
    let mut spent = Duration::ZERO;
    let mut from = positions.start;
    while from < positions.end {
        let rows = log.read(from, batch.min(positions.end - from)).await?;
        let started = Instant::now();
        insert_bare(&mut connection, &rows).await?;
        spent += started.elapsed();
        from += rows.len() as u64;
    }
    connection.close().await?;
    Ok(spent)
}

async fn insert_bare(connection: &mut PgConnection, rows: &[Recorded]) -> Result<(), sqlx::Error> {
    let integer = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let uuids = |id: fn(&Recorded) -> Option<Uuid>| rows.iter().map(id).collect::<Vec<_>>();
    sqlx::query(include_str!("sql/insert_floor.sql"))
        .bind(rows.iter().map(|row| integer(row.position)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| integer(row.envelope.version)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.envelope.recorded_at.micros()).collect::<Vec<_>>())
        .bind(uuids(|row| Some(row.envelope.stream.id)))
        .bind(uuids(|row| Some(row.envelope.event_id.0)))
        .bind(uuids(|row| row.envelope.owner_id.map(Uuid::from)))
        .bind(uuids(|row| Some(row.envelope.correlation_id)))
        .bind(uuids(|row| row.envelope.causation_id.map(Uuid::from)))
        .bind(uuids(|row| row.envelope.subject_id.map(Uuid::from)))
        .bind(rows.iter().map(|row| i16::try_from(row.envelope.schema_version).unwrap_or(i16::MAX)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.envelope.livemode).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.envelope.stream.category.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.envelope.event_type.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.envelope.actor.to_string()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.envelope.request_id.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.prev_leaf.0.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.leaf.0.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.payload.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sealed.as_deref()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
