//! From the log to JetStream: the relay, beside the same bytes published bare. And from a commit through relay, JetStream and runner to
//! a committed row, at half of what that chain bears.

use super::{
    scratch::{self, BenchError},
    scratch_log::ScratchLog,
    server::{Bus, Server},
    turn::{self, Compared, Job, Latency, Meter, Turn, What, micros_since, whole},
    world::{self, Shop},
};
use async_nats::jetstream::{self, context::PublishAckFuture, message::PublishMessage};
use events::{
    relay::{self, Relay, StreamConfig, frame},
    vocab::stream::Recorded,
};
use projections::runner::Projections;
use serde::Serialize;
use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The subjects of the bench, so that no service's are touched.
const PREFIX: &str = "hilt_bench";
/// Messages in flight at a time, as the relay has them.
const IN_FLIGHT: usize = 4_000;
/// Events read at a time.
const PAGE: u64 = 5_000;
/// How often the relay is asked how far it is.
const LOOK: Duration = Duration::from_millis(1);
/// How long anything may take to get to the end.
const PATIENCE: Duration = Duration::from_secs(600);
/// The read model whose rows are waited for: the last stage of a payment.
const MODEL: &str = "entitlements";
/// Payments made before the clock runs.
const WARM: u64 = 200;

/// What to measure.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// A database in the server to measure, as a role that may create databases and roles.
    pub admin_url: String,
    /// The nats-server.
    pub nats_url: String,
    /// How many events are published.
    pub events: u64,
    /// How often relay and floor take turns; the median ratio counts.
    pub turns: usize,
    /// How many payments find out what the whole chain bears.
    pub payments: u64,
    /// How long it then runs at half of that.
    pub seconds: u64,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct RelayReport {
    /// `relay`.
    pub bench: &'static str,
    /// Relay beside bare publishing. Counted are events; there are no latencies of single ones.
    #[serde(flatten)]
    pub compared: Compared,
    /// What relay, JetStream and the runners of all read models bear together: whole payments, each one append.
    pub saturation: Turn,
    /// The same at half of that. Latencies are from the answer to an append to its row in a read model.
    pub half: Turn,
}

impl fmt::Display for RelayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} events to JetStream", self.compared.measured.count)?;
        self.compared.write(f, ["relay", "bare"], "events")?;
        writeln!(f, "  to the rows of all read models {:.0} events/s at most", self.saturation.per_second)?;
        write!(f, "  at {:.0} events/s, from commit to a row: {}", self.half.per_second, self.half.latency)
    }
}

/// Measures on a scratch database and a stream that exist only for the run.
pub async fn run(options: RelayOptions) -> Result<RelayReport, BenchError> {
    let context = jetstream::new(connect(&options.nats_url).await?);
    let stream = config().name();
    if context.get_stream(&stream).await.is_ok() {
        return Err(BenchError::Client(format!("a stream named {stream} exists; delete it if no other run is under way")));
    }
    let scratch = scratch::make(&options.admin_url).await?;
    let report = measure(&scratch.url, &options).await;
    // It is not there if nothing came so far.
    let _ = context.delete_stream(&stream).await;
    scratch.remove().await?;
    report
}

async fn measure(url: &str, options: &RelayOptions) -> Result<RelayReport, BenchError> {
    eprintln!("hilt: making a log of {} events", options.events);
    let scratch = ScratchLog::new(url).await?;
    world::fill(&scratch.log, options.events).await?;
    scratch.settle().await?;
    let nats_url = Some(options.nats_url.clone());
    let job = Job { nats_url, ..Job::new(What::Relay, url, &scratch) };
    let compared = Compared::take(&job, What::RelayFloor, options.turns).await?;
    scratch.build_models().await?;
    let follow = Job { what: What::Follow, count: options.payments, clients: 64, ..job };
    let saturation = turn::take(&follow).await?;
    let rate = saturation.per_second / 2.0;
    let half = turn::take(&Job { rate, seconds: options.seconds, ..follow }).await?;
    scratch.pool.close().await;
    Ok(RelayReport { bench: "relay", compared, saturation, half })
}

fn config() -> StreamConfig {
    StreamConfig { prefix: PREFIX.to_owned(), ..StreamConfig::default() }
}

async fn connect(url: &str) -> Result<async_nats::Client, BenchError> {
    events::nats::connect(url).await.map_err(told)
}

/// What a turn works with.
struct Chain {
    scratch: ScratchLog,
    client: async_nats::Client,
    url: String,
    nats_url: String,
}

impl Chain {
    async fn open(job: &Job) -> Result<Self, BenchError> {
        let nats_url = job.nats_url.clone().ok_or_else(|| told("a turn needs a nats-server"))?;
        let scratch = ScratchLog::open(&job.database_url, job.master_key()?).await?;
        Ok(Chain { scratch, client: connect(&nats_url).await?, url: job.database_url.clone(), nats_url })
    }

    /// The same stream, empty, if there is one.
    async fn empty_stream(&self) -> Result<(), BenchError> {
        let context = jetstream::new(self.client.clone());
        let Ok(stream) = context.get_stream(config().name()).await else { return Ok(()) };
        let config = stream.cached_info().config.clone();
        context.delete_stream(&config.name).await.map_err(told)?;
        context.create_stream(config).await.map_err(told)?;
        Ok(())
    }

    fn relay(&self) -> Relay {
        let leases = self.scratch.deps(None, config()).leases;
        Relay::new(self.scratch.pool.clone(), self.scratch.log.clone(), self.client.clone(), leases, config())
    }

    async fn meter(&self) -> Result<Meter, BenchError> {
        Ok(Meter::start(Server::of(&self.url).await?, Bus::of(&self.nats_url)))
    }
}

