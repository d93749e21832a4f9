//! The subcommands of `hilt`, one file each.

mod dev;
mod stack;

use api::config::{self, Config};
use clap::{Parser, Subcommand};
use std::{error::Error, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};

/// One sentence for the person who typed the command.
pub type Refusal = Box<dyn Error>;

/// An event-sourced payment ledger.
#[derive(Parser)]
#[command(name = "hilt", version, after_help = config::help(), after_long_help = config::help())]
pub struct Cli {
    /// Settings as a TOML file; HILT_* variables win over it.
    #[arg(long, global = true, env = "HILT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the embedded PostgreSQL and NATS and the service on top of them.
    Dev(dev::Dev),
    /// Start the embedded PostgreSQL and NATS alone, for tests.
    #[command(hide = true)]
    Stack(stack::Stack),
}

impl Cli {
    /// Runs the chosen subcommand to its end.
    pub async fn run(self) -> Result<ExitCode, Refusal> {
        let config = Config::load(self.config.as_deref())?;
        match self.command {
            Command::Dev(command) => command.run(config).await,
            Command::Stack(command) => command.run(config).await,
        }
    }
}

/// Returns when the process is asked to end: Ctrl-C, SIGTERM, or the terminal going away.
async fn asked_to_end() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}
