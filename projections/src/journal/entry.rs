//! Entries: what one event moves, as postings whose debits are their credits.

use crate::runner::Poison;
use events::vocab::{
    event::{FeeDue, SettlementEvidenced},
    id::EventId,
    money::{Minor, Total},
    time::Timestamp,
    words::{Account, FeeSource},
};
use serde::{Deserialize, Serialize};

/// One event's entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub event: String,
    /// Its place in the log.
    pub position: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// What it moves.
    pub postings: Postings,
}

/// An amount on one side of an account. The other side is zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// In the asset's minor unit.
    pub debit: Minor,
    /// In the asset's minor unit.
    pub credit: Minor,
}

/// Postings of one entry. Whoever has one knows that its debits are its credits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<Posting>", into = "Vec<Posting>")]
pub struct Postings(Vec<Posting>);

/// Postings whose debits are not their credits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the debits of an entry are its credits")]
pub struct Unbalanced;

impl TryFrom<Vec<Posting>> for Postings {
    type Error = Unbalanced;
    fn try_from(postings: Vec<Posting>) -> Result<Self, Unbalanced> {
        let sum = |side: fn(&Posting) -> Minor| postings.iter().try_fold(Total(0), |sum, posting| sum.checked_add(side(posting)));
        let sides = sum(|posting| posting.debit).zip(sum(|posting| posting.credit));
        let one_sided = postings.iter().all(|posting| posting.debit == Minor::ZERO || posting.credit == Minor::ZERO);
        match sides {
            Some((debits, credits)) if debits == credits && one_sided => Ok(Postings(postings)),
            _ => Err(Unbalanced),
        }
    }
}
impl From<Postings> for Vec<Posting> {
    fn from(postings: Postings) -> Self {
        postings.0
    }
}

impl Postings {
    /// The postings.
    pub fn iter(&self) -> impl Iterator<Item = &Posting> {
        self.0.iter()
    }

    /// A settled payment: the buyer has paid the whole; the merchant and Hilt's fee wallet have what was sent to each (MON-3). Where
    /// the merchant owes the fee, everything has reached him, and the debt is an entry of its own.
    pub fn of_settlement(e: &SettlementEvidenced, fee_source: FeeSource) -> Result<Self, Poison> {
        Postings::settled(e.gross, e.merchant_amount, e.fee_amount, fee_source)
    }

    /// [`Postings::of_settlement`] by its amounts.
    pub fn settled(gross: Minor, merchant: Minor, fee: Minor, fee_source: FeeSource) -> Result<Self, Poison> {
        if merchant.checked_add(fee) != Some(gross) {
            return Err(Poison::Rule("the parts of a settlement are not its whole"));
        }
        Postings::new(match fee_source {
            FeeSource::BuyerTransfer => {
                vec![debit(Account::Buyer, gross), credit(Account::Merchant, merchant), credit(Account::Fee, fee)]
            }
            FeeSource::MerchantReceivable => vec![debit(Account::Buyer, gross), credit(Account::Merchant, gross)],
        })
    }

    /// A fee that the merchant owes: Hilt has earned it and is owed it.
    pub fn of_fee_due(e: &FeeDue) -> Result<Self, Poison> {
        Postings::fee_due(e.amount)
    }

    /// [`Postings::of_fee_due`] by its amount.
    pub fn fee_due(amount: Minor) -> Result<Self, Poison> {
        Postings::new(vec![debit(Account::Receivable, amount), credit(Account::Fee, amount)])
    }

    /// A posting of nothing is none.
    fn new(postings: Vec<Posting>) -> Result<Self, Poison> {
        let moved = postings.into_iter().filter(|posting| posting.debit != posting.credit).collect::<Vec<_>>();
        Postings::try_from(moved).map_err(|_| Poison::Rule("the debits of an entry are not its credits"))
    }
}

fn debit(account: Account, amount: Minor) -> Posting {
    Posting { account, debit: amount, credit: Minor::ZERO }
}
fn credit(account: Account, amount: Minor) -> Posting {
    Posting { account, debit: Minor::ZERO, credit: amount }
}
