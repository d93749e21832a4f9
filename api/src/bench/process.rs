//! The servers, each a process of its own, so that its CPU time and memory are its own too.

use super::{scratch::BenchError, usage};
use serde_json::Value;
use std::{
    net::{SocketAddr, TcpListener},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// How long a server may take to be ready.
const READY: Duration = Duration::from_secs(300);

/// A running server, ended with its value.
pub struct Process {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    http: reqwest::Client,
}

/// The service, as it is run for good.
pub struct Service<'a> {
    /// Its database.
    pub database_url: &'a str,
    /// Its master key, in hexadecimal digits.
    pub master_key: String,
    /// What it runs.
    pub roles: &'a str,
    /// Further settings.
    pub settings: &'a [(&'a str, &'a str)],
}

impl Process {
    /// The service, ready, with its index filled if it answers requests; its log lines are read by nobody.
    pub async fn service(service: &Service<'_>) -> Result<Self, BenchError> {
        let mut settings = vec![
            ("HILT_DATABASE_URL", service.database_url),
            // Nobody listens there: without the relay's role nothing is missed.
            ("HILT_NATS_URL", "nats://127.0.0.1:9"),
            ("HILT_MASTER_KEY", &service.master_key),
            ("HILT_ACCESS_FEE_BPS", "0"),
            ("HILT_WORKSPACE_FEE_BPS", "0"),
        ];
        settings.extend(service.settings);
        let process = Process::start(&["serve", "--roles", service.roles], &settings).await?;
        let deadline = Instant::now() + READY;
        let answers = service.roles.contains("api");
        while process.index().await.ok().is_none_or(|index| answers && index["state"] != "live") {
            process.wait(deadline).await?;
        }
        Ok(process)
    }

    /// A server of `hilt bench` itself, taking connections.
    pub async fn bare(arguments: &[&str], settings: &[(&str, &str)]) -> Result<Self, BenchError> {
        let process = Process::start(&[&["bench"], arguments].concat(), settings).await?;
        let deadline = Instant::now() + READY;
        while tokio::net::TcpStream::connect(process.address).await.is_err() {
            process.wait(deadline).await?;
        }
        Ok(process)
    }

    async fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Result<Self, BenchError> {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(BenchError::Process)?;
        let mut command = Command::new(std::env::current_exe().map_err(BenchError::Process)?);
        command.args(arguments).env("HILT_LISTEN", address.to_string());
        command.envs(settings.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let http = reqwest::Client::builder().no_proxy().build().map_err(|error| BenchError::Client(error.to_string()))?;
        Ok(Process { address, child: command.spawn().map_err(BenchError::Process)?, http })
    }

    async fn wait(&self, deadline: Instant) -> Result<(), BenchError> {
        if Instant::now() >= deadline {
            return Err(BenchError::Client("a server did not become ready".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(())
    }

    /// What the service says of its index.
    pub async fn index(&self) -> Result<Value, BenchError> {
        let told = async {
            let answer = self.http.get(format!("http://{}/readyz", self.address)).send().await?;
            answer.json::<Value>().await
        };
        told.await.map(|mut body| body["access_index"].take()).map_err(|error| BenchError::Client(error.to_string()))
    }

    /// CPU seconds that it has used.
    pub fn cpu_seconds(&self) -> f64 {
        usage::cpu_seconds(self.id())
    }

    /// The most memory that it had.
    pub fn peak_memory(&self) -> u64 {
        usage::peak_memory(self.id())
    }

    fn id(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }
}
