//! Deliveries a second by the service's own worker to receivers on this machine, beside the same HTTP client that posts bodies of the
//! same size bare. Then, at a steady rate, how long it takes from an event to its message.

mod receiver;

pub use receiver::serve as serve_receiver;

use super::{
    process::{Process, Service},
    scratch::{self, BenchError},
    scratch_log::ScratchLog,
    server::Server,
    turn::{Compared, Latency, Turn, micros_since, whole},
    usage::{self, own_cpu_seconds},
    world::{self, Shop, TOLD},
};
use events::vocab::{event::EventType, id::EventId};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use receiver::Arrived;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::HashMap,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Attempts to one receiver at a time, as the worker makes them.
const LANE: u64 = 16;
/// How often it is looked whether everything has arrived.
const LOOK: Duration = Duration::from_millis(20);
/// How long it may take until everything has.
const PATIENCE: Duration = Duration::from_secs(600);

/// What to measure.
#[derive(Clone, Debug)]
pub struct WebhooksOptions {
    /// A database in the server to measure, as a role that may create databases and roles.
    pub admin_url: String,
    /// How many receivers are told of every payment.
    pub endpoints: u64,
    /// How many deliveries wait when a turn begins, at least.
    pub deliveries: u64,
    /// How often worker and floor take turns; the median ratio counts.
    pub turns: usize,
    /// Deliveries a second of the steady run.
    pub rate: f64,
    /// How long it lasts.
    pub seconds: u64,
}

/// What was measured. The client is the process that sends, the other server the receiver.
#[derive(Clone, Debug, Serialize)]
pub struct WebhooksReport {
    /// `webhooks`.
    pub bench: &'static str,
    /// Receivers.
    pub endpoints: u64,
    /// Bytes of a body, on average.
    pub body_bytes: usize,
    /// Deliveries that waited, beside bare posts. Each is emitted, signed, sent and recorded; counted are messages from the first to
    /// the last that arrived.
    #[serde(flatten)]
    pub compared: Compared,
    /// Deliveries at a steady rate; latencies are from the time that the log gave the event to the arrival of its message.
    pub steady: Turn,
}

impl fmt::Display for WebhooksReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} deliveries of {} bytes to {} receivers", self.compared.measured.count, self.body_bytes, self.endpoints)?;
        self.compared.write(f, ["worker", "bare posts"], "messages")?;
        write!(f, "  at {:.0} a second, from event to arrival: {}", self.steady.per_second, self.steady.latency)
    }
}

/// Measures on a scratch database that exists only for the run.
pub async fn run(options: WebhooksOptions) -> Result<WebhooksReport, BenchError> {
    crate::app::install_tls();
    let scratch = scratch::make(&options.admin_url).await?;
    let report = measure(&scratch.url, &options).await;
    scratch.remove().await?;
    report
}

async fn measure(url: &str, options: &WebhooksOptions) -> Result<WebhooksReport, BenchError> {
    let scratch = ScratchLog::new(url).await?;
    let receiver = Receiver::start().await?;
    let payments = options.deliveries.div_ceil(TOLD * options.endpoints);
    let all = 3 + payments * options.turns.max(1) as u64 + whole(options.rate) * options.seconds;
    let shop = Arc::new(Shop::open(&scratch.log, all).await?);
    for number in 0..options.endpoints {
        shop.register(&scratch.log, receiver.url(number)).await?;
    }
    let bench = Bench { url, options, scratch, shop, receiver, server: Server::of(url).await? };
    // Does not count; tells how large bodies are.
    bench.backlog(1).await?;
    let sample = bench.receiver.since(0).await?;
    let body_bytes = sample.iter().map(|arrived| arrived.length).sum::<usize>() / sample.len().max(1);
    let mut turns = Vec::new();
    for _ in 0..options.turns.max(1) {
        let floor = bench.post(payments * TOLD * options.endpoints, body_bytes).await?;
        turns.push((floor, bench.backlog(payments).await?));
    }
    let steady = bench.steady().await?;
    bench.scratch.pool.close().await;
    Ok(WebhooksReport { bench: "webhooks", endpoints: options.endpoints, body_bytes, compared: Compared::of(turns)?, steady })
}

