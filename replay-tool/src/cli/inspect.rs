//! `hilt-replay inspect`.

use super::{Common, output::print};
use crate::Failure;
use clap::Args;

#[derive(Args)]
pub(super) struct Inspect {
    /// A position or an event id.
    event: String,
}

impl Inspect {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let pool = common.settings(None)?.connect().await?;
        Ok(print(&crate::inspect(&pool, &self.event).await?, common.json))
    }
}
