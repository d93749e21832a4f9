//! Processes of the service, each the real binary, on a database and a nats-server of one test's own.

use hilt_tests::{
    db::Database,
    nats::Nats,
    processes::{Folder, free_port, hilt},
    stack::nats_prefix,
};
use serde_json::Value;
use std::{
    fs::{self, File},
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    process::{Child, Command},
    time::sleep,
};
use uuid::Uuid;

/// Nothing here takes longer, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(45);
/// The master key of every service here; that of `Database::log` too.
pub const MASTER_KEY: [u8; 32] = [7; 32];

/// Where processes of one deployment run.
pub struct Place {
    /// Their database.
    pub database: Database,
    nats_url: String,
    prefix: String,
    folder: Folder,
}

/// A process of the service; killed with the value.
pub struct Service {
    /// Where it answers.
    pub base_url: String,
    child: Child,
    said: PathBuf,
    http: reqwest::Client,
}

impl Place {
    /// A migrated database, and that nats-server.
    pub async fn new(nats: &Nats) -> Self {
        api::app::install_tls();
        Place { database: Database::fresh().await, nats_url: nats.url(), prefix: nats_prefix(), folder: Folder::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = hilt(arguments);
        command
            .env("HILT_DATABASE_URL", self.database.service_url())
            .env("HILT_NATS_URL", &self.nats_url)
            .env("HILT_NATS_PREFIX", &self.prefix)
            .env("HILT_MASTER_KEY", hex::encode(MASTER_KEY))
            .env("HILT_FEE_WALLET", "11111111111111111111111111111112");
        command
    }

    /// A sandbox key of a new owner, from the command line.
    pub async fn sandbox_key(&self) -> String {
        let owner = events::clock::new_id::<Uuid>().to_string();
        let mut command = self.command(&["keys", "issue", "--owner-id", &owner, "--label", "faults", "--sandbox"]);
        let output = command.stdin(Stdio::null()).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
    }

    /// A process on that port; it is not ready yet.
    pub fn start(&self, port: u16) -> Service {
        let listen = format!("127.0.0.1:{port}");
        let said = self.folder.0.join(format!("{}.log", nats_prefix()));
        let mut command = self.command(&["serve"]);
        command.env("HILT_LISTEN", &listen).env("HILT_LOG", "warn");
        Service::spawn(command, &listen, said)
    }

    /// A process that is ready, on a port of its own.
    pub async fn start_ready(&self) -> Service {
        let mut service = self.start(free_port());
        service.ready().await;
        service
    }
}

impl Service {
    /// Runs the command, whose process will listen there and say what it has to say in a file.
    pub fn spawn(mut command: Command, listen: &str, said: PathBuf) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&said).unwrap());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Service { base_url: format!("http://{listen}"), child: command.spawn().unwrap(), said, http }
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.child.id().unwrap().try_into().unwrap()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.base_url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// `kill -9`, and its end.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// What it says of itself, and whether it is ready.
    pub async fn health(&mut self) -> Option<(bool, Value)> {
        if let Some(ended) = self.child.try_wait().unwrap() {
            panic!("the service ended by itself: {ended}");
        }
        let answer = self.http.get(format!("{}/readyz", self.base_url)).timeout(Duration::from_secs(5)).send().await.ok()?;
        Some((answer.status().is_success(), answer.json().await.ok()?))
    }

    /// Waits until it is ready; how long that took.
    pub async fn ready(&mut self) -> Duration {
        self.until("ready", |_| true).await
    }

    /// Waits until it is ready and its account of itself is so; how long that took.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Duration {
        let begun = Instant::now();
        let mut last = None;
        loop {
            let health = self.health().await;
            if health.as_ref().is_some_and(|(ready, health)| *ready && holds(health)) {
                return begun.elapsed();
            }
            last = health.or(last);
            assert!(begun.elapsed() < PATIENCE, "in time: {what}; last: {last:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = fs::read_to_string(&self.said).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(30).collect();
            eprintln!("{} said last:\n{}", self.base_url, last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// Whether relay, read models and workers all run in the process that says this.
pub fn leads(health: &Value) -> bool {
    let each = |name: &str, state: fn(&str) -> bool| {
        health[name].as_array().is_some_and(|parts| parts.iter().all(|part| part["state"].as_str().is_some_and(state)))
    };
    health["relay"]["state"] == "leading" && each("projections", |state| state == "live") && each("workers", |state| state != "standby")
}

/// Whether JetStream and every read model hold the event at `position`, and events come through JetStream again.
pub fn streams_at(health: &Value, position: u64) -> bool {
    let reached = |part: &Value, name: &str| part[name].as_u64().is_some_and(|at| at >= position);
    let projections = health["projections"].as_array();
    reached(&health["relay"], "position")
        && projections.is_some_and(|all| all.iter().all(|one| reached(one, "checkpoint") && one["streaming"] == true))
}
