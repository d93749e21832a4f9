//! Claims, derived from the events again.

use super::facts::{Fact, Kind, NO_TAG, Space, Tag, Tagger};
use crate::class::BreakClass;
use events::{
    claims::{Claim, ClaimChange, ClaimScope, changes},
    vocab::{event::Event, id::OwnerId, stream::StreamId},
};

/// What `event` of `stream` does to claims.
pub(crate) fn facts(
    tagger: &Tagger,
    position: u64,
    stream: Tag,
    (owner, livemode): (Option<OwnerId>, bool),
    event: &Event,
) -> impl Iterator<Item = Fact> {
    changes(owner, livemode, event).into_iter().map(move |change| {
        let (kind, Claim { scope, key }) = match change {
            ClaimChange::Take(claim) => (Kind::Takes, claim),
            ClaimChange::Release(claim) => (Kind::Releases, claim),
        };
        Fact { key: key_of(tagger, scope.as_str(), &key), kind, position, number: scope as u64, a: stream, b: NO_TAG }
    })
}

/// A row of the claims table.
pub(crate) fn row(tagger: &Tagger, scope: &str, key: &str, category: &str, stream_id: uuid::Uuid, position: i64) -> Fact {
    Fact {
        key: key_of(tagger, scope, key),
        kind: Kind::Row,
        position: 0,
        // A negative position is that of no event.
        number: u64::try_from(position).unwrap_or(u64::MAX),
        a: stream_of(tagger, category, stream_id),
        b: NO_TAG,
    }
}

/// The tag of a stream.
pub(crate) fn stream_tag(tagger: &Tagger, stream: StreamId) -> Tag {
    stream_of(tagger, stream.category.as_str(), stream.id)
}

fn stream_of(tagger: &Tagger, category: &str, id: uuid::Uuid) -> Tag {
    tagger.tag(Space::Stream, &[id.as_bytes(), category.as_bytes()])
}

fn key_of(tagger: &Tagger, scope: &str, key: &str) -> Tag {
    tagger.tag(Space::Claim, &[scope.as_bytes(), &[0], key.as_bytes()])
}

/// The scope of that number.
pub(crate) fn scope_of(number: u64) -> Option<ClaimScope> {
    ClaimScope::ALL.get(usize::try_from(number).ok()?).copied()
}

/// The class of a claim that two streams take.
pub(crate) fn reused(scope: Option<ClaimScope>) -> BreakClass {
    match scope {
        Some(ClaimScope::Transfer) => BreakClass::TransferReused,
        Some(ClaimScope::ReceiptTx) => BreakClass::ReceiptRepeated,
        _ => BreakClass::ClaimReused,
    }
}
