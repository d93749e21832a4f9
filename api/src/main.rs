//! The command `hilt`.

mod command;

use clap::Parser as _;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match command::Cli::parse().run().await {
        Ok(code) => code,
        Err(sentence) => {
            eprintln!("hilt: {sentence}");
            ExitCode::FAILURE
        }
    }
}
