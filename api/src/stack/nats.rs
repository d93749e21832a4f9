//! The private nats-server with JetStream.

use super::{
    data_dir::{Credentials, DataDir},
    error::{AtPath, StackError},
    files::write_private,
    packages, ports,
    process::{self, POLL, RunAs, Spawner},
};
use nix::sys::signal::Signal;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    process::Child,
    time::{Instant, sleep},
};

const SERVER: &str = "nats-server";
/// JetStream reads its whole store before it is ready.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// The store survives either.
pub(super) const STOP: &[(Signal, Duration)] = &[(Signal::SIGTERM, Duration::from_secs(10)), (Signal::SIGKILL, Duration::from_secs(5))];

/// Everything needed to start the same server again.
pub(super) struct Nats {
    program: PathBuf,
    /// Unique to the data directory, so that another server on our port is not taken for ours.
    name: String,
    setpriv: PathBuf,
    directory: PathBuf,
    log: PathBuf,
    password: String,
    spawner: Spawner,
    pub port: u16,
}

impl Nats {
    /// Finds the program and makes the server's directory.
    pub fn prepare(data: &DataDir, credentials: &Credentials, spawner: Spawner) -> Result<Self, StackError> {
        let directory = data.path.join("nats");
        fs::create_dir_all(&directory).at("create", &directory)?;
        Ok(Nats {
            program: packages::nats_server()?,
            name: format!("hilt-{}", data.marker.id),
            setpriv: packages::setpriv()?,
            log: data.path.join("nats.log"),
            password: credentials.nats_password.clone(),
            directory,
            spawner,
            port: 0,
        })
    }

    /// Starts the server on the remembered port or another, ending first what an earlier run left.
    pub async fn start(&mut self, remembered: Option<u16>) -> Result<Child, StackError> {
        self.stop_leftover().await?;
        let mut remembered = remembered;
        let mut attempt = 1;
        loop {
            self.port = ports::choose(remembered.take())?;
            match self.launch().await {
                Err(StackError::Ended { last_words, .. }) if attempt < ports::ATTEMPTS && ports::was_taken(&last_words) => attempt += 1,
                result => return result,
            }
        }
    }

    /// Starts the server on its port and waits until JetStream answers.
    pub async fn launch(&self) -> Result<Child, StackError> {
        self.stop_leftover().await?;
        write_private(&self.config_file(), self.config().as_bytes())?;
        let from = process::log_start(&self.log);
        let mut command = process::command(&self.setpriv, &RunAs::Us, Signal::SIGTERM, &self.program);
        command.arg("--config").arg(self.config_file());
        process::log_to(&mut command, &self.log)?;
        let mut child = self.spawner.spawn(command).await?;
        let deadline = Instant::now() + READY_WITHIN;
        while !self.is_ready().await {
            if child.try_wait().at("wait for", &self.program)?.is_some() {
                return Err(StackError::Ended { server: SERVER, last_words: process::last_words(&self.log, from), log: self.log.clone() });
            }
            if Instant::now() > deadline {
                process::stop(&mut child, STOP).await;
                return Err(StackError::Slow { server: SERVER, seconds: READY_WITHIN.as_secs(), log: self.log.clone() });
            }
            sleep(POLL).await;
        }
        Ok(child)
    }

    /// Asks JetStream, with our password. The answer's fields differ between server versions; all say `error` if it is
    /// not ready.
    async fn is_ready(&self) -> bool {
        let Ok(client) = events::nats::connect(&self.url()).await else { return false };
        if client.server_info().server_name != self.name {
            return false;
        }
        let Ok(answer) = client.request("$JS.API.INFO", "".into()).await else { return false };
        serde_json::from_slice::<serde_json::Value>(&answer.payload).is_ok_and(|answer| answer.get("error").is_none())
    }

    fn config(&self) -> String {
        let Nats { name, port, password, .. } = self;
        format!(
            "server_name: \"{name}\"\nlisten: \"127.0.0.1:{port}\"\npid_file: {}\njetstream {{ store_dir: {} }}\n\
             authorization {{ user: hilt, password: \"{password}\" }}\n",
            quoted(&self.pid_file()),
            quoted(&self.directory)
        )
    }

    async fn stop_leftover(&self) -> Result<(), StackError> {
        let Ok(text) = fs::read_to_string(self.pid_file()) else { return Ok(()) };
        match text.trim().parse() {
            Ok(pid) => process::stop_leftover(SERVER, pid, &self.config_file(), STOP).await,
            Err(_) => Ok(()),
        }
    }

    /// Where clients reach the server.
    pub fn url(&self) -> String {
        format!("nats://hilt:{}@127.0.0.1:{}", self.password, self.port)
    }

    fn config_file(&self) -> PathBuf {
        self.directory.join("nats.conf")
    }

    fn pid_file(&self) -> PathBuf {
        self.directory.join("nats.pid")
    }
}

/// A path as a string of the configuration's language.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}
