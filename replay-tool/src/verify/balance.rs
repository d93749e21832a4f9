//! The trial balance, summed from the events in the same pass, and held against every one that the log attests.
//!
//! Payments are looked at key by key like everything that other rows must confirm; what each moves is added to sums by asset, mode and
//! account, one set of sums between two attestations. So memory grows with attestations and assets, and not with payments.

use super::{
    facts::{Fact, Kind, NO_TAG, Space, Tag, Tagger},
    joins::Found,
};
use crate::class::{Break, BreakClass};
use events::vocab::{
    event::{Asset, AttestedBalance, Event, StateAttested},
    id::PaymentId,
    money::{Minor, Total},
    words::{Account, FeeSource},
};
use projections::journal::{Postings, TrialBalance};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the log says of its balances, gathered in order.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Books {
    /// Assets in a mode, by the tag that facts name them with.
    assets: Vec<(Tag, (Asset, bool))>,
    attested: Vec<Attested>,
}

/// A trial balance that the log attests.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Attested {
    /// The event that attests it.
    position: u64,
    /// The last event that is in it.
    at: u64,
    lines: Vec<AttestedBalance>,
}

impl Books {
    /// Notes what `event` says of them.
    pub fn note(&mut self, tagger: &Tagger, position: u64, livemode: bool, event: &Event) {
        match event {
            Event::PaymentCreated(e) => self.name(asset_tag(tagger, &e.asset, livemode), || (e.asset.clone(), livemode)),
            Event::StateAttested(StateAttested { at_position, trial_balance, .. }) => {
                self.attested.push(Attested { position, at: *at_position, lines: trial_balance.clone() });
            }
            _ => {}
        }
    }

    /// Adds those of a page behind, of which the events before `end` count.
    pub fn add(&mut self, page: Books, end: u64) {
        page.assets.into_iter().for_each(|(tag, asset)| self.name(tag, || asset));
        self.attested.extend(page.attested.into_iter().filter(|attested| attested.position < end));
    }

    fn name(&mut self, tag: Tag, asset: impl FnOnce() -> (Asset, bool)) {
        // There are few.
        if !self.assets.iter().any(|(known, _)| *known == tag) {
            self.assets.push((tag, asset()));
        }
    }

    /// How many trial balances are attested.
    pub fn attested(&self) -> u64 {
        self.attested.len() as u64
    }

    /// Where one set of sums ends and the next begins, in order.
    pub fn cuts(&self) -> Vec<u64> {
        let mut cuts: Vec<u64> = self.attested.iter().map(|attested| attested.at).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// Holds every attested trial balance against `sums`, and says what the log comes to at its end.
    pub fn hold(&self, sums: &Sums) -> Result<Vec<AttestedBalance>, Found> {
        let cuts = self.cuts();
        let mut balance = TrialBalance::default();
        let mut rest = sums.0.iter().peekable();
        for (set, cut) in cuts.iter().enumerate() {
            while let Some((key, sides)) = rest.next_if(|((of, ..), _)| *of <= set) {
                self.post(&mut balance, key, sides)?;
            }
            let lines = balance.lines();
            if let Some(wrong) = self.attested.iter().find(|attested| attested.at == *cut && attested.lines != lines) {
                let detail = format!("the events up to position {cut} come to another trial balance than is attested");
                return Err(Found::of_event(wrong.position, 6, BreakClass::TrialBalanceMismatch, detail));
            }
        }
        for (key, sides) in rest {
            self.post(&mut balance, key, sides)?;
        }
        let lines = balance.lines();
        match TrialBalance::unbalanced(&lines) {
            Some(asset) => Err(at_end(&format!("the debits of {} are not its credits", asset.symbol))),
            None => Ok(lines),
        }
    }

    fn post(&self, balance: &mut TrialBalance, (_, asset, account): &Key, sides: &Sides) -> Result<(), Found> {
        let Some((_, (asset, livemode))) = self.assets.iter().find(|(tag, _)| tag == asset) else {
            return Err(at_end("an amount is of an asset that no payment names"));
        };
        let added = balance.post(asset, *livemode, *account, sides.debit, sides.credit);
        added.map_err(|error| at_end(&error.to_string()))
    }
}

fn at_end(detail: &str) -> Found {
    Found::at_end(Break::at(BreakClass::TrialBalanceMismatch, 0, detail))
}

/// Set of sums, asset in a mode, account.
type Key = (usize, Tag, Account);

#[derive(Clone, Copy, Default, Debug)]
struct Sides {
    debit: Total,
    credit: Total,
}

/// Sums of postings.
#[derive(Default, Debug)]
pub(crate) struct Sums(BTreeMap<Key, Sides>);

/// A sum is beyond 64 bits.
const BEYOND: &str = "a sum of the trial balance is beyond 64 bits";

impl Sums {
    /// Adds what an event at `position` moves.
    pub fn post(&mut self, cuts: &[u64], position: u64, asset: Tag, postings: &Postings) -> Result<(), &'static str> {
        let set = cuts.partition_point(|cut| *cut < position);
        for posting in postings.iter() {
            let sides = self.0.entry((set, asset, posting.account)).or_default();
            sides.debit = sides.debit.checked_add(posting.debit).ok_or(BEYOND)?;
            sides.credit = sides.credit.checked_add(posting.credit).ok_or(BEYOND)?;
        }
        Ok(())
    }

