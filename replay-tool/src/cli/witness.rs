//! `hilt-replay witness`.

use super::{Common, output::print};
use crate::{Failure, WitnessOptions, Witnessed};
use clap::Args;
use events::{proof::Witness as Key, vocab::bytes::Malformed};
use serde::Serialize;
use std::{fmt, fs::OpenOptions, io::Write as _, path::PathBuf};

#[derive(Args)]
pub(super) struct Witness {
    /// URL below which the log publishes its checkpoint and tiles, such as https://api.example.com/v1/log.
    #[arg(long, env = "HILT_LOG_URL", required_unless_present = "generate")]
    log: Option<String>,
    /// The log's verifier key, your own copy of it (C2SP signed-note).
    #[arg(long, env = "HILT_LOG_VKEY", required_unless_present = "generate")]
    vkey: Option<String>,
    /// File with the witness's private key.
    #[arg(long)]
    key: PathBuf,
    /// File that keeps the last checkpoint that was signed.
    #[arg(long, required_unless_present = "generate")]
    state: Option<PathBuf>,
    /// Make a key under this name, such as witness.example.com/hilt, write it to --key, print its verifier key, and do nothing else.
    #[arg(long, value_name = "NAME")]
    generate: Option<String>,
    /// Print the signature and do not send it to the log.
    #[arg(long)]
    no_submit: bool,
}

impl Witness {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        if let Some(name) = &self.generate {
            return Ok(print(&self.make(name)?, common.json));
        }
        let input = |error: Malformed| Failure::Input(error.to_string());
        let path = self.key.display().to_string();
        let secret = std::fs::read_to_string(&self.key).map_err(|error| Failure::Input(format!("{path}: {error}")))?;
        let missing = |what: &str| Failure::Input(format!("--{what} is needed"));
        let options = WitnessOptions {
            log: self.log.ok_or_else(|| missing("log"))?,
            key: self.vkey.ok_or_else(|| missing("vkey"))?.parse().map_err(input)?,
            witness: Key::from_secret(&secret).map_err(|error| Failure::Input(format!("{path}: {error}")))?,
            state: self.state.ok_or_else(|| missing("state"))?,
            submit: !self.no_submit,
        };
        Ok(print(&crate::witness(&options).await?, common.json))
    }

    /// Never over a key that is there.
    fn make(&self, name: &str) -> Result<Made, Failure> {
        let key = Key::generate(name).map_err(|error| Failure::Input(error.to_string()))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&self.key).and_then(|mut file| {
            file.write_all(format!("{}\n", key.to_secret()).as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| Failure::Input(format!("{}: {error}", self.key.display())))?;
        Ok(Made { vkey: key.key().to_string() })
    }
}

#[derive(Serialize)]
struct Made {
    vkey: String,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.vkey)
    }
}

impl fmt::Display for Witnessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Witnessed { origin, before, size, root, witness, cosignature, submitted } = self;
        match before {
            Some(before) if before == size => writeln!(f, "{origin} has not grown: it has {size} events.")?,
            Some(before) => writeln!(f, "{origin} has only grown: from {before} to {size} events.")?,
            None => writeln!(f, "{origin} is seen for the first time: it has {size} events, and there is nothing to compare with.")?,
        }
        writeln!(f, "  root         {root}")?;
        writeln!(f, "  signed by    {witness}")?;
        writeln!(f, "  sent         {}", if *submitted { "yes" } else { "no" })?;
        writeln!(f, "{cosignature}")
    }
}
