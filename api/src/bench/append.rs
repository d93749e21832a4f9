//! Appends a second: clients that each fill short streams at expected versions, beside the same bytes written bare.

use super::{
    scratch::{self, BenchError},
    scratch_log::ScratchLog,
    server::Server,
    turn::{Latency, micros_since},
    usage::{self, own_cpu_seconds},
};
use events::{
    clock::{Clock, new_id},
    log::{Append, AppendError, Context, Expected, Log, NewEvent, StreamWrite},
    vocab::{
        bytes::{Hash32, SolanaAddress},
        event::{PaymentRequirementAuthored, RequiredTransfer},
        id::{EventId, OwnerId},
        money::{FeeBps, Minor},
        rail::RailId,
        stream::{Actor, Category, Recorded, StreamId},
        words::TransferRole,
    },
};
use serde::Serialize;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Appends of a client that is alone.
const LONE: u64 = 2_000;
/// Events of one append while rows are laid in.
const LAID_IN: u64 = 200;

/// What to measure.
#[derive(Clone, Debug)]
pub struct AppendOptions {
    /// A database in the server to measure, as a role that may create databases and roles.
    pub admin_url: String,
    /// How many append at the same time, each waiting for its answer before the next.
    pub clients: u64,
    /// How many events each turn counts, rounded up to whole streams; a twentieth of them is appended before, uncounted.
    pub events: u64,
    /// Events of one stream.
    pub stream: u64,
    /// Events that are there before, each of a stream of its own.
    pub present: u64,
    /// How often the log and its floor take turns; the median ratio counts.
    pub turns: usize,
}

/// What was measured. Figures are those of the turn with the median ratio.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// `append`.
    pub bench: &'static str,
    /// Clients at the same time.
    pub clients: u64,
    /// Events of one stream.
    pub stream: u64,
    /// Events that were there before.
    pub present: u64,
    /// Events counted.
    pub events: u64,
    /// Bytes of one payload.
    pub payload_bytes: usize,
    /// How long they took.
    pub seconds: f64,
    /// CPU seconds of this process meanwhile, clients included; 0 where the system does not tell.
    pub cpu_seconds: f64,
    /// CPU seconds of the database server; 0 where it is on another machine.
    pub server_cpu_seconds: f64,
    /// The most memory that this process had until then.
    pub peak_memory_bytes: u64,
    /// Events a second.
    pub events_per_second: f64,
    /// Events of one batch, on average.
    pub batch: f64,
    /// From append to answer.
    #[serde(flatten)]
    pub latency: Latency,
    /// The same rows into a table with the same indexes and nothing else, in batches of that size, one after another.
    pub floor_events_per_second: f64,
    /// CPU seconds of this process and of the database server for it.
    pub floor_cpu_seconds: f64,
    /// Measured rate over the floor's.
    pub ratio: f64,
    /// The ratio of each turn, from the smallest.
    pub ratios: Vec<f64>,
    /// Appends of one event by a client that is alone.
    pub lone: Latency,
    /// Bare commits of one such row each.
    pub lone_floor: Latency,
}

/// Measures on a scratch database that exists only for the run.
pub async fn run(options: AppendOptions) -> Result<BenchReport, BenchError> {
    let scratch = scratch::make(&options.admin_url).await?;
    let report = measure(&scratch.url, scratch.options.clone(), &options).await;
    scratch.remove().await?;
    report
}

async fn measure(url: &str, scratch: PgConnectOptions, options: &AppendOptions) -> Result<BenchReport, BenchError> {
    let ScratchLog { pool, log, .. } = ScratchLog::new(url).await?;
    let server = Server::of(url).await?;
    lay_in(&log, options.present).await?;
    append_all(&log, options, options.events / 20).await?;
    let mut connection = PgConnection::connect_with(&scratch).await?;
    sqlx::raw_sql(include_str!("sql/make_floor.sql")).execute(&mut connection).await?;
    sqlx::raw_sql(include_str!("sql/fill_floor.sql")).execute(&mut connection).await?;
    let mut turns = Vec::new();
    for _ in 0..options.turns.max(1) {
        turns.push(turn(&log, &mut connection, &server, options).await?);
    }
    turns.sort_by(|one, other| one.ratio.total_cmp(&other.ratio));
    let ratios = turns.iter().map(|turn| turn.ratio).collect();
    let middle = turns.swap_remove(turns.len() / 2);
    let (lone, lone_floor) = lone(&log, &mut connection).await?;
    connection.close().await?;
    pool.close().await;
    Ok(BenchReport { ratios, lone, lone_floor, ..middle })
}