struct Bench<'a> {
    url: &'a str,
    options: &'a WebhooksOptions,
    scratch: ScratchLog,
    shop: Arc<Shop>,
    receiver: Receiver,
    server: Server,
}

impl Bench<'_> {
    async fn service(&self) -> Result<Process, BenchError> {
        let service = Service {
            database_url: self.url,
            master_key: hex::encode(self.scratch.master_key),
            roles: "projections,workers",
            settings: &[("HILT_WEBHOOK_ALLOW_PRIVATE", "true")],
        };
        Process::service(&service).await
    }

    /// Makes payments while nobody delivers, brings the read models up to them, and has the service work off what waits.
    async fn backlog(&self, payments: u64) -> Result<Turn, BenchError> {
        let (before, first) = (self.receiver.count().await?, self.scratch.log.head().await?.next_position);
        world::pay_many(&self.scratch.log, &self.shop, payments, None).await?;
        self.scratch.build_models().await?;
        let spent = (self.server.cpu_seconds(), self.receiver.process.cpu_seconds());
        let service = self.service().await?;
        let count = payments * TOLD * self.options.endpoints;
        let arrived = self.receiver.wait_for(before, count).await?;
        self.recorded(first, count).await?;
        Ok(self.told(&arrived, Latency::default(), &service, spent))
    }

    /// Makes payments at the steady rate while the service runs.
    async fn steady(&self) -> Result<Turn, BenchError> {
        let service = self.service().await?;
        let each = TOLD * self.options.endpoints;
        // Until a message has come, the service may still be taking its roles.
        let (before, first) = (self.receiver.count().await?, self.scratch.log.head().await?.next_position);
        self.shop.pay(&self.scratch.log).await?;
        self.receiver.wait_for(before, each).await?;
        self.recorded(first, each).await?;
        let (before, first) = (self.receiver.count().await?, self.scratch.log.head().await?.next_position);
        let spent = (self.server.cpu_seconds(), self.receiver.process.cpu_seconds());
        let every = Duration::from_secs_f64(each as f64 / self.options.rate);
        let count =
            u64::try_from(Duration::from_secs(self.options.seconds).as_nanos() / every.as_nanos().max(1)).unwrap_or(u64::MAX).max(1);
        let (begin, mut payments) = (Instant::now(), JoinSet::new());
        for number in 0..count {
            tokio::time::sleep_until((begin + every.mul_f64(number as f64)).into()).await;
            let (log, shop) = (self.scratch.log.clone(), self.shop.clone());
            payments.spawn(async move { shop.pay(&log).await });
        }
        while let Some(payment) = payments.join_next().await {
            payment.map_err(told)??;
        }
        let arrived = self.receiver.wait_for(before, count * each).await?;
        let recorded = self.recorded(first, count * each).await?;
        let taken = arrived.iter().filter_map(|message| u64::try_from(message.at - recorded.get(&message.id?)?).ok()).collect();
        Ok(self.told(&arrived, Latency::of(taken), &service, spent))
    }

    /// When the log says that its events were, from position `first` on, in microseconds since 1970, once `deliveries` of them are on
    /// record. A service that ends before would deliver again.
    async fn recorded(&self, first: u64, deliveries: u64) -> Result<HashMap<EventId, i64>, BenchError> {
        let (mut next, mut delivered, mut recorded) = (first, 0, HashMap::new());
        let begun = Instant::now();
        while delivered < deliveries {
            let page = self.scratch.log.read(next, 5_000).await?;
            match page.last() {
                Some(last) => next = last.position + 1,
                None if begun.elapsed() > PATIENCE => return Err(told("the deliveries are not all put on record")),
                None => tokio::time::sleep(LOOK).await,
            }
            delivered += page.iter().filter(|event| event.envelope.event_type == EventType::WebhookDelivered).count() as u64;
            recorded.extend(page.iter().map(|event| (event.envelope.event_id, event.envelope.recorded_at.micros())));
        }
        Ok(recorded)
    }

    fn told(&self, arrived: &[Arrived], latency: Latency, service: &Process, spent: (f64, f64)) -> Turn {
        let times = || arrived.iter().map(|message| message.at);
        let micros = times().max().unwrap_or(0) - times().min().unwrap_or(0);
        let seconds = Duration::from_micros(u64::try_from(micros).unwrap_or(0).max(1)).as_secs_f64();
        Turn {
            count: arrived.len() as u64,
            seconds,
            per_second: arrived.len() as f64 / seconds,
            client_cpu_seconds: service.cpu_seconds(),
            server_cpu_seconds: self.server.cpu_seconds() - spent.0,
            other_cpu_seconds: self.receiver.process.cpu_seconds() - spent.1,
            latency,
            peak_memory_bytes: service.peak_memory(),
            parts: Vec::new(),
        }
    }

    /// Posts as many bodies of that size with the client that the worker has, as many at a time.
    async fn post(&self, count: u64, length: usize) -> Result<Turn, BenchError> {
        let lanes = self.options.endpoints * LANE;
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(usize::try_from(lanes).unwrap_or(usize::MAX))
            .tcp_nodelay(true)
            .build()
            .map_err(told)?;
        let body = "x".repeat(length);
        let (spent, started) = ((own_cpu_seconds(), self.receiver.process.cpu_seconds()), Instant::now());
        let posts = stream::iter(0..count).map(|number| {
            let request = client.post(self.receiver.url(number % self.options.endpoints)).body(body.clone());
            tokio::spawn(async move {
                let sent = Instant::now();
                request.send().await.and_then(reqwest::Response::error_for_status).map_err(told)?;
                Ok::<_, BenchError>(micros_since(sent))
            })
        });
        let posts = posts.buffer_unordered(usize::try_from(lanes).unwrap_or(usize::MAX));
        let taken: Vec<u64> = posts.map(|post| post.map_err(told)?).try_collect().await?;
        let seconds = started.elapsed().as_secs_f64();
        Ok(Turn {
            count,
            seconds,
            per_second: count as f64 / seconds,
            client_cpu_seconds: own_cpu_seconds() - spent.0,
            server_cpu_seconds: 0.0,
            other_cpu_seconds: self.receiver.process.cpu_seconds() - spent.1,
            latency: Latency::of(taken),
            peak_memory_bytes: usage::peak_memory("self"),
            parts: Vec::new(),
        })
    }
}

