//! The command line of `hilt-replay`: one file for each subcommand, with its arguments and its `run`.

mod approval;
mod as_of;
mod attest;
mod certificate;
mod export;
mod history;
mod inspect;
mod models;
mod output;
mod reconcile;
mod state;
mod tail;
mod trail;
mod verify;
mod what_if;
mod witness;

use crate::{Failure, settings::Settings};
use clap::{Args, Parser, Subcommand};
use std::{io::Write as _, path::PathBuf, process::ExitCode};

/// Checks a Hilt ledger from its log, and tells what happened.
#[derive(Parser)]
#[command(name = "hilt-replay", version, after_long_help = output::exit_codes())]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every subcommand may be told.
#[derive(Args)]
struct Common {
    /// PostgreSQL; a role that may only read the log suffices for verify, trail and inspect.
    #[arg(long, global = true, env = "HILT_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The dev.json of a development service; by default the one in HILT_DATA_DIR (or .hilt).
    #[arg(long, global = true)]
    dev_file: Option<PathBuf>,
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Hold the whole log against everything it promises, and stop at the first break.
    Verify(verify::Verify),
    /// Write a part of the log as files that anybody can check without this database.
    Export(export::Export),
    /// Follow the log as it grows, and check each event as it comes.
    Tail(tail::Tail),
    /// Build read models anew from the log, beside those in use, put them in their place, and compare.
    Rebuild(models::Rebuild),
    /// Fold the log anew and compare with the read models in use, which stay as they are.
    Diff(models::Models),
    /// Put on record what the read models in use come to, in one number that every later checkpoint covers.
    Attest(attest::Attest),
    /// Show a read model as it was at a position or a time, with the proof that the log of then is part of the log of today.
    AsOf(as_of::AsOf),
    /// Fold the log without some events, and show what would be different; nothing is written.
    WhatIf(what_if::WhatIf),
    /// Hold a statement of a wallet or of Stripe against the log: what matched, what differs, what one side lacks.
    Reconcile(reconcile::Reconcile),
    /// After rebuild --shadow --swap: hold everything, and sign and record what was recovered.
    Certificate(certificate::Certificate),
    /// Tell the whole story that an id belongs to.
    Trail(trail::Trail),
    /// Lay one event open: header, payload, hashes, entry, place in the tree.
    Inspect(inspect::Inspect),
    /// Check that a log has only grown since the last time, and sign its newest checkpoint with a key of your own.
    Witness(witness::Witness),
    /// Write the complete history of a payment as a file that proves itself.
    History(history::History),
    /// Check a payment's history with the log's key, without a server.
    VerifyHistory(history::VerifyHistory),
    /// Check that two operators agreed, with the log's key and theirs, without a server.
    VerifyApproval(approval::VerifyApproval),
}

impl Common {
    /// Where the log is; `vkey` is the log's verifier key, where the caller brought one.
    fn settings(&self, vkey: Option<String>) -> Result<Settings, Failure> {
        Settings::find(self.database_url.clone(), self.dev_file.clone(), vkey)
    }
}

/// Parses the arguments, does what they ask, prints the outcome.
pub async fn run() -> ExitCode {
    let Cli { common, command } = Cli::parse();
    // Whoever reads line by line gets the break on one line, too.
    let shape = match (common.json, &command) {
        (false, _) => output::Shape::Text,
        (true, Command::Tail(_)) => output::Shape::Line,
        (true, _) => output::Shape::Document,
    };
    match command.run(&common).await {
        Ok(text) => {
            // Nobody is left to tell when the reader of the output is gone.
            _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            output::report(&failure, shape);
            ExitCode::from(failure.exit_code())
        }
    }
}

impl Command {
    /// What there is to print when all went well.
    async fn run(self, common: &Common) -> Result<String, Failure> {
        match self {
            Command::Verify(verify) => verify.run(common).await,
            Command::Export(export) => export.run(common).await,
            Command::Tail(tail) => tail.run(common).await,
            Command::Rebuild(rebuild) => rebuild.run(common).await,
            Command::Diff(models) => models.run(common, false).await,
            Command::Attest(attest) => attest.run(common).await,
            Command::AsOf(as_of) => as_of.run(common).await,
            Command::WhatIf(what_if) => what_if.run(common).await,
            Command::Reconcile(reconcile) => reconcile.run(common).await,
            Command::Certificate(certificate) => certificate.run(common).await,
            Command::Trail(trail) => trail.run(common).await,
            Command::Inspect(inspect) => inspect.run(common).await,
            Command::Witness(witness) => witness.run(common).await,
            Command::History(history) => history.run(common).await,
            Command::VerifyHistory(verify) => verify.run(common).await,
            Command::VerifyApproval(verify) => verify.run(common).await,
        }
    }
}
