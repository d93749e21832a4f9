//! `hilt-replay certificate`.

use super::{Common, output::print};
use crate::{Certificate as Found, Certify, Failure, OperatorKey, certify, open_models, progress};
use clap::Args;
use std::{fmt, path::PathBuf};

#[derive(Args)]
pub(super) struct Certificate {
    /// Who certifies: an opaque id, never a name or an address.
    #[arg(long)]
    operator: String,
    /// The operator's Ed25519 key: a file in PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` writes it.
    #[arg(long)]
    key: PathBuf,
    /// Make the key first; the file must not exist.
    #[arg(long)]
    new_key: bool,
    /// What happened, as a code: it stays in the log.
    #[arg(long, default_value = "read_models_rebuilt")]
    reason: String,
    /// Where the certificate goes: FILE.json, FILE.sig and FILE.pem.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The log's name in its checkpoints, where none was signed yet.
    #[arg(long, env = "HILT_LOG_ORIGIN")]
    log_origin: Option<String>,
    /// The log is opened with it; by default the development service's own. 64 hexadecimal digits.
    #[arg(long, env = "HILT_MASTER_KEY", hide_env_values = true)]
    master_key: Option<String>,
}

impl Certificate {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let settings = common.settings(None)?;
        let models = open_models(&settings.connect().await?, settings.master_key(self.master_key)?).await?;
        let key = match self.new_key {
            true => OperatorKey::generate(&self.key)?,
            false => OperatorKey::read(&self.key)?,
        };
        let asked = Certify { operator: self.operator, key: &key, reason: self.reason, file: self.file };
        let bar = progress::bar("holding", common.json);
        let found = certify(&models, self.log_origin.as_deref(), &asked, &progress::mover(&bar)).await;
        bar.finish_and_clear();
        Ok(print(&found?, common.json))
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The recovery is certified.")?;
        writeln!(f, "  recovery     {}", self.recovery_id)?;
        writeln!(f, "  on record    at position {} (event {})", self.position, self.event_id)?;
        writeln!(f, "  SHA-256      {}", self.certificate_hash)?;
        self.files.iter().try_for_each(|file| writeln!(f, "  file         {}", file.display()))
    }
}
