//! `hilt-replay verify`.

use super::{Common, output::print};
use crate::{
    Failure, Numbers, ReceiptKeys, Resume, StateReport, VerifyOptions, VerifyReport, progress, settings::Settings, tables, verify_state,
};
use clap::Args;
use events::{clock::Clock, vault::Vault, vocab::bytes::Malformed};
use serde::Serialize;
use std::{fmt, path::PathBuf};

/// Events between two times that the state of a run is kept.
const KEPT_EVERY: u64 = 250_000;

#[derive(Args)]
pub(super) struct Verify {
    /// The log's verifier key (C2SP signed-note); by default dev.json's, else the keys the database publishes.
    #[arg(long, env = "HILT_LOG_VKEY")]
    vkey: Option<String>,
    /// File with the published receipt keys as JWKS; by default the keys the database publishes.
    #[arg(long)]
    jwks: Option<PathBuf>,
    /// File with a signed checkpoint that the log must extend; may be given several times.
    #[arg(long = "checkpoint")]
    checkpoints: Vec<PathBuf>,
    /// Verifier key of a witness (C2SP signed-note, type 04) whose signatures are checked; may be given several times.
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<String>,
    /// Check the bundle in this folder instead of a database; needs the verifier key and nothing else.
    #[arg(long, conflicts_with_all = ["from", "state"])]
    bundle: Option<PathBuf>,
    /// Folder in which this run keeps how far it is: given again after the run was killed, it goes on. Rows that were checked are read
    /// and hashed again, and not decoded again.
    #[arg(long, conflicts_with = "bundle")]
    resume: Option<PathBuf>,
    /// Folder for what does not fit into memory; by default the system's own for such things.
    #[arg(long, env = "HILT_REPLAY_SCRATCH")]
    scratch: Option<PathBuf>,
    /// Take rows before this position to be what their leaves say.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Then fold the read models from payloads alone and hold them, the newest signed number of theirs, and every other table against
    /// the log. Needs no key; with the service's role the live tables are compared row by row.
    #[arg(long)]
    state: bool,
    /// With --state: also open everything that is kept encrypted; by default the development service's own key. 64 hexadecimal digits.
    #[arg(long, env = "HILT_MASTER_KEY", hide_env_values = true)]
    master_key: Option<String>,
}

impl Verify {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        if let Some(folder) = self.bundle.clone() {
            let vkey = Settings::find_vkey(common.dev_file.clone(), self.vkey.clone())?;
            let bar = progress::bar("verifying", common.json);
            let report = crate::verify_bundle(&folder, &self.options(vkey)?, &progress::mover(&bar)).await;
            bar.finish_and_clear();
            return Ok(print(&Verified { ok: true, report: report?, state: None }, common.json));
        }
        let settings = common.settings(self.vkey.clone())?;
        let master = match (self.state, self.master_key.clone()) {
            (false, _) => None,
            (true, Some(given)) => Some(settings.master_key(Some(given))?),
            (true, None) => settings.master_key(None).ok(),
        };
        let with_state = self.state;
        let options = self.options(settings.vkey.clone())?;
        let pool = settings.connect().await?;
        let bar = progress::bar("verifying", common.json);
        let report = crate::verify(&pool, &options, &progress::mover(&bar)).await;
        bar.finish_and_clear();
        let mut verified = Verified { ok: true, report: report?, state: None };
        if with_state {
            let bar = progress::bar("folding", common.json);
            let state = verify_state(&pool, &[], Numbers::Hold, &progress::mover(&bar)).await;
            bar.finish_and_clear();
            verified.state = Some(state?);
            if let Some(master) = master {
                tables::open(&Vault::new(pool, master, Clock::machine())).await?;
            }
        }
        Ok(print(&verified, common.json))
    }

    fn options(self, vkey: Option<String>) -> Result<VerifyOptions, Failure> {
        let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())));
        let receipt_keys = match &self.jwks {
            Some(path) => Some(ReceiptKeys::from_jwks(&read(path)?).map_err(Failure::Input)?),
            None => None,
        };
        let resume = self.resume.map(|folder| Resume { folder, every: KEPT_EVERY });
        let checkpoints = self.checkpoints.iter().map(read).collect::<Result<_, _>>()?;
        let witness = |text: &String| text.parse().map_err(|error: Malformed| Failure::Input(error.to_string()));
        let witnesses = self.witnesses.iter().map(witness).collect::<Result<_, _>>()?;
        Ok(VerifyOptions { vkey, receipt_keys, checkpoints, witnesses, from: self.from, scratch: self.scratch, resume })
    }
}

#[derive(Serialize)]
struct Verified {
    ok: bool,
    #[serde(flatten)]
    report: VerifyReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<StateReport>,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)?;
        self.state.iter().try_for_each(|state| state.fmt(f))
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VerifyReport { from, events, before, resumed_at, spilled_bytes, root, streams, claims, .. } = self;
        let VerifyReport {
            trial_balance, attested_balances, receipts, checkpoints, signed_size, log_key, receipt_keys, milliseconds, ..
        } = self;
        writeln!(f, "The log holds.")?;
        writeln!(f, "  events       {events} in {streams} streams")?;
        if *from > 0 {
            writeln!(f, "  from         position {from}; {before} times an event rests on one before, which is not checked here")?;
        }
        writeln!(f, "  root         {root}")?;
        writeln!(f, "  checkpoints  {checkpoints}, the newest signs {signed_size} events (key: {log_key})")?;
        writeln!(f, "  receipts     {receipts} (keys: {receipt_keys})")?;
        writeln!(f, "  claims       {claims}")?;
        if let Some(lines) = trial_balance {
            writeln!(f, "  balances     {} accounts, debits are credits; {attested_balances} times attested", lines.len())?;
        }
        if *resumed_at > 0 {
            writeln!(f, "  went on      at position {resumed_at}; the rows before are the same as when they were checked")?;
        }
        if *spilled_bytes > 0 {
            writeln!(f, "  laid aside   {spilled_bytes} bytes on disk")?;
        }
        writeln!(f, "  took         {milliseconds} ms")
    }
}
