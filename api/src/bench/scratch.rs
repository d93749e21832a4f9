//! The scratch database: made for a run and dropped after it. One that is there already is never written into.

use events::log::{AppendError, ReadError};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use std::str::FromStr as _;

/// Its name.
const SCRATCH: &str = "hilt_bench";

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The scratch database is there: another run is under way, or one was cut off. It is never written into.
    #[error("a database named hilt_bench exists; drop it if no other run is under way")]
    Occupied,
    /// The database refused or did not answer.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The scratch database could not be migrated.
    #[error(transparent)]
    Migrate(#[from] migrations::MigrateError),
    /// An append failed.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A server that is measured could not be started.
    #[error("a server cannot be started: {0}")]
    Process(#[source] std::io::Error),
    /// A server did not answer as it should.
    #[error("{0}")]
    Client(String),
}

/// A migrated database of one run.
pub struct Scratch {
    /// Where it is.
    pub url: String,
    /// How to connect to it.
    pub options: PgConnectOptions,
    maintenance: PgConnection,
}

/// Makes it in the server of `admin_url`.
pub async fn make(admin_url: &str) -> Result<Scratch, BenchError> {
    let server = PgConnectOptions::from_str(admin_url)?;
    let mut maintenance = PgConnection::connect_with(&server).await?;
    if let Err(error) = sqlx::raw_sql(include_str!("sql/create_scratch.sql")).execute(&mut maintenance).await {
        // duplicate_database
        let occupied = error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "42P04");
        return Err(if occupied { BenchError::Occupied } else { error.into() });
    }
    let options = server.database(SCRATCH);
    let scratch = Scratch { url: options.to_url_lossy().into(), options, maintenance };
    match migrations::run(&scratch.url).await {
        Ok(_) => Ok(scratch),
        Err(error) => {
            scratch.remove().await?;
            Err(error.into())
        }
    }
}

impl Scratch {
    /// Drops it.
    pub async fn remove(mut self) -> Result<(), BenchError> {
        sqlx::raw_sql(include_str!("sql/drop_scratch.sql")).execute(&mut self.maintenance).await?;
        self.maintenance.close().await?;
        Ok(())
    }
}
