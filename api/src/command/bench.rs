//! `hilt bench`: what the service does a second, beside what the machine could do with nothing around it.

use super::Refusal;
use api::{
    bench::{
        append::{self, AppendOptions, BenchReport},
        check::{self, CheckOptions, CheckReport, Rate},
        lifecycle::{self, LifecycleOptions},
        rebuild::{self, RebuildOptions},
        relay::{self, RelayOptions},
        scratch::BenchError,
        turn,
        verify::{self, Turn, VerifyOptions, VerifyReport, What as VerifyTurn},
        webhooks::{self, WebhooksOptions},
    },
    config::Config,
    listen,
    stack::{DevFile, Stack, StackOptions},
};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::{fmt::Display, path::PathBuf, process::ExitCode, time::Duration};

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
        /// How many events each turn counts.
        #[arg(long, default_value_t = 500_000)]
        events: u64,
        /// Events of one stream; with 1, every append begins a new one.
        #[arg(long, default_value_t = 10)]
        stream: u64,
        /// Events that are laid in before.
        #[arg(long, default_value_t = 0)]
        present: u64,
        /// How often the log and its floor take turns; the median counts.
        #[arg(long, default_value_t = 3)]
        turns: usize,
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
    /// Every read model built anew from a log of whole payments, beside COPY of the events out and of the rows in.
    ///
    /// Measured where `append` is.
    Rebuild {
        /// How many events there are at least.
        #[arg(long, default_value_t = 100_000)]
        events: u64,
        /// How often the two take turns; the median counts.
        #[arg(long, default_value_t = 3)]
        turns: usize,
        /// One JSON line instead of text.
        #[arg(long)]
        json: bool,
    },
    /// The relay from the log to JetStream, beside bare publishing of the same bytes; then from a commit to a committed row of a read
    /// model, at half of what relay and runners bear.
    ///
    /// Measured where `append` is; with HILT_ADMIN_DATABASE_URL, on the nats-server of HILT_NATS_URL.
    Relay {
        /// How many events are published at least.
        #[arg(long, default_value_t = 200_000)]
        events: u64,
        /// How often the two take turns; the median counts.
        #[arg(long, default_value_t = 3)]
        turns: usize,
        /// How many payments find out what the whole chain bears.
        #[arg(long, default_value_t = 3_000)]
        payments: u64,
        /// How many seconds it then runs at half of that.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// One JSON line instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Deliveries of webhooks to receivers on this machine, beside bare posts of the same size; then from an event to its message at a
    /// steady rate.
    ///
    /// Measured where `append` is.
    Webhooks {
        /// How many receivers are told of every payment.
        #[arg(long, default_value_t = 4)]
        endpoints: u64,
        /// How many deliveries wait when a turn begins, at least.
        #[arg(long, default_value_t = 10_000)]
        deliveries: u64,
        /// How often the two take turns; the median counts.
        #[arg(long, default_value_t = 3)]
        turns: usize,
        /// Deliveries a second of the steady run.
        #[arg(long, default_value_t = 300.0)]
        rate: f64,
        /// How many seconds it lasts.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// One JSON line instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Lifecycles from the session to the delivered webhook, beside their bare appends; then sessions over HTTP, beside a route that
    /// appends the same bytes bare.
    ///
    /// Measured where `append` is.
    Lifecycle {
        /// How many lifecycles go on at the same time, and how many connections ask for sessions.
        #[arg(long, default_value_t = 128)]
        clients: u64,
        /// How many lifecycles are counted.
        #[arg(long, default_value_t = 10_000)]
        lifecycles: u64,
        /// Seconds of one turn of sessions over HTTP.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// How often each and its floor take turns; the median counts.
        #[arg(long, default_value_t = 3)]
        turns: usize,
        /// One JSON line instead of text.
        #[arg(long)]
        json: bool,
    },
    /// The receiver of `webhooks`, for its own process.
    #[command(hide = true)]
    WebhooksReceiver,
    /// The bare route of `lifecycle`, for its own process; the database is that of HILT_ADMIN_DATABASE_URL.
    #[command(hide = true)]
    LifecycleFloor {
        /// Position of a session's first event.
        from: u64,
        /// How many events it has.
        count: u64,
        /// Bytes of an answer.
        length: usize,
    },
    /// One turn of a measurement, for its own process; which one is read from standard input.
    #[command(hide = true)]
    Turn,
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
        match self.what {
            What::CheckFloor { length } => check::serve_floor(listen::bind(config.listen).await?, length).await?,
            What::WebhooksReceiver => webhooks::serve_receiver(listen::bind(config.listen).await?).await?,
            What::LifecycleFloor { from, count, length } => {
                let url = scratch_url(&config)?;
                let served = lifecycle::serve_floor(listen::bind(config.listen).await?, &url, from, count, length).await;
                served.map_err(|error| super::with_causes(&error))?;
            }
            What::VerifyTurn { what, vkey } => {
                let turn = verify::run_turn(what, &scratch_url(&config)?, &vkey).await.map_err(|error| super::with_causes(&error))?;
                println!("{}", serde_json::to_string(&turn)?);
            }
            What::Turn => {
                let turn = turn::run(&std::io::read_to_string(std::io::stdin())?).await.map_err(|error| super::with_causes(&error))?;
                println!("{}", serde_json::to_string(&turn)?);
            }
            what => {
                let servers = Servers::of(&config).await?;
                let printed = measure(what, &servers).await;
                if let Some(stack) = servers.stack {
                    stack.throw_away().await?;
                }
                printed.map_err(|error| super::with_causes(&error))??;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn scratch_url(config: &Config) -> Result<String, Refusal> {
    Ok(config.admin_database_url.as_ref().ok_or("a part of a measurement needs HILT_ADMIN_DATABASE_URL")?.expose().clone())
}

/// Measures, and prints what was measured.
async fn measure(what: What, servers: &Servers) -> Result<Result<(), Refusal>, BenchError> {
    let admin_url = servers.admin_url.clone();
    Ok(match what {
        What::Append { clients, events, stream, present, turns, json } => {
            print(&append::run(AppendOptions { admin_url, clients, events, stream, present, turns }).await?, json)
        }
        What::Check { connections, entitlements, seconds, turns, json } => {
            let turn = Duration::from_secs(seconds);
            print_check(&check::run(CheckOptions { admin_url, connections, entitlements, turn, turns }).await?, json)
        }
        What::Verify { events, turns, json } => print_verify(&verify::run(VerifyOptions { admin_url, events, turns }).await?, json),
        What::Rebuild { events, turns, json } => show(&rebuild::run(RebuildOptions { admin_url, events, turns }).await?, json),
        What::Relay { events, turns, payments, seconds, json } => {
            let Some(nats_url) = servers.nats_url.clone() else {
                return Ok(Err("HILT_NATS_URL is needed beside HILT_ADMIN_DATABASE_URL".into()));
            };
            show(&relay::run(RelayOptions { admin_url, nats_url, events, turns, payments, seconds }).await?, json)
        }
        What::Webhooks { endpoints, deliveries, turns, rate, seconds, json } => {
            let options = WebhooksOptions { admin_url, endpoints, deliveries, turns, rate, seconds };
            show(&webhooks::run(options).await?, json)
        }
        What::Lifecycle { clients, lifecycles, seconds, turns, json } => {
            let turn = Duration::from_secs(seconds);
            show(&lifecycle::run(LifecycleOptions { admin_url, clients, lifecycles, turn, turns }).await?, json)
        }
        What::CheckFloor { .. } | What::VerifyTurn { .. } | What::Turn | What::WebhooksReceiver | What::LifecycleFloor { .. } => Ok(()),
    })
}

/// The servers to measure, and the stack that was started for them.
struct Servers {
    admin_url: String,
    nats_url: Option<String>,
    stack: Option<Stack>,
}

impl Servers {
    /// Those that the configuration names, else those of the running `hilt dev`, else new ones.
    async fn of(config: &Config) -> Result<Self, Refusal> {
        if let Some(url) = &config.admin_database_url {
            let nats_url = config.nats_url.as_ref().map(|url| url.expose().clone());
            return Ok(Servers { admin_url: url.expose().clone(), nats_url, stack: None });
        }
        if let Ok(text) = std::fs::read_to_string(config.data_dir.join("dev.json")) {
            let running: DevFile = serde_json::from_str(&text)?;
            return Ok(Servers { admin_url: running.admin_database_url, nats_url: Some(running.nats_url), stack: None });
        }
        let data_dir: PathBuf = std::env::temp_dir().join(format!("hilt-bench-{}", std::process::id()));
        let stack = Stack::start(StackOptions { data_dir, progress: Box::new(|line| eprintln!("hilt: {line}")) }).await?;
        Ok(Servers { admin_url: stack.admin_database_url.clone(), nats_url: Some(stack.nats_url.clone()), stack: Some(stack) })
    }
}

fn show(report: &(impl Serialize + Display), json: bool) -> Result<(), Refusal> {
    match json {
        true => println!("{}", serde_json::to_string(report)?),
        false => println!("{report}"),
    }
    Ok(())
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
        "  {}; CPU s: {:.1} of this process, {:.1} of PostgreSQL, {:.1} of the floor's; {} MiB",
        report.latency,
        report.cpu_seconds,
        report.server_cpu_seconds,
        report.floor_cpu_seconds,
        report.peak_memory_bytes >> 20
    );
    println!("  one alone: {}", report.lone);
    println!("  one row committed bare: {}; ratios of the turns {:.2?}", report.lone_floor, report.ratios);
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
