//! `as-of` over a bundle: a read model as it was, on a machine that has the bundle and the log's verifier key and nothing else.

use super::{
    AsOf, AtPosition, Attested, Consistency, When,
    as_of::rows,
    definitions, failure,
    levels::{Levels, included},
};
use crate::{
    bundle::Bundle,
    class::Failure,
    past::Past,
    progress::Progress,
    verify::{VerifyOptions, verify_bundle},
};
use events::{
    proof::{self, verify_consistency},
    vocab::{
        bytes::Hash32,
        event::{Event, EventType},
        stream::Recorded,
        time::Timestamp,
    },
};
use projections::state::Replay;
use std::path::Path;

/// What one pass over the bundle has gathered.
struct Gathered {
    replay: Replay,
    /// The last event of then.
    last: Option<(u64, Timestamp)>,
    /// What was put on record afterwards.
    attestations: Vec<Recorded>,
    /// Of every event.
    leaves: Vec<Hash32>,
}

/// Verifies the bundle in `folder`, and folds the read model up to then. What is personal is missing. The leaves of all events stay in
/// memory, 32 bytes each.
pub async fn as_of_bundle(
    folder: &Path,
    vkey: &str,
    asked: &AsOf,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<AtPosition, Failure> {
    let definitions = definitions(std::slice::from_ref(&asked.projection))?;
    verify_bundle(folder, &VerifyOptions { vkey: Some(vkey.to_owned()), ..VerifyOptions::default() }, progress).await?;
    let bundle = Bundle::open(folder)?;
    let notes = bundle.checkpoints()?;
    let past = Past::of_bundle(bundle, vkey)?;
    let Gathered { replay, last, attestations, leaves } = gather(past, Replay::of(&definitions), asked.when, progress).await?;
    let size = leaves.len() as u64;
    let (position, recorded_at) = match (last, asked.when) {
        (Some((last, _)), When::Position(position)) if position > last => {
            return Err(Failure::Input(format!("the bundle has {size} events, and none at position {position}")));
        }
        (Some(last), _) => last,
        (None, When::Time(time)) => return Err(Failure::Input(format!("the log begins after {time}"))),
        (None, When::Position(_)) => return Err(Failure::Input("the bundle is empty".to_owned())),
    };
    let (row_leaves, shown) = rows(&replay, asked, false)?;
    let (table_rows, table_root) = (row_leaves.len() as u64, proof::root(&row_leaves));
    let levels = Levels::over(row_leaves);
    let rows = shown.into_iter().map(|(index, row)| included(row, index, table_rows, &levels)).collect::<Result<Vec<_>, _>>()?;
    if let Some(id) = asked.ids.first().filter(|_| rows.is_empty()) {
        return Err(Failure::NotFound(format!("{id} in {} at position {position}", asked.projection)));
    }
    Ok(AtPosition {
        projection: asked.projection.clone(),
        version: definitions.first().map_or(0, |definition| definition.version),
        position,
        recorded_at,
        personal: false,
        table_rows,
        table_root,
        attested: attested(&attestations, position, &asked.projection, &table_root),
        rows,
        consistency: consistency(leaves, &notes, position + 1)?,
    })
}

async fn gather(mut past: Past, mut replay: Replay, when: When, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Gathered, Failure> {
    let total = past.size().await?;
    let (mut last, mut attestations, mut leaves) = (None, Vec::new(), Vec::new());
    while (leaves.len() as u64) < total {
        for recorded in past.next(leaves.len() as u64).await? {
            leaves.push(recorded.leaf);
            let at = recorded.envelope.recorded_at;
            let of_then = match when {
                When::Position(position) => recorded.position <= position,
                When::Time(time) => at <= time,
            };
            if of_then {
                replay.fold(&recorded, None).map_err(failure)?;
                last = Some((recorded.position, at));
            } else if recorded.envelope.event_type == EventType::StateAttested {
                attestations.push(recorded);
            }
        }
        progress(Progress { done: leaves.len() as u64, total });
    }
    Ok(Gathered { replay, last, attestations, leaves })
}

/// What was attested of that very position.
fn attested(attestations: &[Recorded], at: u64, name: &str, root: &Hash32) -> Option<Attested> {
    attestations.iter().find_map(|recorded| {
        let Ok(Event::StateAttested(attested)) = recorded.decode() else { return None };
        let line = attested.projections.iter().find(|line| line.name == name).filter(|_| attested.at_position == at)?;
        let (event_id, position) = (recorded.envelope.event_id, recorded.position);
        Some(Attested { event_id, position, root: line.root, holds: line.root == *root })
    })
}

/// The proof that the first `old_size` events are the beginning of the whole bundle, whose end is signed.
fn consistency(leaves: Vec<Hash32>, notes: &[String], old_size: u64) -> Result<Consistency, Failure> {
    let size_of = |note: &String| note.lines().nth(1).and_then(|line| line.parse::<u64>().ok());
    let note_of = |size: u64| notes.iter().find(|note| size_of(note) == Some(size)).cloned();
    let new_size = leaves.len() as u64;
    let levels = Levels::over(leaves);
    let ranges = proof::consistency_ranges(old_size, new_size).map_err(|_| Failure::Unreadable("the log is shorter than its past"))?;
    let path: Vec<Hash32> = ranges.into_iter().map(|range| levels.root(range)).collect();
    let (old_root, new_root) = (levels.root(0..old_size), levels.root(0..new_size));
    verify_consistency(old_size, &old_root, new_size, &new_root, &path).map_err(|_| Failure::Unreadable("the leaves of the bundle"))?;
    Ok(Consistency { old_size, old_root, old_checkpoint: note_of(old_size), new_size, new_root, new_checkpoint: note_of(new_size), path })
}
