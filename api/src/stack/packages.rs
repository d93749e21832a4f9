//! The programs the stack is made of, as the machine's packages install them.

use super::error::StackError;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Debian keeps every major version apart here.
const POSTGRES_ROOT: &str = "/usr/lib/postgresql";

/// One installed major version of PostgreSQL.
#[derive(Clone)]
pub(super) struct PostgresPackage {
    pub major: u32,
    pub bin: PathBuf,
}

/// The installed PostgreSQL to use: the one that made `cluster` if it exists, else the newest.
pub(super) fn postgres(cluster: &Path) -> Result<PostgresPackage, StackError> {
    let mut installed = installed_postgres();
    installed.sort_by_key(|package| package.major);
    let Ok(made_by) = fs::read_to_string(cluster.join("PG_VERSION")) else {
        return installed.pop().ok_or(StackError::Missing { program: "PostgreSQL", package: "postgresql" });
    };
    let made_by = made_by.trim().to_owned();
    installed
        .into_iter()
        .find(|package| package.major.to_string() == made_by)
        .ok_or_else(|| StackError::MissingVersion { path: cluster.to_owned(), made_by })
}

fn installed_postgres() -> Vec<PostgresPackage> {
    let Ok(entries) = fs::read_dir(POSTGRES_ROOT) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            // The client package alone makes the folder without the server in it.
            (bin.join("postgres").is_file() && bin.join("initdb").is_file()).then_some(PostgresPackage { major, bin })
        })
        .collect()
}

/// nats-server, which Debian installs to /usr/sbin, outside an ordinary user's PATH.
pub(super) fn nats_server() -> Result<PathBuf, StackError> {
    find("nats-server").ok_or(StackError::Missing { program: "nats-server", package: "nats-server" })
}

/// setpriv, which gives up root and ties a child's life to ours.
pub(super) fn setpriv() -> Result<PathBuf, StackError> {
    find("setpriv").ok_or(StackError::Missing { program: "setpriv", package: "util-linux" })
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}
