//! `hilt-replay trail`.

use super::{Common, output::print};
use crate::Failure;
use clap::Args;

#[derive(Args)]
pub(super) struct Trail {
    /// Id of a payment, session, proof, receipt, membership, entitlement, ticket, delivery or event; a transaction signature; a
    /// memo; a position; a stream.
    id: String,
}

impl Trail {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let pool = common.settings(None)?.connect().await?;
        Ok(print(&crate::trail(&pool, &self.id).await?, common.json))
    }
}
