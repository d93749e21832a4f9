//! `hilt-replay what-if`.

use super::{Common, models::write_rows, output::print, state::write_balance};
use crate::{Changed, Failure, Missed, WhatIf as Found, progress, what_if};
use clap::Args;
use events::vocab::id::EventId;
use std::fmt;

#[derive(Args)]
pub(super) struct WhatIf {
    /// Leave these events out. With none, the live models are held against the fold of this program, whose versions may be newer.
    #[arg(long, num_args = 1..)]
    without: Vec<EventId>,
    /// Only this read model; may be given several times.
    #[arg(long = "projection")]
    projections: Vec<String>,
}

impl WhatIf {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let pool = common.settings(None)?.connect().await?;
        let bar = progress::bar("folding", common.json);
        let found = what_if(&pool, &self.projections, &self.without, &progress::mover(&bar)).await;
        bar.finish_and_clear();
        Ok(print(&found?, common.json))
    }
}

/// How many events that could not be folded are printed; JSON has more.
const MISSED_PRINTED: usize = 20;

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.changed.is_empty() {
            true => writeln!(f, "Nothing would be different.")?,
            false => writeln!(f, "Without {} events, {} read models would differ.", self.without.len(), self.changed.len())?,
        }
        for Changed { projection, live_version, version, rows, differences } in &self.changed {
            let versions = if live_version == version { String::new() } else { format!(", version {version} against {live_version}") };
            writeln!(f, "  {projection:<20} {rows} rows{versions}")?;
            write_rows(f, differences, *rows)?;
        }
        for Missed { projection, position, event_type, reason } in self.missed.iter().take(MISSED_PRINTED) {
            writeln!(f, "  {projection} would be without {event_type} at position {position}: {reason}")?;
        }
        match self.missed_in_all.saturating_sub(self.missed.len().min(MISSED_PRINTED) as u64) {
            0 => {}
            more => writeln!(f, "  and {more} more")?,
        }
        write_balance(f, &self.trial_balance)
    }
}
