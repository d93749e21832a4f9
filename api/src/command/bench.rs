//! `hilt bench`: what the service does a second, beside what the machine could do with nothing around it.

use super::Refusal;
use api::{
    bench::append::{self, AppendOptions, BenchReport},
    config::Config,
    stack::{DevFile, Stack, StackOptions},
};
use clap::{Args, Subcommand};
use std::{path::PathBuf, process::ExitCode};

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
}

impl Bench {
    /// Measures and prints.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        let What::Append { clients, events, json } = self.what;
        let (admin_url, stack) = server(&config).await?;
        let measured = append::run(AppendOptions { admin_url, clients, events }).await;
        if let Some(stack) = stack {
            stack.throw_away().await?;
        }
        print(&measured.map_err(|error| super::with_causes(&error))?, json)?;
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
