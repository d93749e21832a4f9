//! The embedded stack: a private PostgreSQL and a private nats-server under one data directory.
//!
//! Both are the machine's own packages, listen on the loopback address alone, and end when this process ends, however
//! it ends. What an earlier run left is ended first, so a start after `kill -9` of everything is a start like any other.

mod data_dir;
mod dev_file;
mod error;
mod files;
mod keep;
mod nats;
mod packages;
mod ports;
mod postgres;
mod process;

pub use dev_file::DevFile;
pub use error::StackError;

use crate::secret::Secret;
use data_dir::DataDir;
use error::AtPath as _;
use keep::Server;
use nats::Nats;
use postgres::Postgres;
use process::Spawner;
use std::path::{Path, PathBuf};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// What a start needs to know.
pub struct StackOptions {
    /// Made if absent; refused if it holds something else.
    pub data_dir: PathBuf,
    /// Receives one line for a human at each step that takes time.
    pub progress: Box<dyn Fn(&str) + Send + Sync>,
}

/// A running stack. Dropping it ends the servers without waiting for them; [`Stack::stop`] waits.
pub struct Stack {
    /// The database `hilt` as its owner, who runs the migrations.
    pub admin_database_url: String,
    /// The database `hilt` as the service's role.
    pub database_url: String,
    /// The database `postgres` as the server's superuser: for tools and tests, never for the service.
    pub superuser_url: String,
    /// The nats-server, with its password.
    pub nats_url: String,
    /// The key that wraps every other key of this data directory.
    pub master_key: Secret<[u8; 32]>,
    /// Whether this start made the data directory's content.
    pub is_first_start: bool,
    data: DataDir,
    stop: CancellationToken,
    kept: Vec<JoinHandle<()>>,
    given_up: watch::Receiver<Option<(&'static str, String)>>,
}

impl Stack {
    /// Starts both servers and returns when both take connections.
    ///
    /// # Errors
    /// Each [`StackError`] is one sentence for the person who started the program.
    pub async fn start(options: StackOptions) -> Result<Self, StackError> {
        let StackOptions { data_dir, progress } = options;
        // Missing packages come first: nothing is made on a machine that cannot run it.
        packages::nats_server()?;
        packages::setpriv()?;
        packages::postgres(Path::new(""))?;
        let mut data = DataDir::open(&data_dir).await?;
        // A killed service could not remove its own; whoever waits for the file must not find that one.
        DevFile::remove(&data.path);
        let master_key = data.master_key()?;
        let spawner = Spawner::new()?;

        let mut nats = Nats::prepare(&data, &data.credentials, spawner.clone())?;
        let mut postgres = Postgres::prepare(&mut data, spawner, progress.as_ref()).await?;
        progress("starting PostgreSQL and nats-server");
        let (postgres_port, nats_port) = (data.credentials.postgres_port, data.credentials.nats_port);
        let (postgres_child, nats_child) = tokio::try_join!(postgres.start(postgres_port), nats.start(nats_port))?;
        data.remember_ports(postgres.port, nats.port)?;
        postgres.create_roles_and_database(&data.credentials).await?;

        let (given_up, watch_given_up) = watch::channel(None);
        let stop = CancellationToken::new();
        let urls = &data.credentials;
        Ok(Stack {
            admin_database_url: postgres.url("hilt_admin", &urls.admin_password, "hilt"),
            database_url: postgres.url("hilt", &urls.service_password, "hilt"),
            superuser_url: postgres.url("postgres", &urls.superuser_password, "postgres"),
            nats_url: nats.url(),
            master_key,
            is_first_start: data.is_new,
            data,
            kept: vec![
                tokio::spawn(keep::keep(Server::Postgres(postgres), postgres_child, stop.clone(), given_up.clone())),
                tokio::spawn(keep::keep(Server::Nats(nats), nats_child, stop.clone(), given_up)),
            ],
            stop,
            given_up: watch_given_up,
        })
    }

    /// The data directory, as an absolute path.
    pub fn data_dir(&self) -> &Path {
        &self.data.path
    }

    /// The file with the passwords of this stack's servers, readable by its user only.
    pub fn credentials_file(&self) -> PathBuf {
        self.data.credentials_file()
    }

    /// Where PostgreSQL's files lie when they could not lie in the data directory.
    pub fn postgres_elsewhere(&self) -> Option<&Path> {
        self.data.marker.postgres.as_deref().filter(|base| base.is_absolute())
    }

    /// Returns when a server ended again and again and is not started any more; until then it does not return.
    pub async fn failed(&self) -> StackError {
        let mut given_up = self.given_up.clone();
        // The senders live as long as the tasks; if those are gone without a word, the stack is stopping.
        match given_up.wait_for(Option::is_some).await.ok().and_then(|end| end.clone()) {
            Some((server, last_error)) => StackError::GivenUp { server, last_error },
            None => std::future::pending().await,
        }
    }

    /// Ends both servers cleanly and returns when they have ended; then the data directory is free.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for kept in std::mem::take(&mut self.kept) {
            // A task that panicked has dropped its server's child, which ends with the spawner's thread.
            let _ = kept.await;
        }
    }

    /// Stops, then removes the data directory and whatever of it lies elsewhere.
    pub async fn throw_away(self) -> Result<(), StackError> {
        let places = [Some(self.data_dir().to_owned()), self.postgres_elsewhere().map(Path::to_owned)];
        self.stop().await;
        for place in places.into_iter().flatten() {
            std::fs::remove_dir_all(&place).at("remove", place)?;
        }
        Ok(())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