/// The log, then its floor.
async fn turn(log: &Log, bare: &mut PgConnection, server: &Server, options: &AppendOptions) -> Result<BenchReport, BenchError> {
    let before = log.head().await?;
    let (cpu, server_cpu, started) = (own_cpu_seconds(), server.cpu_seconds(), Instant::now());
    let latencies = append_all(log, options, options.events).await?;
    let seconds = started.elapsed().as_secs_f64();
    let (cpu_seconds, server_cpu_seconds) = (own_cpu_seconds() - cpu, server.cpu_seconds() - server_cpu);
    let after = log.head().await?;
    let events = after.next_position - before.next_position;
    let batches = (after.epoch - before.epoch).max(1);
    let batch = events.div_ceil(batches).max(1);
    let payload_bytes = log.read(before.next_position, 1).await?.first().map_or(0, |event| event.payload.len());
    let floor_cpu = own_cpu_seconds() + server.cpu_seconds();
    let floor = floor(log, bare, before.next_position..after.next_position, batch).await?;
    let events_per_second = events as f64 / seconds;
    Ok(BenchReport {
        bench: "append",
        clients: options.clients,
        stream: options.stream,
        present: options.present,
        events,
        payload_bytes,
        seconds,
        cpu_seconds,
        server_cpu_seconds,
        peak_memory_bytes: usage::peak_memory("self"),
        events_per_second,
        batch: events as f64 / batches as f64,
        latency: Latency::of(latencies),
        floor_events_per_second: events as f64 / floor.as_secs_f64(),
        floor_cpu_seconds: own_cpu_seconds() + server.cpu_seconds() - floor_cpu,
        ratio: events_per_second / (events as f64 / floor.as_secs_f64()),
        ratios: Vec::new(),
        lone: Latency::default(),
        lone_floor: Latency::default(),
    })
}

/// Appends that nobody else shares a batch with, and bare commits of the same rows, one after another.
async fn lone(log: &Log, bare: &mut PgConnection) -> Result<(Latency, Latency), BenchError> {
    let from = log.head().await?.next_position;
    let mut taken = Vec::new();
    for _ in 0..LONE {
        fill_stream(log, 1, &mut taken).await?;
    }
    let mut bare_taken = Vec::new();
    for row in log.read(from, LONE).await? {
        let started = Instant::now();
        insert_bare(bare, std::slice::from_ref(&row)).await?;
        bare_taken.push(micros_since(started));
    }
    Ok((Latency::of(taken), Latency::of(bare_taken)))
}

/// Lays in events of as many streams, many with one append.
async fn lay_in(log: &Log, events: u64) -> Result<(), BenchError> {
    let left = Arc::new(AtomicU64::new(events));
    let client = |_| {
        let (log, left) = (log.clone(), left.clone());
        tokio::spawn(async move {
            while let Ok(had) =
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| (left > 0).then(|| left.saturating_sub(LAID_IN)))
            {
                let writes = (0..had.min(LAID_IN)).map(|_| write(new_id(), 0, None).0).collect();
                log.append(Append { context: context(new_id(), Some(new_id())), writes, idempotency: None }).await?;
            }
            Ok::<_, AppendError>(())
        })
    };
    for task in (0..8).map(client).collect::<Vec<_>>() {
        task.await.map_err(|error| AppendError::Unavailable(error.into()))??;
    }
    Ok(())
}

/// Appends at least `events` events from the clients and returns how long each append took, in microseconds.
async fn append_all(log: &Log, options: &AppendOptions, events: u64) -> Result<Vec<u64>, BenchError> {
    let length = options.stream.max(1);
    let streams = Arc::new(AtomicU64::new(events.div_ceil(length)));
    let client = || {
        let (log, streams) = (log.clone(), streams.clone());
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                fill_stream(&log, length, &mut latencies).await?;
            }
            Ok::<_, AppendError>(latencies)
        })
    };
    let tasks: Vec<_> = (0..options.clients).map(|_| client()).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.map_err(|error| AppendError::Unavailable(error.into()))??);
    }
    Ok(all)
}

/// One short stream, each event at its expected version and caused by the one before.
async fn fill_stream(log: &Log, length: u64, latencies: &mut Vec<u64>) -> Result<(), AppendError> {
    let (session, owner_id) = (new_id::<Uuid>(), Some(new_id()));
    let mut cause = None;
    for version in 0..length {
        let (write, event_id) = write(session, version, cause);
        let append = Append { context: context(session, owner_id), writes: vec![write], idempotency: None };
        let sent = Instant::now();
        log.append(append).await?;
        latencies.push(micros_since(sent));
        cause = Some(event_id);
    }
    Ok(())
}

fn context(correlation_id: Uuid, owner_id: Option<OwnerId>) -> Context {
    Context { owner_id, livemode: true, actor: Actor::system("bench"), request_id: Some("req_0123456789abcdef".to_owned()), correlation_id }
}

/// One event of a stream, and its id.
fn write(session: Uuid, version: u64, cause: Option<EventId>) -> (StreamWrite, EventId) {
    let event_id: EventId = new_id();
    let write = StreamWrite {
        stream: StreamId::new(Category::PaymentSession, session),
        expected: version.checked_sub(1).map_or(Expected::NoStream, Expected::Version),
        events: vec![NewEvent { event_id, event: event(session, event_id).into(), personal: None, causation_id: cause }],
    };
    (write, event_id)
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
async fn floor(log: &Log, bare: &mut PgConnection, positions: std::ops::Range<u64>, batch: u64) -> Result<Duration, BenchError> {
    let mut spent = Duration::ZERO;
    let mut from = positions.start;
    while from < positions.end {
        let rows = log.read(from, batch.min(positions.end - from)).await?;
        let started = Instant::now();
        insert_bare(bare, &rows).await?;
        spent += started.elapsed();
        from += rows.len() as u64;
    }
    Ok(spent)
}

/// Writes rows into the bare table, with one statement that is a transaction.
pub(super) async fn insert_bare(connection: &mut PgConnection, rows: &[Recorded]) -> Result<(), sqlx::Error> {
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
