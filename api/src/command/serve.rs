//! `hilt serve`: the service on a PostgreSQL and a NATS that are there already.

use super::{Refusal, asked_to_end, init_tracing};
use api::{
    app::{self, Parts},
    config::Config,
    listen,
};
use clap::Args;
use events::clock::Clock;
use ledger::rails::Rails;
use std::process::ExitCode;

/// The options of `hilt serve`.
#[derive(Args)]
pub struct Serve {
    /// What this process runs, instead of HILT_ROLES: api, relay, projections, workers.
    #[arg(long, value_name = "ROLES")]
    roles: Option<String>,
}

impl Serve {
    /// Serves until asked to end.
    pub async fn run(self, mut config: Config) -> Result<ExitCode, Refusal> {
        if let Some(roles) = &self.roles {
            config.set_roles(roles)?;
        }
        init_tracing(&config.log_filter)?;
        let listener = listen::bind(config.listen).await?;
        let database_url = config.database_url.as_ref().ok_or("HILT_DATABASE_URL is needed (or run `hilt dev`)")?.expose().clone();
        let master_key = *config.master_key.as_ref().ok_or("HILT_MASTER_KEY is needed: 64 hexadecimal digits")?.expose();
        let nats_url = config.nats_url.as_ref().ok_or("HILT_NATS_URL is needed")?.expose().clone();
        let address = listener.local_addr()?;
        let parts = Parts {
            config,
            database_url,
            nats_url: Some(nats_url),
            master_key,
            rails: Rails::standard(),
            clock: Clock::machine(),
            check_network: true,
        };
        let app = app::build(parts).await.map_err(|error| super::with_causes(&error))?;
        tracing::info!(%address, "listening");
        app.serve(listener, async {
            let _ = asked_to_end().await;
        })
        .await?;
        Ok(ExitCode::SUCCESS)
    }
}
