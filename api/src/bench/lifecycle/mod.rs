//! Whole lifecycles, from the session to the delivered webhook, through the deciders and the log, beside the appends that they make,
//! bare. Then sessions over HTTP with everything on, beside a route that appends the same bytes bare.

mod floor;
mod http;
mod sessions;

pub use floor::serve as serve_floor;
pub use sessions::Sessions;

use super::{
    bare::{Bare, anew},
    scratch::{self, BenchError},
    scratch_log::ScratchLog,
    server::{Bus, Server},
    turn::{Compared, Job, Latency, Meter, Turn, What, micros_since},
    world::Shop,
};
use events::vocab::stream::Recorded;
use serde::Serialize;
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Whom webhooks are for: they are recorded here, not sent.
const NOWHERE: &str = "http://127.0.0.1:9/";

/// What to measure.
#[derive(Clone, Debug)]
pub struct LifecycleOptions {
    /// A database in the server to measure, as a role that may create databases and roles.
    pub admin_url: String,
    /// How many lifecycles go on at the same time, and how many connections ask for sessions.
    pub clients: u64,
    /// How many lifecycles are counted.
    pub lifecycles: u64,
    /// How long a turn of HTTP takes.
    pub turn: Duration,
    /// How often each and its floor take turns; the median ratio counts.
    pub turns: usize,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct LifecycleReport {
    /// `lifecycle`.
    pub bench: &'static str,
    /// Clients, or connections, at the same time.
    pub clients: u64,
    /// Events of one lifecycle.
    pub events_each: u64,
    /// Appends of one lifecycle.
    pub appends_each: usize,
    /// Lifecycles beside their bare appends.
    #[serde(flatten)]
    pub compared: Compared,
    /// Sessions over HTTP.
    pub sessions: Sessions,
}

impl fmt::Display for LifecycleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lifecycles of {} events in {} appends, {} clients", self.events_each, self.appends_each, self.clients)?;
        self.compared.write(f, ["lifecycle", "bare"], "lifecycles")?;
        writeln!(f, "sessions over HTTP, {} events each", self.sessions.events_each)?;
        self.sessions.compared.write(f, ["session", "bare route"], "sessions")?;
        write!(f, "  refused for lack of room: {}", self.sessions.refused)
    }
}

/// Measures on a scratch database that exists only for the run.
pub async fn run(options: LifecycleOptions) -> Result<LifecycleReport, BenchError> {
    crate::app::install_tls();
    let scratch = scratch::make(&options.admin_url).await?;
    let report = measure(&scratch.url, &options).await;
    scratch.remove().await?;
    report
}

async fn measure(url: &str, options: &LifecycleOptions) -> Result<LifecycleReport, BenchError> {
    let scratch = ScratchLog::new(url).await?;
    let (appends, events_each) = {
        let appends = sample(&scratch).await?;
        (appends.len(), appends.iter().map(|rows| rows.len() as u64).sum())
    };
    let job = Job { count: options.lifecycles, clients: options.clients, ..Job::new(What::Lifecycle, url, &scratch) };
    let compared = Compared::take(&job, What::LifecycleFloor, options.turns).await?;
    let sessions = sessions::measure(url, &scratch, options).await?;
    scratch.pool.close().await;
    Ok(LifecycleReport { bench: "lifecycle", clients: options.clients, events_each, appends_each: appends, compared, sessions })
}

/// The rows of each append of one lifecycle, while nobody else appends.
async fn sample(scratch: &ScratchLog) -> Result<Vec<Vec<Recorded>>, BenchError> {
    let shop = Shop::open(&scratch.log, 1).await?;
    let endpoint = shop.register(&scratch.log, NOWHERE.to_owned()).await?;
    let mut from = scratch.log.head().await?.next_position;
    let mut appends = Vec::new();
    for to in shop.live(&scratch.log, endpoint).await? {
        appends.push(scratch.log.read(from, to - from).await?);
        from = to;
    }
    Ok(appends)
}

/// Has `clients` do `count` things, each as soon as it is done with the one before, and returns how long each took, in microseconds.
async fn share<F, Fut>(clients: u64, count: u64, one: F) -> Result<Vec<u64>, BenchError>
where
    F: Fn(u64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), BenchError>> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let client = |_| {
        let (one, next) = (one.clone(), next.clone());
        tokio::spawn(async move {
            let mut taken = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, BenchError>(taken);
                }
                let begun = Instant::now();
                one(number).await?;
                taken.push(micros_since(begun));
            }
        })
    };
    let mut all = Vec::new();
    for client in (0..clients).map(client).collect::<Vec<_>>() {
        all.extend(client.await.map_err(told)??);
    }
    Ok(all)
}

/// Lifecycles through the deciders and the log.
pub async fn turn(job: &Job) -> Result<Turn, BenchError> {
    let scratch = ScratchLog::open(&job.database_url, job.master_key()?).await?;
    let shop = Arc::new(Shop::open(&scratch.log, job.count).await?);
    let endpoint = shop.register(&scratch.log, NOWHERE.to_owned()).await?;
    let meter = Meter::start(Server::of(&job.database_url).await?, Bus::none());
    let log = scratch.log.clone();
    let live = move |_| {
        let (log, shop) = (log.clone(), shop.clone());
        async move { shop.live(&log, endpoint).await.map(drop) }
    };
    let taken = share(job.clients, job.count, live).await?;
    Ok(meter.stop(job.count, Latency::of(taken)))
}

/// The appends of as many, bare.
pub async fn floor(job: &Job) -> Result<Turn, BenchError> {
    let scratch = ScratchLog::open(&job.database_url, job.master_key()?).await?;
    let appends = Arc::new(sample(&scratch).await?);
    let bare = Bare::open(&job.database_url).await?;
    let meter = Meter::start(Server::of(&job.database_url).await?, Bus::none());
    let append = move |_| {
        let (bare, appends) = (bare.clone(), appends.clone());
        async move {
            let mut streams = HashMap::new();
            for rows in appends.iter() {
                bare.append(anew(rows, &mut streams)).await?;
            }
            Ok(())
        }
    };
    let taken = share(job.clients, job.count, append).await?;
    Ok(meter.stop(job.count, Latency::of(taken)))
}

fn told(error: impl fmt::Display) -> BenchError {
    BenchError::Client(error.to_string())
}
