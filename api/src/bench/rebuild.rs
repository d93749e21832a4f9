//! Building every read model anew, beside the least that it can cost: COPY of the events out of the database, and COPY of the rows that
//! come of them in, with nothing in between.

use super::{
    scratch::{self, BenchError},
    scratch_log::ScratchLog,
    server::{Bus, Server},
    turn::{Compared, Job, Latency, Meter, Part, Turn, What, micros_since},
    world,
};
use events::vault::MasterKey;
use futures::TryStreamExt as _;
use projections::runner::Progress;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Instant,
};

/// What to measure.
#[derive(Clone, Debug)]
pub struct RebuildOptions {
    /// A database in the server to measure, as a role that may create databases and roles.
    pub admin_url: String,
    /// How many events there are at least.
    pub events: u64,
    /// How often rebuild and floor take turns; the median ratio counts.
    pub turns: usize,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct RebuildReport {
    /// `rebuild`.
    pub bench: &'static str,
    /// Events of the log: whole payments from session to access.
    pub events: u64,
    /// Read models.
    pub models: usize,
    /// Rows of all read models.
    pub rows: u64,
    /// Rebuild beside floor. Counted are events; latencies are those of a page of up to 5,000 events in one model.
    #[serde(flatten)]
    pub compared: Compared,
}

impl fmt::Display for RebuildReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} events, {} read models of {} rows", self.events, self.models, self.rows)?;
        self.compared.write(f, ["rebuild", "floor"], "events")?;
        let mut slowest: Vec<&Part> = self.compared.measured.parts.iter().collect();
        slowest.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
        let slowest: Vec<String> = slowest.iter().take(5).map(|part| format!("{} {:.2} s", part.name, part.seconds)).collect();
        write!(f, "  longest: {}", slowest.join(", "))
    }
}

/// Measures on a scratch database that exists only for the run.
pub async fn run(options: RebuildOptions) -> Result<RebuildReport, BenchError> {
    let scratch = scratch::make(&options.admin_url).await?;
    let report = measure(&scratch.url, &options).await;
    scratch.remove().await?;
    report
}

async fn measure(url: &str, options: &RebuildOptions) -> Result<RebuildReport, BenchError> {
    eprintln!("hilt: making a log of {} events and its read models", options.events);
    let scratch = ScratchLog::new(url).await?;
    world::fill(&scratch.log, options.events).await?;
    scratch.settle().await?;
    scratch.build_models().await?;
    scratch.pool.close().await;
    let job = Job::new(What::Rebuild, url, &scratch);
    let compared = Compared::take(&job, What::RebuildFloor, options.turns).await?;
    Ok(RebuildReport {
        bench: "rebuild",
        events: compared.measured.count,
        models: compared.measured.parts.len(),
        rows: compared.floor.parts.iter().map(|part| part.rows).sum(),
        compared,
    })
}

/// Builds every read model anew and puts it in the place of the old one, one after another, as `hilt-replay rebuild` does.
pub async fn turn(job: &Job) -> Result<Turn, BenchError> {
    let pool = PgPoolOptions::new().max_connections(8).connect(&job.database_url).await?;
    let models = replay_tool::open_models(&pool, MasterKey::from_bytes(job.master_key()?)).await.map_err(told)?;
    let pages = Arc::new(Mutex::new(Vec::new()));
    let meter = Meter::start(Server::of(&job.database_url).await?, Bus::none());
    let (mut parts, mut events) = (Vec::new(), 0);
    for name in models.names() {
        let started = Instant::now();
        let rebuilt = models.rebuild(name, timing(&pages)).await.map_err(told)?;
        events = rebuilt.checkpoint.map_or(0, |position| position + 1);
        parts.push(Part { name: name.to_owned(), rows: 0, seconds: started.elapsed().as_secs_f64() });
    }
    let latency = Latency::of(pages.lock().map(|mut pages| std::mem::take(&mut *pages)).unwrap_or_default());
    Ok(Turn { parts, ..meter.stop(events, latency) })
}

/// Keeps how long each page took.
fn timing(pages: &Arc<Mutex<Vec<u64>>>) -> Progress {
    let (pages, last) = (pages.clone(), Mutex::new(Instant::now()));
    Progress::new(move |_| {
        if let (Ok(mut pages), Ok(mut last)) = (pages.lock(), last.lock()) {
            pages.push(micros_since(std::mem::replace(&mut last, Instant::now())));
        }
    })
}

/// A read model, with its rows as they are copied.
struct Copied {
    name: String,
    make: String,
    copy_in: String,
    discard: String,
    rows: Vec<u8>,
}

/// Copies the events out once, and the rows of all read models into bare tables.
pub async fn floor(job: &Job) -> Result<Turn, BenchError> {
    let pool = PgPoolOptions::new().max_connections(2).connect(&job.database_url).await?;
    let models = copied(&pool).await?;
    let mut connection = PgConnection::connect(&job.database_url).await?;
    for model in &models {
        sqlx::raw_sql(AssertSqlSafe(model.make.clone())).execute(&mut connection).await?;
    }
    let (events,): (i64,) = sqlx::query_as(include_str!("sql/count_events.sql")).fetch_one(&mut connection).await?;
    let meter = Meter::start(Server::of(&job.database_url).await?, Bus::none());
    let mut out = connection.copy_out_raw(include_str!("sql/copy_events.sql")).await?;
    while out.try_next().await?.is_some() {}
    drop(out);
    let mut parts = Vec::new();
    for model in &models {
        let started = Instant::now();
        let mut copy = connection.copy_in_raw(&model.copy_in).await?;
        copy.send(model.rows.as_slice()).await?;
        let rows = copy.finish().await?;
        parts.push(Part { name: model.name.clone(), rows, seconds: started.elapsed().as_secs_f64() });
    }
    let turn = meter.stop(u64::try_from(events).unwrap_or(0), Latency::default());
    for model in &models {
        sqlx::raw_sql(AssertSqlSafe(model.discard.clone())).execute(&mut connection).await?;
    }
    Ok(Turn { parts, ..turn })
}

/// Every live read model, read before the clock runs.
async fn copied(pool: &PgPool) -> Result<Vec<Copied>, BenchError> {
    let found: Vec<(String, String, String, String, String)> = sqlx::query_as(include_str!("sql/model_copies.sql")).fetch_all(pool).await?;
    let mut connection = pool.acquire().await?;
    let mut models = Vec::with_capacity(found.len());
    for (name, copy_out, make, copy_in, discard) in found {
        let mut out = connection.copy_out_raw(&copy_out).await?;
        let mut rows = Vec::new();
        while let Some(chunk) = out.try_next().await? {
            rows.extend_from_slice(&chunk);
        }
        drop(out);
        models.push(Copied { name, make, copy_in, discard, rows });
    }
    Ok(models)
}

fn told(error: impl std::fmt::Display) -> BenchError {
    BenchError::Client(error.to_string())
}
