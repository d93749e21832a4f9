//! `hilt-replay attest`.

use super::{Common, output::print, state::write_balance};
use crate::{Failure, OnRecord, attest, open_models};
use clap::Args;
use std::fmt;

#[derive(Args)]
pub(super) struct Attest {
    /// The log is opened with it; by default the development service's own. 64 hexadecimal digits.
    #[arg(long, env = "HILT_MASTER_KEY", hide_env_values = true)]
    master_key: Option<String>,
}

impl Attest {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let settings = common.settings(None)?;
        let models = open_models(&settings.connect().await?, settings.master_key(self.master_key)?).await?;
        Ok(print(&attest(&models).await?, common.json))
    }
}

impl fmt::Display for OnRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = if self.known { " (it was before)" } else { "" };
        writeln!(f, "On record{known}: at position {} the read models come to", self.at_position)?;
        writeln!(f, "  {}", self.root)?;
        for model in &self.projections {
            writeln!(f, "  {:<20} {} of {} rows (version {})", model.name, model.root, model.rows, model.version)?;
        }
        write_balance(f, &self.trial_balance)
    }
}
