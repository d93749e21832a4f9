//! The command line of `hilt-replay`.

use crate::{
    BreakClass, Failure, ModelHolds, ReceiptKeys, Tell, VerifyOptions, VerifyReport, diff, inspect, open_models, progress, rebuild,
    settings::Settings, trail, verify,
};
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use std::{fmt, fmt::Write as _, io::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

/// Checks a Hilt ledger from its log, and tells what happened.
#[derive(Parser)]
#[command(name = "hilt-replay", version, after_long_help = exit_codes())]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

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
    Verify(Verify),
    /// Build read models anew from the log, beside those in use, put them in their place, and compare.
    Rebuild(Models),
    /// Fold the log anew and compare with the read models in use, which stay as they are.
    Diff(Models),
    /// Tell the whole story that an id belongs to.
    Trail {
        /// Id of a payment, session, proof, receipt, membership, entitlement, ticket, delivery or event; a transaction signature; a
        /// memo; a position; a stream.
        id: String,
    },
    /// Lay one event open: header, payload, hashes, entry, place in the tree.
    Inspect {
        /// A position or an event id.
        event: String,
    },
}

#[derive(Args)]
struct Verify {
    /// The log's verifier key (C2SP signed-note); by default dev.json's, else the keys the database publishes.
    #[arg(long, env = "HILT_LOG_VKEY")]
    vkey: Option<String>,
    /// File with the published receipt keys as JWKS; by default the keys the database publishes.
    #[arg(long)]
    jwks: Option<PathBuf>,
    /// File with a signed checkpoint that the log must extend; may be given several times.
    #[arg(long = "checkpoint")]
    checkpoints: Vec<PathBuf>,
    /// Take rows before this position to be what their leaves say.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

#[derive(Args)]
struct Models {
    /// Which projection; may be given several times. All of them when none is named.
    #[arg(long = "projection", conflicts_with = "all")]
    projections: Vec<String>,
    /// Every projection.
    #[arg(long)]
    all: bool,
    /// Opens the personal data that models show; by default the development service's own. 64 hexadecimal digits.
    #[arg(long, env = "HILT_MASTER_KEY", hide_env_values = true)]
    master_key: Option<String>,
}

/// Parses the arguments, does what they ask, prints the outcome.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.common.json;
    match dispatch(cli).await {
        Ok(text) => {
            // Nobody is left to tell when the reader of the output is gone.
            _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            report(&failure, json);
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn dispatch(cli: Cli) -> Result<String, Failure> {
    let Common { database_url, dev_file, json } = cli.common;
    let settings = |vkey| Settings::find(database_url, dev_file, vkey);
    match cli.command {
        Command::Verify(args) => {
            let settings = settings(args.vkey.clone())?;
            let options = args.options(settings.vkey.clone())?;
            let bar = progress::bar("verifying", json);
            let report = verify(&settings.connect().await?, &options, &progress::mover(&bar)).await;
            bar.finish_and_clear();
            Ok(print(&Verified { ok: true, report: report? }, json))
        }
        Command::Rebuild(args) => args.run(settings(None)?, true, json).await,
        Command::Diff(args) => args.run(settings(None)?, false, json).await,
        Command::Trail { id } => Ok(print(&trail(&settings(None)?.connect().await?, &id).await?, json)),
        Command::Inspect { event } => Ok(print(&inspect(&settings(None)?.connect().await?, &event).await?, json)),
    }
}

impl Verify {
    fn options(self, vkey: Option<String>) -> Result<VerifyOptions, Failure> {
        let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())));
        let receipt_keys = match &self.jwks {
            Some(path) => Some(ReceiptKeys::from_jwks(&read(path)?).map_err(Failure::Input)?),
            None => None,
        };
        let checkpoints = self.checkpoints.iter().map(read).collect::<Result<_, _>>()?;
        Ok(VerifyOptions { vkey, receipt_keys, checkpoints, from: self.from })
    }
}

impl Models {
    async fn run(self, settings: Settings, anew: bool, json: bool) -> Result<String, Failure> {
        let pool = settings.connect().await?;
        let models = open_models(&pool, settings.master_key(self.master_key)?).await?;
        let names = match self.all || self.projections.is_empty() {
            true => models.names().iter().map(|&name| name.to_owned()).collect(),
            false => self.projections,
        };
        let bar = progress::bar("folding", json);
        let moved = bar.clone();
        let tell: Tell = Arc::new(move |name, progress| {
            moved.set_message(name.to_owned());
            progress::mover(&moved)(progress);
        });
        let held = match anew {
            true => rebuild(&models, &names, &tell).await,
            false => diff(&models, &names, &tell).await,
        };
        bar.finish_and_clear();
        Ok(print(&Held { ok: true, models: held? }, json))
    }
}

#[derive(Serialize)]
struct Held {
    ok: bool,
    models: Vec<ModelHolds>,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The read models are what the log folds to.")?;
        self.models.iter().try_for_each(|ModelHolds { projection, checkpoint, rows, rebuilt }| {
            let at = checkpoint.map_or("before the first event".to_owned(), |position| format!("at position {position}"));
            let anew = if *rebuilt { ", built anew" } else { "" };
            writeln!(f, "  {projection:<20} {rows} rows {at}{anew}")
        })
    }
}

#[derive(Serialize)]
struct Verified {
    ok: bool,
    #[serde(flatten)]
    report: VerifyReport,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VerifyReport { events, root, streams, claims, receipts, checkpoints, signed_size, log_key, receipt_keys, milliseconds } = self;
        writeln!(f, "The log holds.")?;
        writeln!(f, "  events       {events} in {streams} streams")?;
        writeln!(f, "  root         {root}")?;
        writeln!(f, "  checkpoints  {checkpoints}, the newest signs {signed_size} events (key: {log_key})")?;
        writeln!(f, "  receipts     {receipts} (keys: {receipt_keys})")?;
        writeln!(f, "  claims       {claims}")?;
        writeln!(f, "  took         {milliseconds} ms")
    }
}

fn print<T: Serialize + fmt::Display>(value: &T, json: bool) -> String {
    match json {
        true => serde_json::to_string_pretty(value).map_or_else(|_| String::new(), |text| text + "\n"),
        false => value.to_string(),
    }
}

/// Breaks go where the outcome goes, and in JSON so does everything; what kept the tool from an outcome goes to standard error.
fn report(failure: &Failure, json: bool) {
    let text = match failure {
        Failure::Broken(found) if json => format!("{:#}\n", serde_json::json!({ "ok": false, "break": found })),
        Failure::Broken(found) => format!("It does not hold.\n  {found}\n"),
        _ if json => format!("{:#}\n", serde_json::json!({ "ok": false, "error": causes(failure) })),
        _ => {
            eprintln!("hilt-replay: {}", causes(failure));
            return;
        }
    };
    _ = std::io::stdout().write_all(text.as_bytes());
}

/// An error and what it came from, in one line.
fn causes(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = std::error::Error::source(failure);
    while let Some(error) = cause {
        _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// The exit codes, for `--help`.
fn exit_codes() -> String {
    let mut text = String::from("Exit codes:\n   0  everything holds\n   1  the run could not finish\n   2  unusable arguments\n");
    text.push_str("   3  nothing has that name\n");
    for class in BreakClass::ALL {
        _ = writeln!(text, "  {:>2}  {class}:{}", class.exit_code(), class.meaning());
    }
    text
}
