//! `hilt-replay reconcile`.

use super::{Common, output::print};
use crate::{Failure, Reconcile as From, Reconciliation, Wanted, progress, reconcile, settings::Settings};
use clap::Args;
use events::vocab::{
    bytes::SolanaAddress,
    event::{StatementEntry, Sums},
    id::StatementId,
    money::SignedTotal,
    time::Timestamp,
    words::{EntryStatus, StatementFormat, StatementSource},
};
use ledger::statement::{Scope, asset};
use serde::Serialize;
use std::{fmt, path::PathBuf};

/// Entries of a list that text shows; JSON has all of them.
const SHOWN: usize = 50;

#[derive(Args)]
pub(super) struct Reconcile {
    /// The statement's file.
    #[arg(long, required_unless_present = "recorded")]
    statement: Option<PathBuf>,
    /// A statement on record, by its id: what it is of is taken from the record.
    #[arg(long)]
    recorded: Option<StatementId>,
    /// Where the account is: solana_usdc or stripe.
    #[arg(long, required_unless_present = "recorded", conflicts_with = "recorded")]
    source: Option<StatementSource>,
    /// The wallet, or the account's id at Stripe (acct_…).
    #[arg(long, required_unless_present = "recorded", conflicts_with = "recorded")]
    account: Option<String>,
    /// USDC or SOL on Solana; at Stripe a currency by ISO 4217 in lower case.
    #[arg(long, required_unless_present = "recorded", conflicts_with = "recorded")]
    asset: Option<String>,
    /// USDC's mint, where the chain is not Solana's mainnet.
    #[arg(long, default_value = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")]
    mint: SolanaAddress,
    /// It is not about real money.
    #[arg(long)]
    test: bool,
    /// The first moment that the statement covers, RFC 3339.
    #[arg(long, value_parser = Timestamp::parse, required_unless_present = "recorded", conflicts_with = "recorded")]
    from: Option<Timestamp>,
    /// The first moment that it does not cover any more, RFC 3339.
    #[arg(long, value_parser = Timestamp::parse, required_unless_present = "recorded", conflicts_with = "recorded")]
    to: Option<Timestamp>,
    /// How the file is written: csv, json, solana_rpc or stripe_csv.
    #[arg(long, required_unless_present = "recorded", conflicts_with = "recorded")]
    format: Option<StatementFormat>,
    /// The log in this folder's bundle instead of a database; it is verified first, with the verifier key and nothing else.
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// With --bundle: the log's verifier key.
    #[arg(long, env = "HILT_LOG_VKEY")]
    vkey: Option<String>,
}

impl Reconcile {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let wanted = self.wanted()?;
        let bar = progress::bar("folding", common.json);
        let mover = progress::mover(&bar);
        let found = match &self.bundle {
            Some(folder) => {
                let vkey = Settings::find_vkey(common.dev_file.clone(), self.vkey.clone())?;
                let vkey = vkey.ok_or_else(|| Failure::Input("a bundle is checked with the log's verifier key: --vkey".to_owned()))?;
                reconcile(From::Bundle { folder, vkey }, &wanted, &mover).await
            }
            None => {
                let pool = common.settings(None)?.connect().await?;
                reconcile(From::Live(&pool), &wanted, &mover).await
            }
        };
        bar.finish_and_clear();
        Ok(print(&Shown { ok: true, found: found? }, common.json))
    }

    fn wanted(&self) -> Result<Wanted, Failure> {
        let read = |path: &PathBuf| std::fs::read(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())));
        let file = self.statement.as_ref().map(read).transpose()?;
        if let Some(id) = self.recorded {
            return Ok(Wanted::Recorded { id, file });
        }
        let missing = || Failure::Input("give --statement, --source, --account, --asset, --from, --to and --format".to_owned());
        let source = self.source.ok_or_else(missing)?;
        let invalid = |invalid: ledger::statement::ScopeInvalid| Failure::Input(format!("--{invalid}"));
        let scope = Scope {
            source,
            account: self.account.clone().ok_or_else(missing)?,
            asset: asset(source, self.asset.as_deref().ok_or_else(missing)?, self.mint).map_err(invalid)?,
            livemode: !self.test,
            period_start: self.from.ok_or_else(missing)?,
            period_end: self.to.ok_or_else(missing)?,
        };
        let scope = scope.checked().map_err(invalid)?;
        Ok(Wanted::File { scope, format: self.format.ok_or_else(missing)?, file: file.ok_or_else(missing)? })
    }
}

#[derive(Serialize)]
struct Shown {
    ok: bool,
    #[serde(flatten)]
    found: Reconciliation,
}

