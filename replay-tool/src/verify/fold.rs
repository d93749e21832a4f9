//! Rows in order: positions, times, the tree, the checkpoints.

use super::{
    balance::Books,
    heads::{Head, TreeHeads},
    joins::{Found, Phase},
    row::{CheckedPage, Link},
    store::Store,
};
use crate::class::{Break, BreakClass, Failure};
use events::{proof::Frontier, vocab::bytes::Hash32};

/// The order of events: what the next one is held against.
pub(crate) struct Chain {
    /// The tree so far.
    pub tree: Frontier,
    /// Time of the last event, in microseconds since 1970.
    recorded_at: i64,
}

impl Chain {
    /// What goes on behind `tree`.
    pub fn new(tree: Frontier) -> Self {
        Chain { tree, recorded_at: 0 }
    }

    /// Puts the next event in place.
    pub fn link(&mut self, link: &Link) -> Result<(), Found> {
        self.in_place(link.position)?;
        if link.recorded_at < self.recorded_at {
            let detail = "recorded_at is less than at the position before".to_owned();
            return Err(Found::of_event(link.position, 1, BreakClass::TimeReversed, detail));
        }
        self.recorded_at = link.recorded_at;
        self.tree.push(link.leaf);
        Ok(())
    }

    /// Whether that is the next position.
    pub fn in_place(&self, position: u64) -> Result<(), Found> {
        let expected = self.tree.size();
        match position == expected {
            true => Ok(()),
            false => {
                let found = if position == u64::MAX { "a negative one".to_owned() } else { position.to_string() };
                let detail = format!("the position after it in order is {found}");
                Err(Found::whole(Phase::Event, 0, Break::at(BreakClass::PositionGap, expected, detail)))
            }
        }
    }
}

/// Everything remembered of the events so far; its size does not depend on how many there were.
pub(crate) struct Fold {
    pub chain: Chain,
    pub tree_heads: TreeHeads,
    pub receipts: u64,
    /// What the events say of balances.
    pub books: Books,
    /// The tree over the rows that an earlier run has checked.
    pub known: Frontier,
    /// For the first round of joins.
    pub facts: Store,
    /// For the second.
    pub late: Store,
}

impl Fold {
    /// Puts a page behind what came before; `Some` when something is wrong with it.
    pub fn page(&mut self, page: CheckedPage) -> Result<Option<Found>, Failure> {
        let mut laid = (0, 0);
        let mut found = None;
        for link in &page.links {
            // A row that is not in its place says nothing; one that is wrong in another way may be so in an earlier one, too.
            let placed = self.chain.in_place(link.position);
            if placed.is_ok() {
                laid = link.facts;
            }
            found = placed.and_then(|()| self.link(link)).err();
            if found.is_some() {
                break;
            }
        }
        if let (None, Some(broken)) = (&found, page.broken) {
            let placed = self.chain.in_place(broken.position);
            if placed.is_ok() {
                laid = (page.facts.len(), page.late.len());
            }
            found = Some(placed.err().unwrap_or_else(|| Found::whole(Phase::Event, 3, broken)));
        }
        self.lay_aside(page.facts.get(..laid.0).unwrap_or_default())?;
        self.late.push(page.late.get(..laid.1).unwrap_or_default()).map_err(laying_aside)?;
        self.receipts += page.receipts;
        self.books.add(page.books, self.chain.tree.size());
        Ok(found)
    }

    fn link(&mut self, link: &Link) -> Result<(), Found> {
        self.chain.link(link)?;
        let held = self.tree_heads.hold(&self.chain.tree).and_then(|()| self.hold_known());
        held.map_err(|broken| Found::whole(Phase::Event, 5, broken))
    }

    /// Keeps facts for the first round of joins.
    pub fn lay_aside(&mut self, facts: &[u8]) -> Result<(), Failure> {
        self.facts.push(facts).map_err(laying_aside)
    }

    /// The rows that an earlier run has checked are what they were then.
    fn hold_known(&self) -> Result<(), Break> {
        let tree = &self.chain.tree;
        match tree.size() != self.known.size() || *tree == self.known {
            true => Ok(()),
            false => Err(Break::at(BreakClass::RootMismatch, tree.size(), "the run that was killed read other events than are there now")),
        }
    }

    /// What shows only at the end of a log.
    pub fn end(&self, head: &Head) -> Result<(), Break> {
        self.whole(head.size)?;
        head.hold(&self.chain.tree, self.chain.recorded_at)
    }

    /// What shows only at the end of a bundle: it ends where a checkpoint signs it.
    pub fn end_of_bundle(&self, size: u64, root: &Hash32) -> Result<(), Break> {
        self.whole(size)?;
        if self.tree_heads.held() != size {
            let detail = format!("no checkpoint signs the {size} events with which the bundle ends");
            return Err(Break::at(BreakClass::CheckpointMissing, size, detail));
        }
        match self.chain.tree.root() == *root {
            true => Ok(()),
            false => Err(Break::at(BreakClass::BundleManifestInvalid, size, format!("the manifest says that the root is {root}"))),
        }
    }

    /// Nothing that was promised is missing.
    fn whole(&self, size: u64) -> Result<(), Break> {
        let events = self.chain.tree.size();
        let promised = size.max(self.tree_heads.largest()).max(self.known.size());
        self.tree_heads.hold_beyond()?;
        match events < promised {
            true => Err(Break::at(BreakClass::LogTruncated, events, format!("{promised} events were promised, {events} are there"))),
            false => Ok(()),
        }
    }
}

fn laying_aside(source: std::io::Error) -> Failure {
    Failure::File { doing: "laying facts aside", source }
}
