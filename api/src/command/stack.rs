//! `hilt stack`: the embedded servers alone, around a command or until standard input closes.

use super::{Refusal, asked_to_end};
use api::{
    config::Config,
    stack::{self, StackOptions},
};
use clap::Args;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde::Serialize;
use std::{ffi::OsString, io, path::PathBuf, process::ExitCode};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

/// The options of `hilt stack`.
#[derive(Args)]
pub struct Stack {
    /// Where the stack's data lies, instead of HILT_DATA_DIR.
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// Remove the data when the stack has stopped.
    #[arg(long)]
    throw_away: bool,
    /// Run this command with HILT_TEST_* set and stop with its exit code. Without one, a JSON line with the stack's
    /// URLs is printed and the stack stays up until standard input closes.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The line printed when the stack is up.
#[derive(Serialize)]
struct Ready<'a> {
    admin_database_url: &'a str,
    database_url: &'a str,
    superuser_url: &'a str,
    nats_url: &'a str,
    data_dir: &'a str,
}

impl Stack {
    /// Starts the stack, runs the command or waits, stops the stack.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        let data_dir = self.data_dir.unwrap_or(config.data_dir);
        let options = StackOptions { data_dir, progress: Box::new(|line| eprintln!("hilt: {line}")) };
        let stack = tokio::select! {
            started = stack::Stack::start(options) => started?,
            asked = asked_to_end() => {
                asked?;
                return Ok(ExitCode::FAILURE);
            }
        };
        let ended = tokio::select! {
            ended = until_the_end(&stack, &self.command) => ended,
            failure = stack.failed() => Err(failure.into()),
        };
        if self.throw_away {
            stack.throw_away().await?;
        } else {
            stack.stop().await;
        }
        ended
    }
}

async fn until_the_end(stack: &stack::Stack, command: &[OsString]) -> Result<ExitCode, Refusal> {
    let Some((program, arguments)) = command.split_first() else {
        let data_dir = stack.data_dir().to_string_lossy();
        println!(
            "{}",
            serde_json::to_string(&Ready {
                admin_database_url: &stack.admin_database_url,
                database_url: &stack.database_url,
                superuser_url: &stack.superuser_url,
                nats_url: &stack.nats_url,
                data_dir: &data_dir,
            })?
        );
        tokio::select! {
            asked = asked_to_end() => asked?,
            () = input_closed() => {}
        }
        return Ok(ExitCode::SUCCESS);
    };
    let child = Command::new(program)
        .args(arguments)
        .env("HILT_TEST_ADMIN_URL", &stack.admin_database_url)
        .env("HILT_TEST_SERVICE_URL", &stack.database_url)
        .env("HILT_TEST_NATS_URL", &stack.nats_url)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    exit_code(child).await
}

/// Waits for the command, passing on to it and to what it started whatever we are sent.
async fn exit_code(mut child: Child) -> Result<ExitCode, Refusal> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        let asked = tokio::select! {
            status = child.wait() => return Ok(ExitCode::from(u8::try_from(status?.code().unwrap_or(1)).unwrap_or(1))),
            _ = interrupt.recv() => Signal::SIGINT,
            _ = terminate.recv() => Signal::SIGTERM,
            _ = hangup.recv() => Signal::SIGHUP,
        };
        if let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()) {
            // It may have ended in this moment; then the wait above says so.
            let _ = killpg(Pid::from_raw(group), asked);
        }
    }
}

/// A thread of its own reads: the runtime would wait for its reading threads before the process could end.
async fn input_closed() {
    let (closed, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = closed.send(());
    });
    let _ = wait.await;
}
