//! The matcher: both sides, grouped by what both call a transaction, and what they come to.

use super::scope::{Item, Scope};
use events::vocab::{
    event::{EntrySums, ReconciledSums, StatementEntry, StatementItem, StatementLeg, Sums},
    money::SignedTotal,
    words::EntryStatus,
};
use std::collections::BTreeMap;

/// One amount of the log's, and the transaction that it came with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leg {
    /// The transaction's signature, or the invoice's id.
    pub reference: String,
    /// The amount and where it is from.
    pub leg: StatementLeg,
}

/// A statement and the log, held against each other.
#[derive(Clone, PartialEq, Debug)]
pub struct Reconciled {
    /// One for each transaction that either side has, by time.
    pub entries: Vec<StatementEntry>,
    /// What they come to.
    pub sums: ReconciledSums,
}

/// A sum is beyond 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a sum of the statement is beyond 64 bits")]
pub struct OutOfRange;

/// Holds `items` against `legs`. A leg counts if the statement covers its time, or names its transaction: then the statement says when
/// it was. Amounts of one transaction are summed on each side, however many lines, payments or parts it has.
pub fn reconcile(scope: &Scope, items: Vec<Item>, legs: Vec<Leg>) -> Result<Reconciled, OutOfRange> {
    let mut sides: BTreeMap<String, (Vec<StatementItem>, Vec<StatementLeg>)> = BTreeMap::new();
    for Item { line, reference, id, at, amount } in items {
        sides.entry(reference).or_default().0.push(StatementItem { line, id, at, amount });
    }
    for Leg { reference, leg } in legs {
        match sides.get_mut(&reference) {
            Some((_, legs)) => legs.push(leg),
            None if scope.covers(leg.at) => sides.entry(reference).or_default().1.push(leg),
            None => {}
        }
    }
    let mut entries = Vec::with_capacity(sides.len());
    let mut sums = Sums::default();
    for (reference, (mut items, mut legs)) in sides {
        items.sort_by_key(|item| item.line);
        legs.sort_by_key(|leg| (leg.at, leg.payment_id, leg.role as u8, leg.evidence));
        let statement = items.iter().try_fold(SignedTotal(0), |sum, item| sum.checked_add(item.amount.units())).ok_or(OutOfRange)?;
        let ledger = legs.iter().try_fold(SignedTotal(0), |sum, leg| sum.checked_add(i64::try_from(leg.amount.units()).ok()?));
        let ledger = ledger.ok_or(OutOfRange)?;
        let status = match (items.is_empty(), legs.is_empty()) {
            (false, true) => EntryStatus::StatementOnly,
            (true, _) => EntryStatus::LedgerOnly,
            (false, false) if statement == ledger => EntryStatus::Matched,
            (false, false) => EntryStatus::Different,
        };
        count(&mut sums, status, statement, ledger).ok_or(OutOfRange)?;
        let at = items.iter().map(|item| item.at).min().or_else(|| legs.iter().map(|leg| leg.at).min());
        entries.push(StatementEntry { reference, status, at: at.unwrap_or(scope.period_start), items, legs });
    }
    entries.sort_by(|left, right| (left.at, &left.reference).cmp(&(right.at, &right.reference)));
    sums.difference = sums.statement_total.checked_sub(sums.ledger_total).ok_or(OutOfRange)?;
    let sums = ReconciledSums::try_from(sums).map_err(|_| OutOfRange)?;
    Ok(Reconciled { entries, sums })
}

fn count(sums: &mut Sums, status: EntryStatus, statement: SignedTotal, ledger: SignedTotal) -> Option<()> {
    let of: &mut EntrySums = match status {
        EntryStatus::Matched => &mut sums.matched,
        EntryStatus::Different => &mut sums.different,
        EntryStatus::StatementOnly => &mut sums.statement_only,
        EntryStatus::LedgerOnly => &mut sums.ledger_only,
    };
    of.entries = of.entries.checked_add(1)?;
    of.statement = of.statement.checked_add(statement.0)?;
    of.ledger = of.ledger.checked_add(ledger.0)?;
    sums.statement_total = sums.statement_total.checked_add(statement.0)?;
    sums.ledger_total = sums.ledger_total.checked_add(ledger.0)?;
    Some(())
}
