//! `hilt-replay history` and `hilt-replay verify-history`.

use super::{Common, output::print};
use crate::{Completeness, Failure, HistoryReport, history, progress, verify_history};
use clap::Args;
use events::{proof::NoteKey, vocab::bytes::Malformed};
use serde::Serialize;
use std::{fmt, path::PathBuf};

#[derive(Args)]
pub(super) struct History {
    /// The payment.
    payment: String,
    /// Folder to write the file into; without it the history itself is printed.
    #[arg(long)]
    out: Option<PathBuf>,
    /// With it, and the service's role, the log's key states that nothing is left out; by default the development service's own.
    #[arg(long, env = "HILT_MASTER_KEY", hide_env_values = true)]
    master_key: Option<String>,
}

impl History {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let settings = common.settings(None)?;
        let payment = self.payment.parse().map_err(|_| Failure::Input(format!("{} is no payment's id", self.payment)))?;
        let master = match (&self.master_key, settings.has_master_key()) {
            (None, false) => None,
            _ => Some(settings.master_key(self.master_key)?),
        };
        let found = history(&settings.connect().await?, payment, master).await?;
        let text = serde_json::to_string_pretty(&found).map_err(|error| Failure::Input(error.to_string()))? + "\n";
        let Some(folder) = self.out else { return Ok(text) };
        let file = folder.join(format!("payment-{payment}.hilt-history.json"));
        let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, text));
        written.map_err(|error| Failure::Input(format!("{}: {error}", file.display())))?;
        let events = found.streams.iter().map(|stream| stream.events.len() as u64).sum();
        Ok(print(&Wrote { file, streams: found.streams.len() as u64, events, stated: found.statement.is_some() }, common.json))
    }
}

#[derive(Serialize)]
struct Wrote {
    file: PathBuf,
    streams: u64,
    events: u64,
    stated: bool,
}

impl fmt::Display for Wrote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stated = if self.stated { "the log states that these are all" } else { "without a statement of the log" };
        writeln!(f, "{}: {} events in {} streams, {stated}", self.file.display(), self.events, self.streams)
    }
}

#[derive(Args)]
pub(super) struct VerifyHistory {
    /// The file that `history` or GET /v1/payments/{payment_id}/history gave.
    file: PathBuf,
    /// The log's verifier key, your own copy of it (C2SP signed-note).
    #[arg(long, env = "HILT_LOG_VKEY")]
    vkey: String,
    /// Where the log's entries are published, a URL or a folder: goes through all of them for what the history leaves out.
    #[arg(long, value_name = "LOG")]
    entries: Option<String>,
    /// A bearer token for entries that are for auditors.
    #[arg(long, env = "HILT_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl VerifyHistory {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let key: NoteKey = self.vkey.parse().map_err(|error: Malformed| Failure::Input(error.to_string()))?;
        let text = std::fs::read_to_string(&self.file).map_err(|error| Failure::Input(format!("{}: {error}", self.file.display())))?;
        let bar = progress::bar("reading entries", common.json || self.entries.is_none());
        let entries = self.entries.as_deref().map(|place| (place, self.token.clone()));
        let report = verify_history(&text, &key, entries, &progress::mover(&bar)).await;
        bar.finish_and_clear();
        Ok(print(&Verified { ok: true, report: report? }, common.json))
    }
}

#[derive(Serialize)]
struct Verified {
    ok: bool,
    #[serde(flatten)]
    report: HistoryReport,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HistoryReport { payment_id, origin, size, root, complete, streams, events } = &self.report;
        writeln!(f, "The history of payment {payment_id} holds.")?;
        writeln!(f, "  log          {origin}, up to a signed checkpoint of {size} events, root {root}")?;
        let how = match complete {
            Completeness::Stated => "the log has signed that nothing is left out; a later event would convict it",
            Completeness::Scanned => "all entries of the log were read, and nothing is left out",
        };
        writeln!(f, "  complete     {how}")?;
        writeln!(f, "  streams      {}", streams.len())?;
        streams.iter().try_for_each(|(stream, count)| writeln!(f, "               {stream}: {count}"))?;
        writeln!(f, "  events       {}", events.len())?;
        for step in events {
            writeln!(
                f,
                "  {:>10}  {}  {:<34} {} version {}, {}",
                step.position, step.at, step.event_type, step.stream, step.version, step.actor
            )?;
        }
        Ok(())
    }
}
