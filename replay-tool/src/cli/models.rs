//! `hilt-replay rebuild` and `hilt-replay diff`.

use super::{Common, output::print};
use crate::{
    Besides, BreakClass, Failure, ModelBeside, ModelHolds, RowChange, Tell, Told, diff, open_models, progress, rebuild, rebuild_beside,
};
use clap::Args;
use indicatif::ProgressBar;
use projections::runner::{Afterwards, Projections};
use serde::Serialize;
use std::{fmt, sync::Arc};

#[derive(Args)]
pub(super) struct Models {
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

#[derive(Args)]
pub(super) struct Rebuild {
    #[command(flatten)]
    models: Models,
    /// Build beside the live model, compare the two row by row, and leave the live one: drop the build, unless told otherwise. Goes on
    /// where an earlier run was killed.
    #[arg(long)]
    shadow: bool,
    /// With --shadow: keep the build for a later run.
    #[arg(long, requires = "shadow", conflicts_with = "swap")]
    keep: bool,
    /// With --shadow: put the build that was compared in the live one's place.
    #[arg(long, requires = "shadow")]
    swap: bool,
}

impl Rebuild {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        if !self.shadow {
            return self.models.run(common, true).await;
        }
        let afterwards = match (self.keep, self.swap) {
            (true, _) => Afterwards::Keep,
            (_, true) => Afterwards::Swap,
            _ => Afterwards::Drop,
        };
        let (models, names) = self.models.open(common).await?;
        let bar = progress::bar("folding", common.json);
        let found = rebuild_beside(&models, &names, afterwards, &teller(&bar)).await;
        bar.finish_and_clear();
        let found = found?;
        let text = print(&found, common.json);
        match found.ok {
            true => Ok(text),
            false => {
                let wrong = found.models.iter().filter(|model| model.differing > 0).count();
                Err(Failure::Differs(wrong, Box::new(Told { text, class: BreakClass::ProjectionMismatch })))
            }
        }
    }
}

/// What moves `bar` while one model after another is folded.
fn teller(bar: &ProgressBar) -> Tell {
    let moved = bar.clone();
    Arc::new(move |name, progress| {
        moved.set_message(name.to_owned());
        progress::mover(&moved)(progress);
    })
}

impl Models {
    /// The read models, and the names of those that were asked for.
    async fn open(self, common: &Common) -> Result<(Projections, Vec<String>), Failure> {
        let settings = common.settings(None)?;
        let pool = settings.connect().await?;
        let models = open_models(&pool, settings.master_key(self.master_key)?).await?;
        let names = match self.all || self.projections.is_empty() {
            true => models.names().iter().map(|&name| name.to_owned()).collect(),
            false => self.projections,
        };
        Ok((models, names))
    }

    pub async fn run(self, common: &Common, anew: bool) -> Result<String, Failure> {
        let (models, names) = self.open(common).await?;
        let bar = progress::bar("folding", common.json);
        let tell = teller(&bar);
        let held = match anew {
            true => rebuild(&models, &names, &tell).await,
            false => diff(&models, &names, &tell).await,
        };
        bar.finish_and_clear();
        Ok(print(&Held { ok: true, models: held? }, common.json))
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

/// How many rows of a model are printed; JSON has all of them.
const ROWS_PRINTED: usize = 20;

impl fmt::Display for Besides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}",
            if self.ok { "The read models are what the log folds to." } else { "Read models are not what the log folds to." }
        )?;
        for ModelBeside { projection, checkpoint, resumed, before, after, differing, differences, swapped } in &self.models {
            let at = checkpoint.map_or("before the first event".to_owned(), |position| format!("at position {position}"));
            let resumed = if *resumed > 0 { format!(", from event {resumed} on") } else { String::new() };
            let swapped = if *swapped { ", swapped in" } else { "" };
            writeln!(f, "  {projection:<20} {} rows {at}{resumed}{swapped}", after.rows)?;
            writeln!(f, "    live {} of {} rows (version {})", before.root, before.rows, before.version)?;
            writeln!(f, "    log  {} of {} rows (version {})", after.root, after.rows, after.version)?;
            write_rows(f, differences, *differing)?;
        }
        Ok(())
    }
}

/// Rows that differ, one a line.
pub(super) fn write_rows(f: &mut fmt::Formatter<'_>, rows: &[RowChange], in_all: u64) -> fmt::Result {
    for RowChange { row, change, columns } in rows.iter().take(ROWS_PRINTED) {
        let columns = if columns.is_empty() { String::new() } else { format!(": {}", columns.join(", ")) };
        writeln!(f, "    {change:<8} {row}{columns}")?;
    }
    match in_all.saturating_sub(rows.len().min(ROWS_PRINTED) as u64) {
        0 => Ok(()),
        more => writeln!(f, "    and {more} more"),
    }
}
