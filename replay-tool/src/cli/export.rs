//! `hilt-replay export`.

use super::{Common, output::print};
use crate::{ExportOptions, ExportReport, Failure, SEGMENT_EVENTS, export, progress};
use clap::Args;
use serde::Serialize;
use std::{fmt, path::PathBuf};

#[derive(Args)]
pub(super) struct Export {
    /// Where to: a new or empty folder, or that of the same export that was interrupted, which then goes on.
    #[arg(long)]
    dir: PathBuf,
    /// Position of the first event.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Size of the kept signed checkpoint to end with; by default the newest.
    #[arg(long)]
    to: Option<u64>,
    /// Put the sealed parts in, encrypted as they are; without it only their hashes are there.
    #[arg(long)]
    sealed: bool,
    /// Events of one segment.
    #[arg(long, default_value_t = SEGMENT_EVENTS)]
    segment_events: u64,
    /// The log's verifier key (C2SP signed-note); by default dev.json's.
    #[arg(long, env = "HILT_LOG_VKEY")]
    vkey: Option<String>,
}

impl Export {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let settings = common.settings(self.vkey)?;
        let vkey = settings.vkey.clone().ok_or_else(|| Failure::Input("give the log's verifier key with --vkey".to_owned()))?;
        let Export { dir: folder, from, to, sealed, segment_events, .. } = self;
        let options = ExportOptions { folder, vkey, from, to, sealed, segment_events };
        let bar = progress::bar("exporting", common.json);
        let report = export(&settings.connect().await?, &options, &progress::mover(&bar)).await;
        bar.finish_and_clear();
        Ok(print(&Exported { ok: true, report: report? }, common.json))
    }
}

#[derive(Serialize)]
struct Exported {
    ok: bool,
    #[serde(flatten)]
    report: ExportReport,
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExportReport { folder, from, size, root, events, checkpoints, segments, bytes, resumed_segments, manifest_sha256 } =
            &self.report;
        writeln!(f, "The bundle is in {}.", folder.display())?;
        writeln!(f, "  events       {events}, from position {from}")?;
        writeln!(f, "  root         {root}, of {size} events")?;
        writeln!(f, "  checkpoints  {checkpoints}")?;
        writeln!(f, "  segments     {segments}, {resumed_segments} of them from an interrupted run")?;
        writeln!(f, "  bytes        {bytes}")?;
        writeln!(f, "  manifest     SHA-256 {manifest_sha256}")
    }
}
