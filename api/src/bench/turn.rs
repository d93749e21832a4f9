//! A measurement and its floor, taken in turns. Each turn is a process of its own, so that its CPU time and memory are its own, too;
//! the turn with the median ratio counts.

use super::{
    lifecycle, rebuild, relay,
    scratch::BenchError,
    scratch_log::ScratchLog,
    server::{Bus, Server},
    usage::{self, own_cpu_seconds},
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// What a turn does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Every read model, built anew.
    Rebuild,
    /// COPY of the events out, and of those models' rows in.
    RebuildFloor,
    /// The relay, from the first event to the last.
    Relay,
    /// The same bytes, published bare.
    RelayFloor,
    /// From a commit to a committed row, through JetStream.
    Follow,
    /// Whole lifecycles, each stage an append of its own.
    Lifecycle,
    /// The appends of as many, bare.
    LifecycleFloor,
}

/// A turn to take. It travels by standard input, since it holds a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// What to do.
    pub what: What,
    /// The scratch database.
    pub database_url: String,
    /// Its master key, in hexadecimal digits.
    pub master_key: String,
    /// A nats-server, where one takes part.
    pub nats_url: Option<String>,
    /// How many to do.
    pub count: u64,
    /// How many do it at the same time.
    pub clients: u64,
    /// How many seconds it goes on, where it is paced.
    pub seconds: u64,
    /// How many a second, where it is paced.
    pub rate: f64,
}

/// What a turn came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Turn {
    /// How many were done.
    pub count: u64,
    /// How long it took.
    pub seconds: f64,
    /// How many a second.
    pub per_second: f64,
    /// CPU seconds of the process.
    pub client_cpu_seconds: f64,
    /// CPU seconds of the database server; 0 where it is on another machine.
    pub server_cpu_seconds: f64,
    /// CPU seconds of who else takes part: nats-server, or the receiver of webhooks; 0 where it is on another machine.
    pub other_cpu_seconds: f64,
    /// How long one took.
    #[serde(flatten)]
    pub latency: Latency,
    /// The most memory that the process had.
    pub peak_memory_bytes: u64,
    /// What it consists of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// A part of a turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    pub name: String,
    /// Rows that it wrote.
    pub rows: u64,
    /// How long it took.
    pub seconds: f64,
}

/// How long things took, in microseconds; 0 where nothing was timed by itself.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// Half of them at most.
    pub p50_us: u64,
    /// 99 in a hundred.
    pub p99_us: u64,
    /// 999 in a thousand.
    pub p999_us: u64,
}

impl Latency {
    /// Of these, in microseconds.
    pub fn of(mut taken: Vec<u64>) -> Self {
        taken.sort_unstable();
        let last = taken.len().saturating_sub(1);
        let at = |permille: usize| taken.get(last * permille / 1_000).copied().unwrap_or_default();
        Latency { p50_us: at(500), p99_us: at(990), p999_us: at(999) }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {} µs, p99 {} µs, p999 {} µs", self.p50_us, self.p99_us, self.p999_us)
    }
}

/// A rate without its fraction, rounded up.
pub fn whole(rate: f64) -> u64 {
    Duration::from_secs_f64(rate.max(0.0)).as_secs() + 1
}

