//! The private PostgreSQL: its cluster, its start, its roles.

use super::{
    data_dir::{Credentials, DataDir},
    error::{AtPath, StackError},
    files::{sync_directory, write_private},
    packages::{self, PostgresPackage},
    ports,
    process::{self, POLL, RunAs, Spawner},
};
use nix::sys::signal::Signal;
use sqlx::{Connection as _, PgConnection};
use std::{
    ffi::OsStr,
    fs,
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

const SERVER: &str = "PostgreSQL";
/// Recovery after an unclean end replays at most `max_wal_size`; far beyond what that takes.
const READY_WITHIN: Duration = Duration::from_secs(300);
/// Processes of a killed server leave within moments of its death.
const REMAINS_GONE_WITHIN: Duration = Duration::from_secs(30);
/// Fast shutdown first (clean, no recovery), then an immediate one (recovery), then death.
pub(super) const STOP: &[(Signal, Duration)] =
    &[(Signal::SIGINT, Duration::from_secs(30)), (Signal::SIGQUIT, Duration::from_secs(5)), (Signal::SIGKILL, Duration::from_secs(5))];

/// Everything needed to start the same server again.
pub(super) struct Postgres {
    package: PostgresPackage,
    cluster: PathBuf,
    /// Unique to the data directory; every process of the server bears it in its title.
    name: String,
    user: RunAs,
    setpriv: PathBuf,
    log: PathBuf,
    spawner: Spawner,
    pub port: u16,
}

impl Postgres {
    /// Finds or makes the cluster of `data`.
    pub async fn prepare(data: &mut DataDir, spawner: Spawner, progress: &(dyn Fn(&str) + Send + Sync)) -> Result<Self, StackError> {
        let setpriv = packages::setpriv()?;
        let log = data.path.join("postgres.log");
        let base = match &data.marker.postgres {
            Some(base) => data.path.join(base),
            None => {
                let base = choose_base(data, &setpriv, &RunAs::for_postgres()?).await?;
                data.remember_postgres(base.clone())?;
                data.path.join(base)
            }
        };
        let cluster = base.join("postgres");
        let package = packages::postgres(&cluster)?;
        if !cluster.exists() {
            progress(&format!("making a PostgreSQL {} cluster in {}", package.major, cluster.display()));
            let user = RunAs::for_postgres()?;
            initialise(&package, &cluster, &user, &setpriv, &log, &spawner, &data.credentials).await?;
        }
        let user = RunAs::owner_of(&cluster)?;
        let name = format!("hilt-{}", data.marker.id);
        Ok(Postgres { package, cluster, name, user, setpriv, log, spawner, port: 0 })
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

    /// Starts the server on its port and waits until it takes connections.
    pub async fn launch(&self) -> Result<Child, StackError> {
        self.stop_leftover().await?;
        let deadline = Instant::now() + REMAINS_GONE_WITHIN;
        loop {
            match self.launch_once().await {
                // Backends of a killed server hold its shared memory until they are gone; the new one refuses until then.
                Err(StackError::Ended { last_words, .. }) if last_words.contains("still in use") && Instant::now() < deadline => {
                    sleep(Duration::from_millis(100)).await;
                }
                result => return result,
            }
        }
    }

    async fn launch_once(&self) -> Result<Child, StackError> {
        let from = process::log_start(&self.log);
        let mut child = self.spawner.spawn(self.command()?).await?;
        let deadline = Instant::now() + READY_WITHIN;
        while !self.is_ready(&child) {
            if child.try_wait().at("wait for", &self.package.bin)?.is_some() {
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

    fn command(&self) -> Result<Command, StackError> {
        let mut command = process::command(&self.setpriv, &self.user, Signal::SIGINT, &self.package.bin.join("postgres"));
        command.arg("-D").arg(&self.cluster);
        for setting in self.settings() {
            command.arg("-c").arg(setting);
        }
        process::log_to(&mut command, &self.log)?;
        Ok(command)
    }

    fn settings(&self) -> Vec<String> {
        // The kernel bounds a socket's path to 107 bytes, of which the server's file name takes up to 20.
        let socket = self.cluster.to_str().filter(|path| path.len() <= 87).unwrap_or_default();
        // lz4 came with version 15; before, compression is on or off.
        let wal_compression = if self.package.major >= 15 { "lz4" } else { "on" };
        vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={socket}"),
            format!("cluster_name={}", self.name),
            "max_connections=200".to_owned(),
            "shared_buffers=256MB".to_owned(),
            "max_wal_size=2GB".to_owned(),
            format!("wal_compression={wal_compression}"),
            "log_checkpoints=off".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
        ]
    }

    /// The server writes "ready" to the eighth line of its pid file, the first line being its own process.
    fn is_ready(&self, child: &Child) -> bool {
        let Ok(text) = fs::read_to_string(self.pid_file()) else { return false };
        let mut lines = text.lines();
        let pid = lines.next().and_then(|pid| pid.trim().parse().ok());
        pid.is_some() && pid == child.id() && lines.nth(6).is_some_and(|status| status.trim() == "ready")
    }

    /// Ends a server of an earlier run and removes its lock files: the process number in them may be another's by now,
    /// or that of a server which ended and was never reaped, and PostgreSQL would take either for a running server.
    async fn stop_leftover(&self) -> Result<(), StackError> {
        let pid = fs::read_to_string(self.pid_file()).ok().and_then(|text| text.lines().next()?.trim().parse().ok());
        if let Some(pid) = pid {
            process::stop_leftover(SERVER, pid, &self.cluster, STOP).await?;
        }
        // Backends busy with a statement outlive their server, and keep the next one from starting.
        process::kill_titled(&format!("postgres: {}: ", self.name));
        for entry in fs::read_dir(&self.cluster).at("read", &self.cluster)? {
            let path = entry.at("read", &self.cluster)?.path();
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            if name == "postmaster.pid" || name.starts_with(".s.PGSQL.") {
                remove_if_there(&path)?;
            }
        }
        Ok(())
    }

    fn pid_file(&self) -> PathBuf {
        self.cluster.join("postmaster.pid")
    }

    /// Where `role` reaches `database` on this server.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Makes the roles and the database that are not there yet.
    pub async fn create_roles_and_database(&self, credentials: &Credentials) -> Result<(), StackError> {
        let failed = |step| move |source| StackError::Database { step, source };
        let url = self.url("postgres", &credentials.superuser_password, "postgres");
        let mut connection = PgConnection::connect(&url).await.map_err(failed("log in"))?;
        sqlx::query(include_str!("sql/set_passwords.sql"))
            .bind(&credentials.admin_password)
            .bind(&credentials.service_password)
            .execute(&mut connection)
            .await
            .map_err(failed("pass the passwords"))?;
        sqlx::query(include_str!("sql/create_roles.sql")).execute(&mut connection).await.map_err(failed("create the roles"))?;
        let exists: bool = sqlx::query_scalar(include_str!("sql/database_exists.sql"))
            .fetch_one(&mut connection)
            .await
            .map_err(failed("look for the database"))?;
        if !exists {
            sqlx::query(include_str!("sql/create_database.sql")).execute(&mut connection).await.map_err(failed("create the database"))?;
        }
        connection.close().await.map_err(failed("log out"))
    }
}

/// Where the cluster's parent directory is: the data directory itself, or, if the user who runs PostgreSQL cannot
/// enter that (it lies below root's home, say), a place of its own that carries the data directory's id.
async fn choose_base(data: &DataDir, setpriv: &Path, user: &RunAs) -> Result<PathBuf, StackError> {
    let RunAs::User { name, .. } = user else { return Ok(PathBuf::new()) };
    if can_enter(setpriv, user, &data.path).await? {
        return Ok(PathBuf::new());
    }
    let elsewhere = ["/var/lib/hilt", "/var/tmp/hilt"].map(|root| (PathBuf::from(root), Path::new(root).join(&data.marker.id)));
    for (root, base) in &elsewhere {
        let made = fs::create_dir_all(base)
            .and_then(|()| fs::set_permissions(root, fs::Permissions::from_mode(0o711)))
            .and_then(|()| fs::set_permissions(base, fs::Permissions::from_mode(0o711)));
        if made.is_ok() && can_enter(setpriv, user, base).await? {
            return Ok(base.clone());
        }
    }
    let tried = [data.path.display().to_string(), elsewhere[0].0.display().to_string(), elsewhere[1].0.display().to_string()];
    Err(StackError::Unreachable { user: name.clone(), tried: tried.join(", ") })
}

async fn can_enter(setpriv: &Path, user: &RunAs, directory: &Path) -> Result<bool, StackError> {
    let mut test = process::command(setpriv, user, Signal::SIGKILL, Path::new("/usr/bin/test"));
    test.arg("-x").arg(directory);
    let status = test.status().await.map_err(|source| StackError::Spawn { program: "test".to_owned(), source })?;
    Ok(status.success())
}

/// A server that is just ending removes its files itself.
fn remove_if_there(path: &Path) -> Result<(), StackError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result.at("remove", path),
    }
}

/// Makes a cluster beside its place and moves it there: a start that was killed here leaves nothing half-made.
async fn initialise(
    package: &PostgresPackage,
    cluster: &Path,
    user: &RunAs,
    setpriv: &Path,
    log: &Path,
    spawner: &Spawner,
    credentials: &Credentials,
) -> Result<(), StackError> {
    let base = cluster.parent().unwrap_or(Path::new("/"));
    let (unfinished, password) = (base.join("postgres.new"), base.join("postgres.password"));
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).at("remove", &unfinished)?;
    }
    fs::create_dir(&unfinished).at("create", &unfinished)?;
    user.give(&unfinished)?;
    write_private(&password, credentials.superuser_password.as_bytes())?;
    user.give(&password)?;

    let from = process::log_start(&log.to_owned());
    let mut initdb = process::command(setpriv, user, Signal::SIGKILL, &package.bin.join("initdb"));
    initdb.arg("-D").arg(&unfinished).arg("--pwfile").arg(&password);
    initdb.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums"]);
    process::log_to(&mut initdb, log)?;
    let mut child = spawner.spawn(initdb).await?;
    let status = child.wait().await.at("wait for", &package.bin)?;
    fs::remove_file(&password).at("remove", &password)?;
    if !status.success() {
        return Err(StackError::Ended { server: "initdb", last_words: process::last_words(log, from), log: log.to_owned() });
    }
    fs::rename(&unfinished, cluster).at("name", cluster)?;
    sync_directory(base)
}