/// The relay publishes the whole log to an empty stream.
pub async fn turn(job: &Job) -> Result<Turn, BenchError> {
    let chain = Chain::open(job).await?;
    chain.empty_stream().await?;
    sqlx::query(include_str!("sql/forget_relay.sql")).execute(&chain.scratch.pool).await?;
    let events = chain.scratch.log.head().await?.next_position;
    let (relay, stop) = (chain.relay(), CancellationToken::new());
    let meter = chain.meter().await?;
    let running = tokio::spawn(relay::run(relay.clone(), stop.clone()));
    let begun = Instant::now();
    while relay.health().position.map_or(0, |position| position + 1) < events {
        if begun.elapsed() > PATIENCE {
            return Err(told("the relay does not come to the end"));
        }
        tokio::time::sleep(LOOK).await;
    }
    let turn = meter.stop(events, Latency::default());
    stop.cancel();
    running.await.map_err(told)?;
    Ok(turn)
}

/// The same messages, encoded before the clock runs, published with message ids and as many in flight.
pub async fn floor(job: &Job) -> Result<Turn, BenchError> {
    let chain = Chain::open(job).await?;
    let mut messages = Vec::new();
    loop {
        let page = chain.scratch.log.read(messages.len() as u64, PAGE).await?;
        if page.is_empty() {
            break;
        }
        messages.extend(page.iter().map(message).collect::<Result<Vec<_>, _>>()?);
    }
    chain.empty_stream().await?;
    let context = jetstream::context::ContextBuilder::new()
        .timeout(PATIENCE)
        .ack_timeout(PATIENCE)
        .max_ack_inflight(IN_FLIGHT)
        .backpressure_on_inflight(true)
        .build(chain.client.clone());
    let count = messages.len() as u64;
    let meter = chain.meter().await?;
    let mut acks: VecDeque<PublishAckFuture> = VecDeque::with_capacity(IN_FLIGHT);
    for (subject, message) in messages {
        if acks.len() == IN_FLIGHT
            && let Some(ack) = acks.pop_front()
        {
            ack.await.map_err(told)?;
        }
        acks.push_back(context.send_publish(subject, message).await.map_err(told)?);
    }
    for ack in acks {
        ack.await.map_err(told)?;
    }
    Ok(meter.stop(count, Latency::default()))
}

fn message(recorded: &Recorded) -> Result<(String, PublishMessage), BenchError> {
    let body = frame::encode(recorded).map_err(told)?;
    let message = PublishMessage::build().message_id(recorded.envelope.event_id.to_string()).payload(body.into());
    Ok((config().subject(recorded), message))
}

/// Payments are appended while relay and runners work: as fast as it goes, or at the rate of the job, in events a second. The turn ends
/// when every read model has all of them.
pub async fn follow(job: &Job) -> Result<Turn, BenchError> {
    let chain = Chain::open(job).await?;
    let stop = CancellationToken::new();
    let running = tokio::spawn(relay::run(chain.relay(), stop.clone()));
    let models = Projections::start(chain.scratch.deps(Some(chain.client.clone()), config()), stop.clone());
    let log = &chain.scratch.log;
    let shop = Arc::new(Shop::open(log, WARM + 1 + payments(job)).await?);
    world::pay_many(log, &shop, WARM, None).await?;
    let before = log.head().await?.next_position;
    reached(&models, before).await?;
    let meter = chain.meter().await?;
    let latency = match job.rate > 0.0 {
        true => pace(job, &chain.scratch, &shop, &models).await?,
        false => {
            world::pay_many(log, &shop, job.count, None).await?;
            Latency::default()
        }
    };
    let after = log.head().await?.next_position;
    reached(&models, after).await?;
    let turn = meter.stop(after - before, latency);
    stop.cancel();
    models.stopped().await;
    running.await.map_err(told)?;
    Ok(turn)
}

/// How many payments a turn makes at most: each has an event at least.
fn payments(job: &Job) -> u64 {
    job.count.max(whole(job.rate) * job.seconds)
}

async fn reached(models: &Projections, next: u64) -> Result<(), BenchError> {
    models.wait_for_all(&models.names(), next.saturating_sub(1), PATIENCE).await.map_err(told)
}

/// Makes payments one after another at the rate of the job; every one of them is timed from its answer to its row.
async fn pace(job: &Job, scratch: &ScratchLog, shop: &Arc<Shop>, models: &Projections) -> Result<Latency, BenchError> {
    let first = scratch.log.head().await?.next_position;
    let each = shop.pay(&scratch.log).await? + 1 - first;
    let every = Duration::from_secs_f64(each as f64 / job.rate);
    let (begin, mut payments) = (Instant::now(), JoinSet::new());
    let count = u64::try_from(Duration::from_secs(job.seconds).as_nanos() / every.as_nanos().max(1)).unwrap_or(u64::MAX);
    for number in 0..count {
        tokio::time::sleep_until((begin + every.mul_f64(number as f64)).into()).await;
        let (log, shop, models) = (scratch.log.clone(), shop.clone(), models.clone());
        payments.spawn(async move {
            let position = shop.pay(&log).await?;
            let committed = Instant::now();
            models.wait_for(MODEL, position, PATIENCE).await.map_err(told)?;
            Ok::<_, BenchError>(micros_since(committed))
        });
    }
    let mut taken = Vec::new();
    while let Some(payment) = payments.join_next().await {
        taken.push(payment.map_err(told)??);
    }
    Ok(Latency::of(taken))
}

fn told(error: impl fmt::Display) -> BenchError {
    BenchError::Client(error.to_string())
}
