//! One turn of the verification or of its floor, in a process of its own, with what it and the database server spent.

use super::super::{
    scratch::BenchError,
    server::Server,
    usage::{self, own_cpu_seconds},
};
use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use std::{process::Stdio, time::Instant};
use tokio::process::Command;

/// What a turn does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum What {
    /// COPY and hashing.
    Floor,
    /// Everything that `hilt-replay verify` checks.
    Verify,
}

/// What a turn came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Turn {
    /// Events.
    pub events: u64,
    /// Receipts; the floor does not look.
    pub receipts: u64,
    /// Streams; the floor does not look.
    pub streams: u64,
    /// Root of the tree.
    pub root: String,
    /// How long it took.
    pub seconds: f64,
    /// CPU seconds of the process.
    pub client_cpu_seconds: f64,
    /// CPU seconds of the database server; 0 where it is on another machine.
    pub server_cpu_seconds: f64,
    /// CPU seconds in which signatures of receipts were checked, in part of the process's.
    pub signature_cpu_seconds: f64,
    /// The most memory that the process had.
    pub peak_memory_bytes: u64,
    /// Bytes that it laid aside on disk.
    pub spilled_bytes: u64,
}

impl Turn {
    /// CPU seconds of both ends.
    pub fn cpu_seconds(&self) -> f64 {
        self.client_cpu_seconds + self.server_cpu_seconds
    }

    /// Takes one in a new process.
    pub async fn take(what: What, url: &str, vkey: &str, server: &Server) -> Result<Self, BenchError> {
        let mut command = Command::new(std::env::current_exe().map_err(BenchError::Process)?);
        let name = match what {
            What::Floor => "floor",
            What::Verify => "verify",
        };
        command.args(["bench", "verify-turn", name]).env("HILT_ADMIN_DATABASE_URL", url).env("HILT_LOG_VKEY", vkey);
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
        let before = server.cpu_seconds();
        let output = command.output().await.map_err(BenchError::Process)?;
        let spent = server.cpu_seconds() - before;
        if !output.status.success() {
            return Err(BenchError::Client(format!("a turn of {name} failed: {}", String::from_utf8_lossy(&output.stdout))));
        }
        let turn: Turn = serde_json::from_slice(&output.stdout).map_err(|error| BenchError::Client(error.to_string()))?;
        Ok(Turn { server_cpu_seconds: spent, ..turn })
    }
}

/// Does it here, and says what it came to.
pub async fn run(what: What, url: &str, vkey: &str) -> Result<Turn, BenchError> {
    let pool = PgPoolOptions::new().max_connections(2).connect(url).await?;
    let told = |error: replay_tool::Failure| BenchError::Client(error.to_string());
    let (cpu, started) = (own_cpu_seconds(), Instant::now());
    let turn = match what {
        What::Floor => {
            let floor = replay_tool::floor(&pool).await.map_err(told)?;
            Turn::of(floor.events, floor.root)
        }
        What::Verify => {
            let options = replay_tool::VerifyOptions { vkey: Some(vkey.to_owned()), ..replay_tool::VerifyOptions::default() };
            let report = replay_tool::verify(&pool, &options, &|_| {}).await.map_err(told)?;
            let (receipts, streams, spilled_bytes) = (report.receipts, report.streams, report.spilled_bytes);
            Turn { receipts, streams, spilled_bytes, ..Turn::of(report.events, report.root) }
        }
    };
    let (client_cpu_seconds, seconds) = (own_cpu_seconds() - cpu, started.elapsed().as_secs_f64());
    let signature_cpu_seconds = turn.receipts as f64 * signature_cost();
    Ok(Turn { seconds, client_cpu_seconds, signature_cpu_seconds, peak_memory_bytes: usage::peak_memory("self"), ..turn })
}

/// CPU seconds of checking one Ed25519 signature over as many bytes as a receipt has, in this process.
fn signature_cost() -> f64 {
    const TIMES: u32 = 20_000;
    let (key, message) = (SigningKey::from_bytes(&[7; 32]), [7; 900]);
    let signature = key.sign(&message);
    let before = own_cpu_seconds();
    let held = (0..TIMES).filter(|_| key.verifying_key().verify_strict(&message, &signature).is_ok()).count();
    (own_cpu_seconds() - before) / held.max(1) as f64
}

impl Turn {
    fn of(events: u64, root: String) -> Self {
        Turn {
            events,
            receipts: 0,
            streams: 0,
            root,
            seconds: 0.0,
            client_cpu_seconds: 0.0,
            server_cpu_seconds: 0.0,
            signature_cpu_seconds: 0.0,
            peak_memory_bytes: 0,
            spilled_bytes: 0,
        }
    }
}
