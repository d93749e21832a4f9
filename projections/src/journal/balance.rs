//! The trial balance: the sums of all postings by asset, mode and account.

use super::PaymentJournal;
use events::vocab::{
    bytes::SolanaAddress,
    event::{Asset, AttestedBalance},
    money::Total,
    words::Account,
};
use std::collections::BTreeMap;

/// Sums of postings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrialBalance(BTreeMap<Key, Sides>);

/// Symbol, decimals, mint, mode, account.
type Key = (String, u8, [u8; 32], bool, Account);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Sides {
    debit: Total,
    credit: Total,
}

/// A sum is beyond 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a sum of the trial balance is beyond 64 bits")]
pub struct SumOutOfRange;

impl TrialBalance {
    /// Adds what a payment has moved.
    pub fn add(&mut self, row: &PaymentJournal) -> Result<(), SumOutOfRange> {
        let asset = Asset { symbol: row.asset_symbol.clone(), decimals: row.asset_decimals, mint: row.asset_mint };
        row.entries.iter().flat_map(|entry| entry.postings.iter()).try_for_each(|posting| {
            let [debit, credit] = [posting.debit, posting.credit].map(|amount| Total(amount.units()));
            self.post(&asset, row.meta.livemode, posting.account, debit, credit)
        })
    }

    /// Adds sums of one account.
    pub fn post(&mut self, asset: &Asset, livemode: bool, account: Account, debit: Total, credit: Total) -> Result<(), SumOutOfRange> {
        let key = (asset.symbol.clone(), asset.decimals, asset.mint.0, livemode, account);
        let sides = self.0.entry(key).or_default();
        let sum = |one: Total, other: Total| one.0.checked_add(other.0).map(Total).ok_or(SumOutOfRange);
        *sides = Sides { debit: sum(sides.debit, debit)?, credit: sum(sides.credit, credit)? };
        Ok(())
    }

    /// Its lines, by asset, mode and account.
    pub fn lines(&self) -> Vec<AttestedBalance> {
        self.0
            .iter()
            .map(|((symbol, decimals, mint, livemode, account), sides)| AttestedBalance {
                asset: Asset { symbol: symbol.clone(), decimals: *decimals, mint: SolanaAddress(*mint) },
                livemode: *livemode,
                account: *account,
                debit: sides.debit,
                credit: sides.credit,
            })
            .collect()
    }

    /// The first asset and mode whose debits are not its credits. None, since every entry balances: asked all the same.
    pub fn unbalanced(lines: &[AttestedBalance]) -> Option<&Asset> {
        let mut sums: BTreeMap<(&str, [u8; 32], bool), (u128, u128)> = BTreeMap::new();
        for line in lines {
            let sum = sums.entry((&line.asset.symbol, line.asset.mint.0, line.livemode)).or_default();
            *sum = (sum.0 + u128::from(line.debit.0), sum.1 + u128::from(line.credit.0));
        }
        let (wrong, _) = sums.into_iter().find(|(_, (debit, credit))| debit != credit)?;
        lines.iter().map(|line| &line.asset).find(|asset| (asset.symbol.as_str(), asset.mint.0) == (wrong.0, wrong.1))
    }
}
