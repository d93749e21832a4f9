//! Child processes: who runs them, how they are started so that they end with us, and how they are stopped.

use super::error::{AtPath, StackError};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::{Pid, User},
};
use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    process::Stdio,
    sync::mpsc,
    thread,
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

/// How often a state without a notification of its own is looked at.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// The user a server runs as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum RunAs {
    /// Whoever runs us.
    Us,
    /// An unprivileged user, since we are root.
    User { name: String, uid: u32, gid: u32 },
}

impl RunAs {
    /// Who runs PostgreSQL for us: ourselves, or, if we are root, the package's own user.
    pub fn for_postgres() -> Result<Self, StackError> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(RunAs::Us);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| RunAs::User { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() })
            .ok_or(StackError::NoUser)
    }

    /// As [`RunAs::for_postgres`], but the owner of an existing `directory`: PostgreSQL insists on owning its data.
    pub fn owner_of(directory: &Path) -> Result<Self, StackError> {
        let owner = fs::metadata(directory).at("read", directory)?;
        if !nix::unistd::geteuid().is_root() {
            return Ok(RunAs::Us);
        }
        if owner.uid() == 0 {
            return Err(StackError::Damaged { path: directory.to_owned(), why: "PostgreSQL's directory belongs to root".to_owned() });
        }
        Ok(RunAs::User { name: format!("with id {}", owner.uid()), uid: owner.uid(), gid: owner.gid() })
    }

    /// Gives `path` to this user.
    pub fn give(&self, path: &Path) -> Result<(), StackError> {
        match self {
            RunAs::Us => Ok(()),
            RunAs::User { uid, gid, .. } => std::os::unix::fs::chown(path, Some(*uid), Some(*gid)).at("change the owner of", path),
        }
    }
}

/// A command run as `user` in an empty environment; `on_our_death` is sent to it when we end, even by SIGKILL.
pub(super) fn command(setpriv: &Path, user: &RunAs, on_our_death: Signal, program: &Path) -> Command {
    let mut command = Command::new(setpriv);
    command.arg(format!("--pdeathsig={}", on_our_death.as_str().trim_start_matches("SIG")));
    if let RunAs::User { uid, gid, .. } = user {
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
    }
    command.arg("--").arg(program).env_clear().envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C")]).current_dir("/");
    // A group of its own: Ctrl-C reaches us alone, and we stop the servers when the service has finished with them.
    command.process_group(0).stdin(Stdio::null());
    command
}

/// Sends a command's output to the end of `log`.
pub(super) fn log_to(command: &mut Command, log: &Path) -> Result<(), StackError> {
    let open = || OpenOptions::new().append(true).create(true).mode(0o600).open(log);
    command.stdout(open().at("open", log)?).stderr(open().at("open", log)?);
    Ok(())
}

/// The one thread that starts children. The kernel counts a child's "parent" by thread, and threads of a runtime come
/// and go; this one lives as long as the stack.
#[derive(Clone)]
pub(super) struct Spawner(mpsc::Sender<Job>);

type Job = (Command, oneshot::Sender<io::Result<Child>>);

impl Spawner {
    /// Starts the thread; it ends when the last clone is dropped, and with it the children it started.
    pub fn new() -> Result<Self, StackError> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let runtime = Handle::current();
        let work = move || {
            let _runtime = runtime.enter();
            for (mut command, answer) in inbox {
                // If nobody waits for the answer, the child is dropped and its end is seen to by the runtime.
                let _ = answer.send(command.spawn());
            }
        };
        thread::Builder::new()
            .name("hilt-stack".to_owned())
            .spawn(work)
            .map_err(|source| StackError::Spawn { program: "a thread".to_owned(), source })?;
        Ok(Spawner(jobs))
    }

    /// Starts `command`.
    pub async fn spawn(&self, command: Command) -> Result<Child, StackError> {
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        let (answer, result) = oneshot::channel();
        let gone = || io::Error::other("the stack is stopping");
        let spawned = match self.0.send((command, answer)) {
            Ok(()) => result.await.unwrap_or_else(|_| Err(gone())),
            Err(_) => Err(gone()),
        };
        spawned.map_err(|source| StackError::Spawn { program, source })
    }
}

/// Ends `child` by each signal in turn, giving it the time beside the signal, and reaps it.
pub(super) async fn stop(child: &mut Child, signals: &[(Signal, Duration)]) {
    for (signal, patience) in signals {
        let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) else { return };
        let _ = kill(Pid::from_raw(pid), *signal);
        if timeout(*patience, child.wait()).await.is_ok() {
            return;
        }
    }
}

/// Ends a server that an earlier run left behind, if `pid` still is that server: one of its arguments is `argument`.
pub(super) async fn stop_leftover(
    server: &'static str,
    pid: i32,
    argument: &Path,
    signals: &[(Signal, Duration)],
) -> Result<(), StackError> {
    for (signal, patience) in signals {
        if !has_argument(pid, argument) {
            return Ok(());
        }
        match kill(Pid::from_raw(pid), *signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(_) => return Err(StackError::Leftover { server, pid }),
        }
        let deadline = Instant::now() + *patience;
        while has_argument(pid, argument) && Instant::now() < deadline {
            sleep(POLL).await;
        }
    }
    if has_argument(pid, argument) { Err(StackError::Leftover { server, pid }) } else { Ok(()) }
}

/// Whether process `pid` lives and was started with `argument`. A process that ended but was not reaped has none.
fn has_argument(pid: i32, argument: &Path) -> bool {
    let Ok(arguments) = fs::read(format!("/proc/{pid}/cmdline")) else { return false };
    arguments.split(|&byte| byte == 0).any(|word| OsStr::from_bytes(word) == argument)
}

/// Kills every process whose title begins with `title`.
pub(super) fn kill_titled(title: &str) {
    let Ok(entries) = fs::read_dir("/proc") else { return };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for pid in pids {
        if fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|arguments| arguments.starts_with(title.as_bytes())) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// The last complaint after byte `from` of `log`, for an error message.
pub(super) fn last_words(log: &Path, from: u64) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let from = usize::try_from(from).unwrap_or(0).min(bytes.len());
    let text = String::from_utf8_lossy(&bytes[from..]).into_owned();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // Cut before the complaint are the server's time and process number.
    let complaint = |line: &&str| COMPLAINTS.iter().find_map(|word| line.find(word).map(|at| line[at..].to_owned()));
    let last = || lines.last().map_or_else(|| "it said nothing".to_owned(), |line| (*line).to_owned());
    lines.iter().rev().find_map(complaint).unwrap_or_else(last)
}

/// How PostgreSQL, nats-server and initdb begin what makes them give up.
const COMPLAINTS: [&str; 6] = ["FATAL:", "PANIC:", "[FTL]", "initdb: error:", "nats-server:", "error:"];

/// A log's length now; a log grown large is begun again.
pub(super) fn log_start(log: &PathBuf) -> u64 {
    const LARGE: u64 = 8 << 20;
    let length = fs::metadata(log).map_or(0, |log| log.len());
    if length > LARGE && fs::write(log, b"").is_ok() { 0 } else { length }
}