/// The receiver's process.
struct Receiver {
    process: Process,
    http: reqwest::Client,
}

impl Receiver {
    async fn start() -> Result<Self, BenchError> {
        let http = reqwest::Client::builder().no_proxy().build().map_err(told)?;
        Ok(Receiver { process: Process::bare(&["webhooks-receiver"], &[]).await?, http })
    }

    fn url(&self, number: u64) -> String {
        format!("http://{}/{number}", self.process.address)
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, BenchError> {
        let asked = async { self.http.get(format!("http://{}/{path}", self.process.address)).send().await?.json().await };
        asked.await.map_err(told)
    }

    async fn count(&self) -> Result<usize, BenchError> {
        self.ask("count").await
    }

    async fn since(&self, from: usize) -> Result<Vec<Arrived>, BenchError> {
        self.ask(&format!("since/{from}")).await
    }

    /// What arrived after the first `from`, once it is `count` messages.
    async fn wait_for(&self, from: usize, count: u64) -> Result<Vec<Arrived>, BenchError> {
        let all = from + usize::try_from(count).unwrap_or(usize::MAX);
        let begun = Instant::now();
        while self.count().await? < all {
            if begun.elapsed() > PATIENCE {
                return Err(told("the messages do not all arrive"));
            }
            tokio::time::sleep(LOOK).await;
        }
        self.since(from).await
    }
}

fn told(error: impl fmt::Display) -> BenchError {
    BenchError::Client(error.to_string())
}
