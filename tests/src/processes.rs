//! The real binary as a child process, and what tests ask of processes.

use crate::stack::nats_prefix;
use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// A directory of one test, removed with the value.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new one, which any user may pass through: as root the embedded PostgreSQL runs as another.
    ///
    /// # Panics
    /// If the system's directory for such things cannot be written.
    #[allow(clippy::new_without_default, reason = "each is another directory")]
    pub fn new() -> Self {
        let path = env::temp_dir().join(format!("hilt-test-{}", nats_prefix()));
        fs::create_dir(&path).expect("a directory is made");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode is set");
        Folder(path)
    }
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
    /// A path in it for a data directory.
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program of that name as it was built beside the running test.
///
/// # Panics
/// If it was not built.
pub fn binary(name: &str) -> PathBuf {
    let tests = env::current_exe().expect("a test knows its own path");
    let binary = tests.parent().and_then(Path::parent).expect("a test lies below the target directory").join(name);
    assert!(binary.exists(), "{} is missing: build the workspace first, as bin/test does", binary.display());
    binary
}

/// The command `hilt` as it was built beside the running test; killed with its value.
pub fn hilt(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("hilt"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The processes whose parent is `parent`.
///
/// # Panics
/// If there is no `/proc`.
pub fn children_of(parent: i32) -> Vec<i32> {
    let is_child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in parentheses may hold spaces; the parent is the second word after it.
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)).is_some_and(|word| word == parent.to_string())
    };
    let entries = fs::read_dir("/proc").expect("the system tells of its processes");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(is_child).collect()
}

/// The servers of the embedded stack in `data_dir`: PostgreSQL and nats-server.
///
/// # Panics
/// If they do not run.
pub fn servers_of(data_dir: &Path) -> Vec<i32> {
    let pid = |file| {
        let text = fs::read_to_string(data_dir.join(file)).expect("a running server has a pid file");
        text.lines().next().and_then(|line| line.trim().parse().ok()).expect("a pid file begins with a pid")
    };
    ["postgres/postmaster.pid", "nats/nats.pid"].map(pid).to_vec()
}

/// A port that nobody listens on now.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("the port is known").port()
}
