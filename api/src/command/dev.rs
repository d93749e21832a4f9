//! `hilt dev`: everything in one process on this machine.

use super::{Refusal, asked_to_end};
use api::{
    app::{self, Parts},
    config::Config,
    dev::{self, Credentials, Places},
    listen,
    stack::{DevFile, Stack, StackOptions},
    state::EntriesFor,
};
use clap::Args;
use events::{clock::Clock, log::Log, proof::Checkpointer};
use ledger::rails::Rails;
use replay_tool::VerifyOptions;
use std::{process::ExitCode, time::Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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
        // A person at a terminal wants the tour, not a line for each request; HILT_LOG brings those back.
        let asked = std::env::var_os("HILT_LOG").is_some();
        super::init_tracing(if asked { &config.log_filter } else { "warn" })?;
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
async fn serve(dev: &Dev, config: &Config, stack: &Stack, listener: TcpListener) -> Result<(), Refusal> {
    let mut config = config.clone();
    if config.fee_wallet.is_none() {
        config.fee_wallet = Some(dev::fee_wallet(stack.data_dir())?);
    }
    // Nobody's payments are in it, and other people's tools for logs like this one bring no credential.
    config.log_entries.get_or_insert(EntriesFor::Anyone);
    migrations::run(&stack.admin_database_url).await.map_err(|error| super::with_causes(&error))?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let (audience, log_origin) = (config.jwt_audience.clone(), config.log_origin.clone());
    let parts = Parts {
        config,
        database_url: stack.database_url.clone(),
        nats_url: Some(stack.nats_url.clone()),
        master_key: *stack.master_key.expose(),
        rails: Rails::standard(),
        clock: Clock::machine(),
        check_network: false,
    };
    let app = app::build(parts).await.map_err(|error| super::with_causes(&error))?;
    let state = app.state.clone();
    let (log, checkpointer) = (&state.log, &state.checkpointer);
    let credentials = Credentials::load(stack.data_dir(), log).await?;
    let over = CancellationToken::new();
    let serving = tokio::spawn(app.serve(listener, over.clone().cancelled_owned()));
    let places = Places {
        base_url: base_url.clone(),
        database_url: stack.database_url.clone(),
        admin_database_url: stack.admin_database_url.clone(),
        nats_url: stack.nats_url.clone(),
        log_origin,
        log_vkey: checkpointer.vkey().await?.to_string(),
    };
    if stack.is_first_start || dev.once {
        tour(&base_url, credentials.sandbox_key(), log, checkpointer).await?;
    }
    credentials.dev_file(&state.vault, &state.clock, &audience, places).await?.write(stack.data_dir())?;
    eprintln!(
        "hilt: ready at {base_url} (documentation at {base_url}/docs); credentials in {}",
        stack.data_dir().join("dev.json").display()
    );
    if !dev.once {
        asked_to_end().await?;
        eprintln!("hilt: stopping");
    }
    DevFile::remove(stack.data_dir());
    over.cancel();
    serving.await??;
    // The stack stops next, and connections that it cuts off would complain.
    log.pool().close().await;
    Ok(())
}

/// One sandbox payment from session to entitlement, its trail, and the result of verifying the whole log.
async fn tour(base_url: &str, sandbox_key: &str, log: &Log, checkpointer: &Checkpointer) -> Result<(), Refusal> {
    let demo = dev::run_demo(base_url, sandbox_key).await?;
    println!("One payment in the sandbox, over HTTP:");
    for step in &demo.steps {
        println!("  {step}");
    }
    let trail = replay_tool::trail(log.pool(), &demo.session_id.to_string()).await.map_err(|error| super::with_causes(&error))?;
    println!("\nIts trail in the log:\n{trail}");
    checkpointer.sign().await.map_err(|error| super::with_causes(&error))?;
    let options = VerifyOptions { vkey: Some(checkpointer.vkey().await?.to_string()), ..VerifyOptions::default() };
    let report = replay_tool::verify(log.pool(), &options, &|_| {}).await.map_err(|error| super::with_causes(&error))?;
    println!("The log verifies: {report}");
    Ok(())
}
