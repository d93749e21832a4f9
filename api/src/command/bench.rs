//! `hilt bench`: what the service does a second, beside what the machine could do with nothing around it.

use super::Refusal;
use api::{
    bench::{
        append::{self, AppendOptions, BenchReport},
        check::{self, CheckOptions, CheckReport, Rate},
        verify::{self, Turn, VerifyOptions, VerifyReport, What as VerifyTurn},
    },
    config::Config,
    listen,
    stack::{DevFile, Stack, StackOptions},
};
use clap::{Args, Subcommand};
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// The options of `hilt bench`.
#[derive(Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Appends of one event to short streams, each at its expected version, each waiting for its answer.
    ///
    /// Measured on the server of HILT_ADMIN_DATABASE_URL, else of the running `hilt dev`, else on a throw-away stack; always in
    /// a scratch database of its own.
    Append {
        /// How many append at the same time.
        #[arg(long, default_value_t = 128)]
        clients: u64,
        /// How many events are counted.
        #[arg(long, default_value_t = 500_000)]
        events: u64,
        /// One JSON line instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Entitlement checks over HTTP, with many entitlements in the index, beside a bare route; then at half of that rate while
    /// access is taken away 100 times a second.
    ///
    /// Measured where `append` is.
    Check {
        /// How many connections ask at the same time.
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// How many entitlements there are.
        #[arg(long, default_value_t = 1_000_000)]
        entitlements: u64,
        /// Seconds of one turn of the service or of the bare route.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// How often the two take turns; the median counts.
        #[arg(long, default_value_t = 5)]
        turns: usize,
        /// One JSON line instead of text.
        #[arg(long)]
        json: bool,
    },
    /// The CPU that verifying a log of whole payments costs, beside COPY at both ends and the hashing alone, each in a process of its
    /// own; and the memory that it takes.
    ///
    /// Measured where `append` is.
    Verify {
        /// How many events there are at least.
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
        /// How often the two take turns; the median counts.
        #[arg(long, default_value_t = 3)]
        turns: usize,
        /// One JSON line instead of text.
        #[arg(long)]
        json: bool,
    },
    /// One turn of `verify`, for its own process; the database is that of HILT_ADMIN_DATABASE_URL.
    #[command(hide = true)]
    VerifyTurn {
        /// What to do.
        what: VerifyTurn,
        /// The log's verifier key.
        #[arg(env = "HILT_LOG_VKEY")]
        vkey: String,
    },
    /// The bare route of `check`, for its own process.
    #[command(hide = true)]
    CheckFloor {
        /// Bytes of an answer.
        length: usize,
    },
}

impl Bench {
    /// Measures and prints.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        if let What::CheckFloor { length } = self.what {
            check::serve_floor(listen::bind(config.listen).await?, length).await?;
            return Ok(ExitCode::SUCCESS);
        }
        if let What::VerifyTurn { what, vkey } = self.what {
            let url = config.admin_database_url.ok_or("a turn needs HILT_ADMIN_DATABASE_URL")?;
            let turn = verify::run_turn(what, url.expose(), &vkey).await.map_err(|error| super::with_causes(&error))?;
            println!("{}", serde_json::to_string(&turn)?);
            return Ok(ExitCode::SUCCESS);
        }
        let (admin_url, stack) = server(&config).await?;
        let printed = match self.what {
            What::Append { clients, events, json } => {
                let measured = append::run(AppendOptions { admin_url, clients, events }).await;
                measured.map(|report| print(&report, json))
            }
            What::Check { connections, entitlements, seconds, turns, json } => {
                let turn = Duration::from_secs(seconds);
                let measured = check::run(CheckOptions { admin_url, connections, entitlements, turn, turns }).await;
                measured.map(|report| print_check(&report, json))
            }
            What::Verify { events, turns, json } => {
                let measured = verify::run(VerifyOptions { admin_url, events, turns }).await;
                measured.map(|report| print_verify(&report, json))
            }
            What::CheckFloor { .. } | What::VerifyTurn { .. } => Ok(Ok(())),
        };
        if let Some(stack) = stack {
            stack.throw_away().await?;
        }
        printed.map_err(|error| super::with_causes(&error))??;
        Ok(ExitCode::SUCCESS)
    }
}

