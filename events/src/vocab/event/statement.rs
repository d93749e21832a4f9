//! Statements of what stands outside (a chain, Stripe), and what came of holding them against the log.
//!
//! A statement's file is bound by its hash, its lines by the events themselves: they are kept as ids, times and amounts. Names,
//! addresses, memos and descriptions of a file are never kept.

use crate::vocab::{
    bytes::{Hash32, SolanaAddress},
    id::{EventId, PaymentId, ReceiptId, StatementId},
    money::{Minor, SignedMinor, SignedTotal},
    time::Timestamp,
    words::*,
};
use serde::{Deserialize, Serialize};

/// A file was read whole and held against the log as it was at one position. What became of each transaction is in the
/// `statement.entries_recorded` that follow in the same append.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StatementImported {
    pub statement_id: StatementId,
    pub source: StatementSource,
    /// What the statement is of: a wallet on a chain, an account of Stripe's.
    pub account: String,
    pub asset: StatementAsset,
    /// The first moment it covers.
    pub period_start: Timestamp,
    /// The first moment it does not cover any more.
    pub period_end: Timestamp,
    pub format: StatementFormat,
    /// SHA-256 of the file as it was received.
    pub digest: Hash32,
    /// Its length.
    pub bytes: u64,
    /// Lines of it that say that something moved.
    pub items: u32,
    /// Position of the last event of the log that was taken into account.
    pub through_position: u64,
    pub sums: ReconciledSums,
    /// How many `statement.entries_recorded` follow.
    pub chunks: u32,
    /// The member of staff who brought it: an opaque id.
    pub by: String,
}

/// What a statement's amounts are of.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct StatementAsset {
    /// `USDC`, `SOL`, or a currency by ISO 4217 in lower case.
    pub code: String,
    /// Of its minor unit.
    pub decimals: u8,
    /// On Solana.
    pub mint: Option<SolanaAddress>,
}

/// What became of some of a statement's transactions, in the statement's order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StatementEntriesRecorded {
    pub statement_id: StatementId,
    /// 1, 2, 3 … of the `chunks` that `statement.imported` names.
    pub chunk: u32,
    /// Number of the first of these entries among all of the statement's, from 1.
    pub first: u32,
    pub entries: Vec<StatementEntry>,
}

/// One transaction (on Solana) or one invoice (at Stripe): everything that either side says of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatementEntry {
    /// What both sides call it: a transaction's signature, an invoice's id; where the statement names neither, its line's own id.
    pub reference: String,
    pub status: EntryStatus,
    /// When it happened: by the statement, or where that does not have it, by the log.
    pub at: Timestamp,
    /// Lines of the statement.
    pub items: Vec<StatementItem>,
    /// What the log says.
    pub legs: Vec<StatementLeg>,
}

/// One line of a statement, as far as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatementItem {
    /// Where in the file: a line of CSV, an element of a JSON array, from 1.
    pub line: u32,
    /// The source's own id of it, where that is not the entry's reference.
    pub id: Option<String>,
    pub at: Timestamp,
    /// In the asset's minor unit; below zero for what left the account.
    pub amount: SignedMinor,
}

/// One amount that reached the account, by the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatementLeg {
    pub role: MovementRole,
    pub at: Timestamp,
    /// In the asset's minor unit.
    pub amount: Minor,
    /// Absent on an invoice.
    pub payment_id: Option<PaymentId>,
    pub receipt_id: Option<ReceiptId>,
    /// The event that says so: `settlement.evidenced`, or `workspace_billing.synced`.
    pub evidence: EventId,
}

/// Sums of a statement held against the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sums {
    /// Everything on the statement.
    pub statement_total: SignedTotal,
    /// Everything in the log.
    pub ledger_total: SignedTotal,
    /// The first without the second.
    pub difference: SignedTotal,
    /// On both sides, with one amount.
    pub matched: EntrySums,
    /// On both sides, with two amounts.
    pub different: EntrySums,
    /// On the statement alone.
    pub statement_only: EntrySums,
    /// In the log alone.
    pub ledger_only: EntrySums,
}

