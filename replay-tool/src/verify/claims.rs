//! Claims, derived from the events again and held against the table.

use super::row::Entry;
use crate::class::{Break, BreakClass};
use events::{
    claims::{Claim, ClaimChange, ClaimScope, changes},
    vocab::{bytes::Hash32, event::Event, id::OwnerId, stream::StreamId},
};
use std::collections::HashMap;

/// A claim in 16 bytes: the front of the SHA-256 of scope and key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClaimHash([u8; 16]);

impl ClaimHash {
    pub fn of(scope: &str, key: &str) -> Self {
        let hash = Hash32::of([scope.as_bytes(), &[0], key.as_bytes()].concat()).0;
        let mut front = [0; 16];
        front.copy_from_slice(&hash[..16]);
        ClaimHash(front)
    }
}

/// What an event does to a claim.
pub(crate) struct ClaimStep {
    scope: ClaimScope,
    hash: ClaimHash,
    take: bool,
}

/// What `event` does to claims, with the keys hashed.
pub(crate) fn steps(owner: Option<OwnerId>, livemode: bool, event: &Event) -> Vec<ClaimStep> {
    let step = |Claim { scope, key }: &Claim, take| ClaimStep { scope: *scope, hash: ClaimHash::of(scope.as_str(), key), take };
    changes(owner, livemode, event)
        .iter()
        .map(|change| match change {
            ClaimChange::Take(claim) => step(claim, true),
            ClaimChange::Release(claim) => step(claim, false),
        })
        .collect()
}

struct Held {
    scope: ClaimScope,
    stream: StreamId,
    position: u64,
}

/// The claims that follow from the events so far: about 80 bytes each.
#[derive(Default)]
pub(crate) struct Claims(HashMap<ClaimHash, Held>);

impl Claims {
    /// Carries out what `entry` does to claims.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), Break> {
        for ClaimStep { scope, hash, take } in &entry.claims {
            match (self.0.get(hash), take) {
                (Some(held), true) if held.stream != entry.stream => return Err(reused(entry, held)),
                // The same stream keeps what it has.
                (Some(_), true) => {}
                (None, true) => {
                    self.0.insert(*hash, Held { scope: *scope, stream: entry.stream, position: entry.position });
                }
                (Some(held), false) if held.stream == entry.stream => {
                    self.0.remove(hash);
                }
                (_, false) => {}
            }
        }
        Ok(())
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes out the claim that a row of the table stands for; an error says what is wrong with the row.
    pub fn settle(&mut self, scope: &str, key: &str, category: &str, stream_id: uuid::Uuid, position: i64) -> Result<(), Break> {
        let at = u64::try_from(position).unwrap_or(u64::MAX);
        let wrong = |detail: &str| Break::at(BreakClass::ClaimMismatch, at, format!("{scope}: {detail}"));
        let held = self.0.remove(&ClaimHash::of(scope, key)).ok_or_else(|| wrong("the table holds a claim that no event takes"))?;
        if held.stream.category.as_str() != category || held.stream.id != stream_id {
            return Err(wrong("the table gives a claim to another stream than the one that took it"));
        }
        if held.position != at {
            return Err(wrong("the table names another event than the one that took the claim"));
        }
        Ok(())
    }

    /// The earliest claim that the table lacks.
    pub fn left(&self) -> Option<Break> {
        let held = self.0.values().min_by_key(|held| held.position)?;
        let detail = format!("{}: the table lacks a claim of {}", held.scope, held.stream);
        Some(Break::at(BreakClass::ClaimMismatch, held.position, detail))
    }
}

fn reused(entry: &Entry, held: &Held) -> Break {
    let class = match held.scope {
        ClaimScope::Transfer => BreakClass::TransferReused,
        ClaimScope::ReceiptTx => BreakClass::ReceiptRepeated,
        _ => BreakClass::ClaimReused,
    };
    entry.broken(class, format!("{} is held by {} since position {}", held.scope, held.stream, held.position))
}
