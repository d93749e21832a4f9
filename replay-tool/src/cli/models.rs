//! `hilt-replay rebuild` and `hilt-replay diff`.

use super::{Common, output::print};
use crate::{Failure, ModelHolds, Tell, diff, open_models, progress, rebuild};
use clap::Args;
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

impl Models {
    pub async fn run(self, common: &Common, anew: bool) -> Result<String, Failure> {
        let settings = common.settings(None)?;
        let pool = settings.connect().await?;
        let models = open_models(&pool, settings.master_key(self.master_key)?).await?;
        let names = match self.all || self.projections.is_empty() {
            true => models.names().iter().map(|&name| name.to_owned()).collect(),
            false => self.projections,
        };
        let bar = progress::bar("folding", common.json);
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
