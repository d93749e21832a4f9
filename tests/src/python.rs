//! Programs of the tests' Python environment, which `bin/test` makes.

use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The folder with the environment and the tests' own Python files.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python")
}

/// A program of the environment, to be run; it ends when the value is dropped.
///
/// # Panics
/// If the environment is not there.
pub fn program(name: &str) -> Command {
    let bin = folder().join(".venv/bin");
    let program = bin.join(name);
    assert!(program.exists(), "{} is missing: bin/test makes the Python environment", program.display());
    let mut command = Command::new(program);
    // What it runs in turn comes from the environment too.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(bin).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(paths).expect("a path has no colon")).env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
    command
}

/// Runs a command to its end and gives what it printed.
///
/// # Panics
/// If it fails, with what it said.
pub async fn run(mut command: Command) -> String {
    let done = command.output().await.expect("the program starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{command:?}\n{}\n{}", said(&done.stdout), said(&done.stderr));
    said(&done.stdout)
}
