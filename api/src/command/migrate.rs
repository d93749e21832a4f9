//! `hilt migrate`: brings the schema up to date, as its owner.

use super::Refusal;
use api::config::Config;
use clap::Args;
use std::process::ExitCode;

/// The options of `hilt migrate`.
#[derive(Args)]
pub struct Migrate {}

impl Migrate {
    /// Applies what is missing.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        let url = config.admin_database_url.as_ref().ok_or("HILT_ADMIN_DATABASE_URL is needed: the owner of the schema")?;
        let applied = migrations::run(url.expose()).await.map_err(|error| super::with_causes(&error))?;
        match applied {
            0 => println!("the schema is up to date"),
            n => println!("{n} migrations applied"),
        }
        Ok(ExitCode::SUCCESS)
    }
}