/// The three lists of what is not matched, as they are headed.
const LISTS: [(EntryStatus, &str); 3] = [
    (EntryStatus::Different, "On both sides, with two amounts"),
    (EntryStatus::StatementOnly, "On the statement alone"),
    (EntryStatus::LedgerOnly, "In the log alone"),
];

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reconciliation { statement_id, source, account, asset, from, to, digest, through_position, on_record, .. } = &self.found;
        let word = if self.found.reconciled { "Reconciled." } else { "Not reconciled." };
        writeln!(f, "{word}")?;
        writeln!(f, "  statement    {source} {account}, {}, from {from} to before {to}", asset.code)?;
        writeln!(f, "  file         SHA-256 {digest}, statement {statement_id}")?;
        writeln!(f, "  log          up to position {through_position}")?;
        match on_record {
            None => writeln!(f, "  on record    no")?,
            Some(record) => {
                let against = if record.file { "its file and the log" } else { "its lines and the log" };
                let (position, event, difference) = (record.position, record.event_id, record.sums.difference);
                writeln!(
                    f,
                    "  on record    at position {position} (event {event}), difference {difference} then; holds against {against}"
                )?;
            }
        }
        let decimals = asset.decimals;
        write_sums(f, &self.found.sums, decimals)?;
        LISTS.iter().try_for_each(|(status, heading)| write_list(f, &self.found.entries, *status, heading, decimals))
    }
}

fn write_sums(f: &mut fmt::Formatter<'_>, sums: &Sums, decimals: u8) -> fmt::Result {
    let units = |sum: SignedTotal| decimal(sum.0, decimals);
    writeln!(f, "  {:<16} {:>8} {:>24} {:>24}", "", "entries", "statement", "log")?;
    for (name, of) in [
        ("matched", &sums.matched),
        ("different", &sums.different),
        ("statement alone", &sums.statement_only),
        ("log alone", &sums.ledger_only),
    ] {
        writeln!(f, "  {name:<16} {:>8} {:>24} {:>24}", of.entries, units(of.statement), units(of.ledger))?;
    }
    writeln!(f, "  {:<16} {:>8} {:>24} {:>24}", "total", "", units(sums.statement_total), units(sums.ledger_total))?;
    writeln!(f, "  {:<16} {:>8} {:>24}", "difference", "", units(sums.difference))
}

fn write_list(f: &mut fmt::Formatter<'_>, entries: &[StatementEntry], status: EntryStatus, heading: &str, decimals: u8) -> fmt::Result {
    let listed: Vec<&StatementEntry> = entries.iter().filter(|entry| entry.status == status).collect();
    if listed.is_empty() {
        return Ok(());
    }
    writeln!(f, "{heading}:")?;
    for entry in listed.iter().take(SHOWN) {
        let statement: i128 = entry.items.iter().map(|item| i128::from(item.amount.units())).sum();
        let ledger: i128 = entry.legs.iter().map(|leg| i128::from(leg.amount.units())).sum();
        let lines: Vec<String> = entry.items.iter().map(|item| item.line.to_string()).collect();
        let payments: Vec<String> = entry.legs.iter().filter_map(|leg| leg.payment_id).map(|id| id.to_string()).collect();
        write!(f, "  {}  {}", entry.at, entry.reference)?;
        if !lines.is_empty() {
            write!(f, "  statement {} (line {})", decimal(statement, decimals), lines.join(", "))?;
        }
        if !entry.legs.is_empty() {
            write!(f, "  log {}", decimal(ledger, decimals))?;
        }
        if !payments.is_empty() {
            write!(f, " (payment {})", payments.join(", "))?;
        }
        writeln!(f)?;
    }
    match listed.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more: --json has all of them"),
    }
}

/// Minor units as whole ones with their places.
fn decimal(units: impl Into<i128>, decimals: u8) -> String {
    let units = units.into();
    let (sign, scale) = (if units < 0 { "-" } else { "" }, 10_u128.pow(u32::from(decimals.min(30))));
    let digits = units.unsigned_abs();
    match usize::from(decimals.min(30)) {
        0 => format!("{sign}{digits}"),
        places => format!("{sign}{}.{:0places$}", digits / scale, digits % scale),
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn amounts_are_shown_with_all_their_places() {
        assert_eq!(decimal(-24_750_000_i64, 6), "-24.750000");
        assert_eq!((decimal(5_i64, 2), decimal(-5_i64, 2), decimal(500_i64, 0)), ("0.05".into(), "-0.05".into(), "500".into()));
    }
}
