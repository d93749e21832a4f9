//! What the database server and nats-server spend, where they run on this machine.

use super::{scratch::BenchError, usage};
use sqlx::{Connection as _, PgConnection};
use std::fs;

/// The database server, when it runs on this machine.
pub struct Server {
    postmaster: Option<u32>,
}

impl Server {
    /// The server at `url`.
    pub async fn of(url: &str) -> Result<Self, BenchError> {
        let mut connection = PgConnection::connect(url).await?;
        let (backend,): (i32,) = sqlx::query_as(include_str!("sql/backend_pid.sql")).fetch_one(&mut connection).await?;
        connection.close().await?;
        let is_server = usage::stat(backend.unsigned_abs()).filter(|stat| stat.name.starts_with("postgres"));
        Ok(Server { postmaster: is_server.map(|stat| stat.parent) })
    }

    /// CPU seconds of all of its processes so far, those that have ended included; 0 where it is on another machine.
    pub fn cpu_seconds(&self) -> f64 {
        let Some(postmaster) = self.postmaster else { return 0.0 };
        let ended = usage::stat(postmaster).map_or(0, |stat| stat.own_ticks + stat.ended_ticks);
        let alive = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = alive.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let alive: u64 = pids.filter_map(usage::stat).filter(|stat| stat.parent == postmaster).map(|stat| stat.own_ticks).sum();
        (ended + alive) as f64 / 100.0
    }
}

/// The nats-server, when it runs on this machine.
pub struct Bus {
    process: Option<u32>,
}

impl Bus {
    /// None takes part.
    pub fn none() -> Self {
        Bus { process: None }
    }

    /// The server at `url`, found by the port that it listens on.
    pub fn of(url: &str) -> Self {
        let port = url::Url::parse(url).ok().filter(is_here).and_then(|url| url.port());
        Bus { process: port.and_then(usage::listener) }
    }

    /// CPU seconds that it has used; 0 where it is on another machine.
    pub fn cpu_seconds(&self) -> f64 {
        self.process.map_or(0.0, usage::cpu_seconds)
    }
}

fn is_here(url: &url::Url) -> bool {
    url.host_str().is_some_and(|host| host == "localhost" || host.starts_with("127."))
}
