//! `hilt-replay verify-approval`.

use super::{Common, output::print};
use crate::{ApprovalReport, Failure, public_key, verify_approval};
use clap::Args;
use events::{
    proof::NoteKey,
    vocab::bytes::{Hash32, Malformed},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, path::PathBuf};

#[derive(Args)]
pub(super) struct VerifyApproval {
    /// The file that GET /v1/admin/access/approvals/{id}/proof gave.
    file: PathBuf,
    /// The log's verifier key, your own copy of it (C2SP signed-note).
    #[arg(long, env = "HILT_LOG_VKEY")]
    vkey: String,
    /// An operator and his public key, from himself: 64 hexadecimal digits, or a file in PEM. Once for each of the two.
    #[arg(long = "operator", value_name = "ID=KEY", required = true)]
    operators: Vec<String>,
}

impl VerifyApproval {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let key: NoteKey = self.vkey.parse().map_err(|error: Malformed| Failure::Input(error.to_string()))?;
        let operators: BTreeMap<String, Hash32> = self.operators.iter().map(|text| operator(text)).collect::<Result<_, _>>()?;
        let text = std::fs::read_to_string(&self.file).map_err(|error| Failure::Input(format!("{}: {error}", self.file.display())))?;
        Ok(print(&Verified { ok: true, report: verify_approval(&text, &key, &operators)? }, common.json))
    }
}

fn operator(text: &str) -> Result<(String, Hash32), Failure> {
    let (name, key) = text.split_once('=').ok_or_else(|| Failure::Input(format!("{text}: an operator is given as ID=KEY")))?;
    let key = match key.parse() {
        Ok(key) => key,
        Err(_) => public_key(std::path::Path::new(key))?,
    };
    Ok((name.to_owned(), key))
}

#[derive(Serialize)]
struct Verified {
    ok: bool,
    #[serde(flatten)]
    report: ApprovalReport,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ApprovalReport { approval_id, origin, size, position, recorded_at, request, decision, operators } = &self.report;
        writeln!(f, "Two operators signed approval {approval_id}.")?;
        writeln!(f, "  log          {origin}, position {position} below a signed checkpoint of {size} events, recorded {recorded_at}")?;
        writeln!(f, "  asked for    {}", request["subject"])?;
        writeln!(f, "               by {}, because: {}", operators[0], request["reason"].as_str().unwrap_or_default())?;
        writeln!(f, "  approved     by {}, because: {}", operators[1], decision["reason"].as_str().unwrap_or_default())
    }
}
