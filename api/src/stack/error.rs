//! What can keep the embedded stack from starting: one clear sentence each, with what to do about it.

use std::{io, path::PathBuf};

/// Why the embedded stack did not start or did not stay up.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A program of the machine's packages is missing.
    #[error("{program} was not found: install the package `{package}` (bin/dev does so where it may use apt-get)")]
    Missing {
        /// The program looked for.
        program: &'static str,
        /// The Debian package that holds it.
        package: &'static str,
    },
    /// The data was made by a major version of PostgreSQL that is not installed any more.
    #[error("the data in {path} was made by PostgreSQL {made_by}, which is not installed: install the package `postgresql-{made_by}`")]
    MissingVersion {
        /// The cluster.
        path: PathBuf,
        /// Its major version.
        made_by: String,
    },
    /// The directory holds something that is not ours.
    #[error("{0} is not empty and is not a data directory of Hilt (it has no hilt-data.json): choose another with HILT_DATA_DIR")]
    Foreign(PathBuf),
    /// A newer Hilt made the directory.
    #[error("{path} has data format {found}, newer than the {known} this program knows: use a newer program")]
    Newer {
        /// The data directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// Another process holds the directory.
    #[error("{0} is in use by another running hilt: stop that one, or choose another directory with HILT_DATA_DIR")]
    InUse(PathBuf),
    /// Another user made the directory.
    #[error("{path} belongs to the user with id {owner}: run as that user, or choose another directory with HILT_DATA_DIR")]
    OtherUser {
        /// The data directory.
        path: PathBuf,
        /// Who made it.
        owner: u32,
    },
    /// A file of ours does not say what we wrote.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system refused a file operation.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// As a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// PostgreSQL may not run as root and nobody else may reach a place for its files.
    #[error(
        "PostgreSQL does not run as root, and neither a user `postgres` nor `nobody` exists to run it: create one or run as an ordinary user"
    )]
    NoUser,
    /// No directory was found that the unprivileged user can enter.
    #[error("the user `{user}`, who runs PostgreSQL, can enter none of {tried}: choose a directory he can enter with HILT_DATA_DIR")]
    Unreachable {
        /// The unprivileged user.
        user: String,
        /// The places tried.
        tried: String,
    },
    /// A program could not be run at all.
    #[error("cannot run {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// The refusal.
        source: io::Error,
    },
    /// A server ended while it was starting.
    #[error("{server} did not start: {last_words} (whole log: {log})")]
    Ended {
        /// The server.
        server: &'static str,
        /// The last complaint in its log.
        last_words: String,
        /// Its log.
        log: PathBuf,
    },
    /// A server took too long to become ready.
    #[error("{server} was not ready after {seconds} s (log: {log})")]
    Slow {
        /// The server.
        server: &'static str,
        /// The bound.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// A process of an earlier run does not end.
    #[error("{server} of an earlier run (process {pid}) does not stop: end it and start again")]
    Leftover {
        /// The server.
        server: &'static str,
        /// Its process.
        pid: i32,
    },
    /// PostgreSQL runs but refused a step of its set-up.
    #[error("cannot {step} in the embedded PostgreSQL: {source}")]
    Database {
        /// As a verb.
        step: &'static str,
        /// The refusal.
        source: sqlx::Error,
    },
    /// A server ended again and again while the stack was up.
    #[error("{server} keeps ending and was given up: {last_error}")]
    GivenUp {
        /// The server.
        server: &'static str,
        /// The last attempt's error.
        last_error: String,
    },
    /// The system's source of randomness failed.
    #[error("the operating system gives no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// Adds what was attempted on which file to an I/O error.
pub(super) trait AtPath<T> {
    fn at(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, StackError>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, StackError> {
        self.map_err(|source| StackError::File { action, path: path.into(), source })
    }
}