/// Sums of the entries of one status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct EntrySums {
    pub entries: u32,
    pub statement: SignedTotal,
    pub ledger: SignedTotal,
}

/// Sums that add up. Whoever has them knows that the statement's total without the log's is what is on the statement alone, without
/// what is in the log alone, and with what differs where both have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Sums", into = "Sums")]
pub struct ReconciledSums(Sums);

/// Sums that do not add up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the unmatched sums of a statement are its difference from the log")]
pub struct NotReconciled;

impl ReconciledSums {
    /// The sums.
    pub fn get(&self) -> &Sums {
        &self.0
    }
}
impl From<ReconciledSums> for Sums {
    fn from(sums: ReconciledSums) -> Sums {
        sums.0
    }
}
impl TryFrom<Sums> for ReconciledSums {
    type Error = NotReconciled;
    fn try_from(sums: Sums) -> Result<Self, NotReconciled> {
        // 64 bits each, so that no sum of a few of them is beyond 128.
        let wide = |total: SignedTotal| i128::from(total.0);
        let each = [sums.matched, sums.different, sums.statement_only, sums.ledger_only];
        let side = |of: fn(&EntrySums) -> SignedTotal| each.iter().map(|sums| wide(of(sums))).sum::<i128>();
        let unmatched = wide(sums.statement_only.statement) - wide(sums.ledger_only.ledger) + wide(sums.different.statement)
            - wide(sums.different.ledger);
        let holds = wide(sums.difference) == wide(sums.statement_total) - wide(sums.ledger_total)
            && wide(sums.difference) == unmatched
            && wide(sums.statement_total) == side(|sums| sums.statement)
            && wide(sums.ledger_total) == side(|sums| sums.ledger)
            && sums.matched.statement == sums.matched.ledger
            && sums.statement_only.ledger.0 == 0
            && sums.ledger_only.statement.0 == 0;
        if holds { Ok(ReconciledSums(sums)) } else { Err(NotReconciled) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums() -> Sums {
        let of = |entries, statement, ledger| EntrySums { entries, statement: SignedTotal(statement), ledger: SignedTotal(ledger) };
        Sums {
            statement_total: SignedTotal(120),
            ledger_total: SignedTotal(150),
            difference: SignedTotal(-30),
            matched: of(2, 100, 100),
            different: of(1, 40, 30),
            statement_only: of(1, -20, 0),
            ledger_only: of(1, 0, 20),
        }
    }

    #[test]
    fn sums_that_do_not_add_up_cannot_be_read() {
        let right = ReconciledSums::try_from(sums()).unwrap();
        let bytes = rmp_serde::to_vec_named(&right).unwrap();
        assert_eq!(rmp_serde::from_slice::<ReconciledSums>(&bytes).unwrap(), right);
        let spoilers: [fn(&mut Sums); 9] = [
            |sums| sums.statement_total.0 += 1,
            |sums| sums.ledger_total.0 += 1,
            |sums| sums.difference.0 += 1,
            |sums| sums.matched.statement.0 += 1,
            |sums| sums.different.ledger.0 -= 1,
            |sums| sums.statement_only.statement.0 -= 1,
            |sums| sums.ledger_only.ledger.0 += 1,
            // Both totals and their difference fit; the parts do not.
            |sums| (sums.matched.statement.0, sums.matched.ledger.0) = (101, 101),
            |sums| (sums.statement_only.ledger.0, sums.ledger_only.ledger.0) = (5, 15),
        ];
        for spoil in spoilers {
            let mut wrong = sums();
            spoil(&mut wrong);
            assert_eq!(ReconciledSums::try_from(wrong), Err(NotReconciled), "{wrong:?}");
            assert!(rmp_serde::from_slice::<ReconciledSums>(&rmp_serde::to_vec_named(&wrong).unwrap()).is_err());
        }
    }
}
