//! The subcommands of `hilt`, one file each.

mod bench;
mod dev;
mod erase_subject;
mod keys;
mod migrate;
mod open;
mod openapi;
mod operator;
mod serve;
mod stack;
mod token;

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
    /// Serve on a PostgreSQL and a NATS that are there already.
    Serve(serve::Serve),
    /// Bring the schema of the database up to date.
    Migrate(migrate::Migrate),
    /// Issue or revoke an API key.
    Keys(keys::Keys),
    /// Mint a token with the service's own key.
    Token(token::Token),
    /// Make an operator's own key, and sign with it what he asks for and approves.
    Operator(operator::Operator),
    /// Erase a person, on an approval of two members of staff: destroys one key, for good.
    EraseSubject(erase_subject::EraseSubject),
    /// Print the OpenAPI document of the public routes.
    Openapi(openapi::OpenApi),
    /// Print a Postman collection of the public routes.
    Postman(openapi::Postman),
    /// Measure what the service does a second, beside the machine's own floor.
    Bench(bench::Bench),
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
            Command::Serve(command) => command.run(config).await,
            Command::Migrate(command) => command.run(config).await,
            Command::Keys(command) => command.run(config).await,
            Command::Token(command) => command.run(config).await,
            Command::EraseSubject(command) => command.run(config).await,
            Command::Operator(command) => command.run(config).await,
            Command::Openapi(command) => command.run(config).await,
            Command::Postman(command) => command.run(config).await,
            Command::Bench(command) => command.run(config).await,
            Command::Stack(command) => command.run(config).await,
        }
    }
}

/// Logs to standard error: for a human on a terminal, as JSON lines otherwise.
fn init_tracing(filter: &str) -> Result<(), Refusal> {
    use std::io::IsTerminal as _;
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(|error| format!("HILT_LOG is not valid: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = match std::io::stderr().is_terminal() {
        true => builder.try_init(),
        false => builder.json().try_init(),
    };
    installed.map_err(|error| error.to_string().into())
}

/// An error and what caused it, in one sentence.
fn with_causes(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        sentence.push_str(": ");
        sentence.push_str(&cause.to_string());
        source = cause.source();
    }
    sentence
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