/// Microseconds since then.
pub fn micros_since(then: Instant) -> u64 {
    u64::try_from(then.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// What a turn spends from a moment on.
pub struct Meter {
    server: Server,
    bus: Bus,
    started: Instant,
    spent: (f64, f64, f64),
}

impl Meter {
    /// Begins to measure.
    pub fn start(server: Server, bus: Bus) -> Self {
        let spent = (own_cpu_seconds(), server.cpu_seconds(), bus.cpu_seconds());
        Meter { server, bus, started: Instant::now(), spent }
    }

    /// The turn that ends now, in which `count` things were done.
    pub fn stop(self, count: u64, latency: Latency) -> Turn {
        let seconds = self.started.elapsed().as_secs_f64();
        let (client, server, bus) = self.spent;
        Turn {
            count,
            seconds,
            per_second: count as f64 / seconds,
            client_cpu_seconds: own_cpu_seconds() - client,
            server_cpu_seconds: self.server.cpu_seconds() - server,
            other_cpu_seconds: self.bus.cpu_seconds() - bus,
            latency,
            peak_memory_bytes: usage::peak_memory("self"),
            parts: Vec::new(),
        }
    }
}

/// A measurement beside its floor.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The turn with the median ratio.
    pub measured: Turn,
    /// Its floor, taken just before.
    pub floor: Turn,
    /// Measured rate over the floor's.
    pub ratio: f64,
    /// The ratio of each turn, from the smallest.
    pub ratios: Vec<f64>,
}

impl Compared {
    /// The one with the median ratio among `turns`, each a floor and what was measured after it.
    pub fn of(turns: Vec<(Turn, Turn)>) -> Result<Self, BenchError> {
        let ratio = |(floor, measured): &(Turn, Turn)| measured.per_second / floor.per_second;
        let mut turns: Vec<_> = turns.into_iter().map(|turn| (ratio(&turn), turn)).collect();
        turns.sort_by(|one, other| one.0.total_cmp(&other.0));
        let ratios: Vec<f64> = turns.iter().map(|turn| turn.0).collect();
        let middle = turns.len() / 2;
        let (ratio, (floor, measured)) = turns.into_iter().nth(middle).ok_or_else(|| BenchError::Client("no turn was taken".to_owned()))?;
        Ok(Compared { measured, floor, ratio, ratios })
    }

    /// Tells a human, one line for each of the two and one for the ratio.
    pub fn write(&self, f: &mut fmt::Formatter<'_>, names: [&str; 2], counted: &str) -> fmt::Result {
        for (name, turn) in names.into_iter().zip([&self.measured, &self.floor]) {
            write!(f, "  {name:<10} {:>9.0} {counted}/s in {:.2} s; CPU s: ", turn.per_second, turn.seconds)?;
            write!(f, "{:.2} of the process, {:.2} of PostgreSQL", turn.client_cpu_seconds, turn.server_cpu_seconds)?;
            if turn.other_cpu_seconds > 0.0 {
                write!(f, ", {:.2} of the other server", turn.other_cpu_seconds)?;
            }
            writeln!(f, "; {} MiB; {}", turn.peak_memory_bytes >> 20, turn.latency)?;
        }
        writeln!(f, "  ratio {:.2}, of {:.2?}", self.ratio, self.ratios)
    }

    /// Takes turns: first one of each that does not count, since it reads what the server has not read before.
    pub async fn take(job: &Job, floor: What, turns: usize) -> Result<Self, BenchError> {
        let floor = Job { what: floor, ..job.clone() };
        take(job).await?;
        take(&floor).await?;
        let mut taken = Vec::new();
        for _ in 0..turns.max(1) {
            let floor = take(&floor).await?;
            taken.push((floor, take(job).await?));
        }
        Compared::of(taken)
    }
}

/// Takes a turn in a new process.
pub async fn take(job: &Job) -> Result<Turn, BenchError> {
    let mut command = Command::new(std::env::current_exe().map_err(BenchError::Process)?);
    command.args(["bench", "turn"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = command.spawn().map_err(BenchError::Process)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(&serde_json::to_vec(job).map_err(told)?).await.map_err(BenchError::Process)?;
    }
    let output = child.wait_with_output().await.map_err(BenchError::Process)?;
    if !output.status.success() {
        return Err(BenchError::Client(format!("a turn of {:?} failed: {}", job.what, String::from_utf8_lossy(&output.stdout))));
    }
    serde_json::from_slice(&output.stdout).map_err(told)
}

/// Takes the turn that `job` describes, in this process.
pub async fn run(job: &str) -> Result<Turn, BenchError> {
    let job: Job = serde_json::from_str(job).map_err(told)?;
    match job.what {
        What::Rebuild => rebuild::turn(&job).await,
        What::RebuildFloor => rebuild::floor(&job).await,
        What::Relay => relay::turn(&job).await,
        What::RelayFloor => relay::floor(&job).await,
        What::Follow => relay::follow(&job).await,
        What::Lifecycle => lifecycle::turn(&job).await,
        What::LifecycleFloor => lifecycle::floor(&job).await,
    }
}

impl Job {
    /// What to do in the database of `scratch`, at `url`; how many, by how many and how fast is added.
    pub fn new(what: What, url: &str, scratch: &ScratchLog) -> Self {
        let (database_url, master_key) = (url.to_owned(), hex::encode(scratch.master_key));
        Job { what, database_url, master_key, nats_url: None, count: 0, clients: 0, seconds: 0, rate: 0.0 }
    }

    /// The master key.
    pub fn master_key(&self) -> Result<[u8; 32], BenchError> {
        let mut key = [0; 32];
        hex::decode_to_slice(&self.master_key, &mut key).map_err(told)?;
        Ok(key)
    }
}

fn told(error: impl std::fmt::Display) -> BenchError {
    BenchError::Client(error.to_string())
}
