//! `hilt operator`: an operator's own key, made and used on his own machine. Nothing here talks to a service or a database.

use super::Refusal;
use api::config::Config;
use clap::{Args, Subcommand};
use events::vocab::bytes::Hash32;
use ledger::{
    approval::statement::{self, KeyStatement},
    recovery::is_operator,
};
use replay_tool::OperatorKey;
use serde_json::json;
use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The options of `hilt operator`.
#[derive(Args)]
pub struct Operator {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key, if the file is not there yet, and print what registers it: the body of POST /v1/admin/access/operator-keys.
    Key {
        /// Who you are to the service: the `sub` of your token.
        #[arg(long)]
        operator: String,
        /// The log's name, the first line of its checkpoints.
        #[arg(long)]
        log: String,
        /// The file with the private key, in PEM (PKCS#8), as openssl reads and writes it. It never leaves this machine.
        #[arg(long)]
        key: PathBuf,
    },
    /// Show a statement and sign it: prints the signature in base64.
    Sign {
        /// The file with the private key.
        #[arg(long)]
        key: PathBuf,
        /// The statement, byte for byte; - is standard input.
        statement: PathBuf,
    },
    /// Print the public key in PEM, for auditors.
    Public {
        /// The file with the private key.
        #[arg(long)]
        key: PathBuf,
    },
}

impl Operator {
    /// Makes, uses or shows the key.
    pub async fn run(self, _: Config) -> Result<ExitCode, Refusal> {
        match self.action {
            Action::Key { operator, log, key } => {
                if !is_operator(&operator) {
                    return Err("--operator is an id of 1 to 64 of a-z, 0-9, ., _ and -, never a name or an address".into());
                }
                let key = if key.exists() { OperatorKey::read(&key)? } else { OperatorKey::generate(&key)? };
                let public_key = Hash32(key.public());
                let signature = key.sign(KeyStatement::new(&log, &operator, public_key).canonical().as_bytes());
                println!("{}", json!({ "public_key": public_key, "signature": signature }));
            }
            Action::Sign { key, statement } => {
                let (key, text) = (OperatorKey::read(&key)?, read(&statement)?);
                let form = statement::form_of(&text).ok_or("this is no statement of an approval, byte for byte; nothing is signed")?;
                eprintln!("Signing this {form}:\n{text}");
                println!("{}", key.sign(text.as_bytes()));
            }
            Action::Public { key } => print!("{}", OperatorKey::read(&key)?.public_pem()),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The statement in a file, which editors and `jq -r` end with a line break that is no part of it.
fn read(path: &Path) -> Result<String, Refusal> {
    let mut text = String::new();
    match path.as_os_str() == "-" {
        true => drop(std::io::stdin().read_to_string(&mut text)?),
        false => text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?,
    }
    Ok(text.trim_end_matches('\n').to_owned())
}