    /// Adds those of other payments.
    pub fn add(&mut self, other: Sums) -> Result<(), &'static str> {
        for (key, added) in other.0 {
            let sides = self.0.entry(key).or_default();
            let sum = |one: Total, other: Total| one.0.checked_add(other.0).map(Total).ok_or(BEYOND);
            *sides = Sides { debit: sum(sides.debit, added.debit)?, credit: sum(sides.credit, added.credit)? };
        }
        Ok(())
    }
}

/// What an event says of a payment's money.
pub(crate) fn fact(tagger: &Tagger, position: u64, livemode: bool, event: &Event) -> Option<Fact> {
    let of = |payment: PaymentId| tagger.tag(Space::Payment, &[payment.0.as_bytes()]);
    let (key, kind, number, a) = match event {
        Event::PaymentCreated(e) => {
            let source = e.fee_source as u64;
            (of(e.payment_id), Kind::Payment, source, asset_tag(tagger, &e.asset, livemode))
        }
        Event::SettlementEvidenced(e) => (of(e.payment_id), Kind::Settled, e.gross.units(), parts(e.merchant_amount, e.fee_amount)),
        Event::FeeDue(e) => (of(e.payment_id), Kind::FeeDue, e.amount.units(), asset_tag(tagger, &e.asset, livemode)),
        _ => return None,
    };
    Some(Fact { key, kind, position, number, a, b: NO_TAG })
}

/// An asset in a mode: they are never summed together.
fn asset_tag(tagger: &Tagger, asset: &Asset, livemode: bool) -> Tag {
    tagger.tag(Space::Asset, &[&[u8::from(livemode), asset.decimals], &asset.mint.0, asset.symbol.as_bytes()])
}

fn parts(merchant: Minor, fee: Minor) -> Tag {
    let mut both = NO_TAG;
    both[..8].copy_from_slice(&merchant.units().to_le_bytes());
    both[8..].copy_from_slice(&fee.units().to_le_bytes());
    both
}

/// A payment whose money is followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Followed {
    asset: Tag,
    fee_source: FeeSource,
    settled: bool,
    owes: bool,
}

impl Followed {
    /// From the fact that a payment is asked for.
    pub fn new(fact: &Fact) -> Option<Self> {
        let sources = FeeSource::ALL.iter().copied();
        let fee_source = sources.into_iter().find(|source| *source as u64 == fact.number)?;
        Some(Followed { asset: fact.a, fee_source, settled: false, owes: false })
    }

    /// What a fact of a settlement or of a fee that is due moves, and of which asset; or the rule of the journal that it breaks.
    pub fn moves(&mut self, fact: &Fact) -> Result<(Tag, Postings), &'static str> {
        let amount = |units: u64| Minor::new(units).map_err(|_| "an amount is beyond 2^53 - 1");
        let again = std::mem::replace(if fact.kind == Kind::Settled { &mut self.settled } else { &mut self.owes }, true);
        if again {
            return Err("a payment settles once and owes its fee once");
        }
        let postings = match fact.kind {
            Kind::Settled => {
                let [merchant, fee] = [0, 8].map(|at| fact.a[at..].first_chunk().map_or(0, |units| u64::from_le_bytes(*units)));
                Postings::settled(amount(fact.number)?, amount(merchant)?, amount(fee)?, self.fee_source)
            }
            _ if fact.a != self.asset => return Err("a fee is owed in the payment's own asset"),
            _ => Postings::fee_due(amount(fact.number)?),
        };
        postings.map(|postings| (self.asset, postings)).map_err(|_| "the parts of a settlement are not its whole")
    }
}
