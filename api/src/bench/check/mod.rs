//! Entitlement checks a second, with many entitlements loaded, beside a bare axum route that reads the same request and answers as
//! many bytes: the same client, the same connections, in turns. Then at half of that, while access is taken away.

mod client;
mod floor;
mod revoke;
mod world;

pub use floor::serve as serve_floor;

use super::{
    process::{Process, Service},
    scratch::{self, BenchError},
    usage::own_cpu_seconds,
};
use client::Target;
use revoke::Revoked;
use serde::Serialize;
use std::time::Duration;
use world::World;

/// Revocations a second while it runs at half of what it can.
const REVOCATIONS: u64 = 100;

/// What to measure.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// A database in the server to measure, as a role that may create databases and roles.
    pub admin_url: String,
    /// How many connections ask at the same time, each waiting for its answer before the next question.
    pub connections: usize,
    /// How many entitlements there are.
    pub entitlements: u64,
    /// How long each turn takes.
    pub turn: Duration,
    /// How often service and floor take turns; the median counts.
    pub turns: usize,
}

/// What was measured. Rates, ratio and latencies are those of the turn with the median ratio.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// `check`.
    pub bench: &'static str,
    /// Connections at the same time.
    pub connections: usize,
    /// Entitlements in the index.
    pub entitlements: u64,
    /// How long the index took to fill from the read models, in milliseconds.
    pub load_ms: u64,
    /// Bytes of the index for each entitlement.
    pub bytes_per_entitlement: f64,
    /// The most memory that the service had.
    pub peak_memory_bytes: u64,
    /// How long a turn took.
    pub seconds: f64,
    /// The service.
    pub check: Rate,
    /// The bare route.
    pub floor: Rate,
    /// The service's rate over the bare route's.
    pub ratio: f64,
    /// The ratio of each turn.
    pub ratios: Vec<f64>,
    /// At half of the service's rate, while access is taken away.
    pub half: Half,
    /// Checks that PostgreSQL answered, of all.
    pub fallbacks: u64,
}

/// What one server did in one turn.
#[derive(Clone, Debug, Serialize)]
pub struct Rate {
    /// Answers a second.
    pub requests_per_second: f64,
    /// Answers.
    pub requests: u64,
    /// Microseconds from question to answer, for half of them.
    pub p50_us: u64,
    /// For 99 in a hundred.
    pub p99_us: u64,
    /// For 999 in a thousand.
    pub p999_us: u64,
    /// CPU seconds of the server's process.
    pub server_cpu_seconds: f64,
    /// CPU seconds of the client's process.
    pub client_cpu_seconds: f64,
}

/// At half of the rate that was reached. Latencies count from when a question was due, whether or not it could be sent then.
#[derive(Clone, Debug, Serialize)]
pub struct Half {
    /// Answers.
    pub rate: Rate,
    /// What became of the revocations.
    pub revocations: Revoked,
}

/// Measures on a scratch database that exists only for the run.
pub async fn run(options: CheckOptions) -> Result<CheckReport, BenchError> {
    crate::app::install_tls();
    let scratch = scratch::make(&options.admin_url).await?;
    let report = measure(&scratch.url, &options).await;
    scratch.remove().await?;
    report
}

async fn measure(url: &str, options: &CheckOptions) -> Result<CheckReport, BenchError> {
    eprintln!("hilt: making {} entitlements", options.entitlements);
    let world = World::make(url, options.entitlements).await?;
    let service = Service { database_url: url, master_key: world.master_key_hex(), roles: "api,projections", settings: &[] };
    let service = Process::service(&service).await?;
    let question = |customer: u64| world.question(customer);
    let target = Target { address: service.address, question: &question, customers: world.askable() };
    let sample = target.ask_once(1).await?;
    let bare = Process::bare(&["check-floor", &sample.len().to_string()], &[]).await?;
    let floor = Target { address: bare.address, ..target };
    for warm in [&target, &floor] {
        warm.saturate(options.connections, options.turn / 4).await?;
    }
    let mut turns = Vec::new();
    for _ in 0..options.turns.max(1) {
        let floor = rate(&floor, &bare, options).await?;
        let check = rate(&target, &service, options).await?;
        turns.push((check.requests_per_second / floor.requests_per_second, check, floor));
    }
    turns.sort_by(|one, other| one.0.total_cmp(&other.0));
    let ratios = turns.iter().map(|turn| turn.0).collect();
    let (ratio, check, floor) = turns.swap_remove(turns.len() / 2);
    let half = half(&target, &service, &world, &check, options).await?;
    let told = service.index().await?;
    let number = |name: &str| told[name].as_u64().unwrap_or_default();
    Ok(CheckReport {
        bench: "check",
        connections: options.connections,
        entitlements: number("entitlements"),
        load_ms: number("loaded_in_ms"),
        bytes_per_entitlement: number("bytes") as f64 / number("entitlements").max(1) as f64,
        peak_memory_bytes: service.peak_memory(),
        seconds: options.turn.as_secs_f64(),
        check,
        floor,
        ratio,
        ratios,
        half,
        fallbacks: number("fallbacks"),
    })
}

async fn rate(target: &Target<'_>, server: &Process, options: &CheckOptions) -> Result<Rate, BenchError> {
    let (theirs, ours) = (server.cpu_seconds(), own_cpu_seconds());
    let answered = target.saturate(options.connections, options.turn).await?;
    Ok(answered.rate(server.cpu_seconds() - theirs, own_cpu_seconds() - ours))
}

async fn half(target: &Target<'_>, service: &Process, world: &World, check: &Rate, options: &CheckOptions) -> Result<Half, BenchError> {
    let pace = check.requests_per_second / 2.0;
    let (theirs, ours) = (service.cpu_seconds(), own_cpu_seconds());
    let (answered, revocations) =
        tokio::try_join!(target.pace(options.connections, options.turn, pace), revoke::go_on(world, target, options.turn, REVOCATIONS))?;
    Ok(Half { rate: answered.rate(service.cpu_seconds() - theirs, own_cpu_seconds() - ours), revocations })
}