/// The server to measure, and the stack that was started for it.
async fn server(config: &Config) -> Result<(String, Option<Stack>), Refusal> {
    if let Some(url) = &config.admin_database_url {
        return Ok((url.expose().clone(), None));
    }
    if let Ok(text) = std::fs::read_to_string(config.data_dir.join("dev.json")) {
        let running: DevFile = serde_json::from_str(&text)?;
        return Ok((running.admin_database_url, None));
    }
    let data_dir: PathBuf = std::env::temp_dir().join(format!("hilt-bench-{}", std::process::id()));
    let stack = Stack::start(StackOptions { data_dir, progress: Box::new(|line| eprintln!("hilt: {line}")) }).await?;
    Ok((stack.admin_database_url.clone(), Some(stack)))
}

fn print(report: &BenchReport, json: bool) -> Result<(), Refusal> {
    if json {
        println!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    println!("{} events by {} clients in {:.2} s", report.events, report.clients, report.seconds);
    println!("  {:>10.0} events/s, {:.0} a batch, {} bytes a payload", report.events_per_second, report.batch, report.payload_bytes);
    println!("  {:>10.0} events/s into a bare table in batches of that size; ratio {:.2}", report.floor_events_per_second, report.ratio);
    println!(
        "  p50 {} µs, p99 {} µs, p999 {} µs; {:.1} CPU s of this process",
        report.p50_us, report.p99_us, report.p999_us, report.cpu_seconds
    );
    Ok(())
}

fn print_check(report: &CheckReport, json: bool) -> Result<(), Refusal> {
    if json {
        println!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    let show = |what: &str, rate: &Rate| {
        println!(
            "  {:>9.0} a second {what}: p50 {} µs, p99 {} µs, p999 {} µs; CPU {:.1} s of the server, {:.1} s of the client",
            rate.requests_per_second, rate.p50_us, rate.p99_us, rate.p999_us, rate.server_cpu_seconds, rate.client_cpu_seconds
        );
    };
    println!("{} entitlements, {} connections, turns of {:.0} s", report.entitlements, report.connections, report.seconds);
    show("checks", &report.check);
    show("at a bare route", &report.floor);
    println!("  ratio {:.2}, of {:.2?}", report.ratio, report.ratios);
    show("at half of it, with revocations", &report.half.rate);
    let revoked = &report.half.revocations;
    println!(
        "  {} revocations, {:.0} a second: denied after {} µs (half), {} µs (99 %), {} µs (all)",
        revoked.revocations, revoked.per_second, revoked.denied_after_p50_us, revoked.denied_after_p99_us, revoked.denied_after_max_us
    );
    println!(
        "  filled in {} ms, {:.0} bytes an entitlement, {} MiB at most in the process, {} checks left to PostgreSQL",
        report.load_ms,
        report.bytes_per_entitlement,
        report.peak_memory_bytes >> 20,
        report.fallbacks
    );
    Ok(())
}

fn print_verify(report: &VerifyReport, json: bool) -> Result<(), Refusal> {
    if json {
        println!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    let show = |what: &str, turn: &Turn| {
        let (client, server) = (turn.client_cpu_seconds, turn.server_cpu_seconds);
        let (cpu, memory) = (turn.cpu_seconds(), turn.peak_memory_bytes >> 20);
        println!("  {what:<8} {cpu:>6.2} CPU s: {client:.2} here, {server:.2} of the server; {:.2} s, {memory} MiB", turn.seconds);
    };
    println!("{} events in {} streams, {} receipts", report.events, report.streams, report.receipts);
    show("verify", &report.verify);
    show("floor", &report.floor);
    println!("  of the verification {:.2} CPU s are Ed25519 signatures of receipts", report.verify.signature_cpu_seconds);
    println!("  laid aside on disk: {} MiB", report.verify.spilled_bytes >> 20);
    println!("  ratio {:.2} without the signatures, of {:.2?}; {:.2} with them", report.ratio, report.ratios, report.ratio_with_signatures);
    Ok(())
}
