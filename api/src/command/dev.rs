//! `hilt dev`: everything in one process on this machine.

use super::{Refusal, asked_to_end};
use api::{
    config::Config,
    listen,
    stack::{Stack, StackOptions},
};
use clap::Args;
use std::{process::ExitCode, time::Instant};
use tokio::net::TcpListener;

/// The options of `hilt dev`.
#[derive(Args)]
pub struct Dev {
    /// Do what a start does, then stop and exit.
    #[arg(long)]
    once: bool,
}

impl Dev {
    /// Starts the stack, serves until asked to end, stops the stack.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        // The cheap refusal first: a taken port starts nothing.
        let listener = listen::bind(config.listen).await?;
        let begun = Instant::now();
        let options = StackOptions { data_dir: config.data_dir.clone(), progress: Box::new(|line| eprintln!("hilt: {line}")) };
        let stack = tokio::select! {
            started = Stack::start(options) => started?,
            asked = asked_to_end() => {
                asked?;
                return Ok(ExitCode::FAILURE);
            }
        };
        report(&stack, begun);
        let served = tokio::select! {
            served = serve(&self, &config, &stack, listener) => served,
            failure = stack.failed() => Err(failure.into()),
        };
        stack.stop().await;
        served.map(|()| ExitCode::SUCCESS)
    }
}

/// What a person wants to know of a start.
fn report(stack: &Stack, begun: Instant) {
    let (data, seconds) = (stack.data_dir().display(), begun.elapsed().as_secs_f64());
    if stack.is_first_start {
        eprintln!("hilt: created the database hilt (owner hilt_admin, service role hilt) and a JetStream store in {data}");
        eprintln!("hilt: their passwords are in {}, readable by this user only", stack.credentials_file().display());
    }
    if let Some(place) = stack.postgres_elsewhere() {
        eprintln!("hilt: PostgreSQL's own user cannot enter {data}, so its files are in {}", place.display());
    }
    eprintln!("hilt: PostgreSQL and nats-server are up after {seconds:.1} s");
}

/// Serving starts here, on a stack that is up and a port that is ours. Returns when it is over.
async fn serve(dev: &Dev, _config: &Config, _stack: &Stack, _listener: TcpListener) -> Result<(), Refusal> {
    if !dev.once {
        asked_to_end().await?;
    }
    Ok(())
}
