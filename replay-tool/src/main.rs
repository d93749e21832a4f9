//! `hilt-replay`: see [`replay_tool`].

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    replay_tool::cli::run().await
}
