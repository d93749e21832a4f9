//! `hilt openapi` and `hilt postman`: what the service offers, for tools that generate clients and for people who try requests.

use super::Refusal;
use api::{config::Config, postman, routes::openapi};
use clap::Args;
use serde_json::Value;
use std::{
    io::{Write as _, stdout},
    process::ExitCode,
};

/// The options of `hilt openapi`.
#[derive(Args)]
pub struct OpenApi {}

impl OpenApi {
    /// Prints the document.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        print(&openapi::document(&config.public_api_url))
    }
}

/// The options of `hilt postman`.
#[derive(Args)]
pub struct Postman {}

impl Postman {
    /// Prints the collection.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        print(&postman::collection(&openapi::document(&config.public_api_url)))
    }
}

fn print(document: &Value) -> Result<ExitCode, Refusal> {
    match writeln!(stdout(), "{document:#}") {
        // Whoever reads a part of it and closes the pipe has what he wanted.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
