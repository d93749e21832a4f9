//! What of the tree is kept to be published: the roots of full tiles, and what witnesses signed. Neither is part of the log, and both
//! are held against it.

use crate::class::{Break, BreakClass, Doing as _, Failure};
use events::{
    proof::{Frontier, TILE_WIDTH, WitnessKey, cosignature_parts, root},
    vocab::bytes::Hash32,
};
use futures::StreamExt as _;
use sqlx::{PgConnection, PgPool};

/// Holds what is kept against the tree of `size` leaves with that `root`. Signatures of `witnesses` are checked; of the others, whose
/// keys are not known here, that they are what they say they are.
pub(crate) async fn hold(pool: &PgPool, size: u64, of_tree: &Hash32, witnesses: &[WitnessKey]) -> Result<(), Failure> {
    let mut connection = pool.begin().await.doing("connecting")?;
    sqlx::query(include_str!("sql/set_snapshot.sql")).execute(&mut *connection).await.doing("opening a snapshot")?;
    nodes(&mut connection, size, of_tree).await?;
    cosignatures(&mut connection, witnesses).await
}

/// The roots of the lowest full tiles and the leaves after them lead to the root, which no other hashes do; and each root above is that
/// of those below it.
async fn nodes(connection: &mut PgConnection, size: u64, of_tree: &Hash32) -> Result<(), Failure> {
    let mut rows = sqlx::query_as::<_, (i16, i64, Vec<u8>)>(include_str!("sql/tree_nodes.sql")).fetch(&mut *connection);
    let mut kept: Vec<Vec<Hash32>> = Vec::new();
    while let Some(row) = rows.next().await {
        let (level, index, hash) = row.doing("reading the roots of tiles")?;
        let at = |detail: String| {
            let tile = u64::try_from(index).unwrap_or(0).saturating_mul(TILE_WIDTH.saturating_pow(u32::try_from(level).unwrap_or(0)));
            Failure::from(Break::at(BreakClass::TreeNodeMismatch, tile, detail))
        };
        let place = usize::try_from(level - 1).unwrap_or(0);
        if kept.len() <= place {
            kept.resize(place + 1, Vec::new());
        }
        if kept[place].len() as u64 != u64::try_from(index).unwrap_or(u64::MAX) {
            return Err(at(format!("root {index} of level {level} does not follow the one before it")));
        }
        let hash = Hash32::try_from(hash.as_slice()).map_err(|_| Failure::Unreadable("a root of a tile is not 32 bytes"))?;
        kept[place].push(hash);
    }
    drop(rows);
    // What was added after the tree that is known here is not looked at.
    for (place, roots) in kept.iter_mut().enumerate() {
        let there = size.checked_shr(8 * (u32::try_from(place).unwrap_or(8) + 1)).unwrap_or(0);
        roots.truncate(usize::try_from(there).unwrap_or(usize::MAX));
    }
    for (place, pair) in kept.windows(2).enumerate() {
        let full = pair[0].chunks_exact(usize::try_from(TILE_WIDTH).unwrap_or(256));
        if let Some(wrong) = pair[1].iter().enumerate().position(|(index, kept)| full.clone().nth(index).map(root) != Some(*kept)) {
            let level = place + 2;
            let detail = format!("root {wrong} of level {level} is not that of the tile below it");
            return Err(Break::at(BreakClass::TreeNodeMismatch, wrong as u64, detail).into());
        }
    }
    let lowest = kept.first().map_or(&[][..], Vec::as_slice);
    let mut tree = Frontier::of_subtrees(8, lowest);
    let first = i64::try_from(tree.size()).unwrap_or(i64::MAX);
    let last = i64::try_from(size).unwrap_or(i64::MAX);
    let mut rows = sqlx::query_as::<_, (Vec<u8>,)>(include_str!("sql/leaves_between.sql")).bind(first).bind(last).fetch(&mut *connection);
    while let Some(row) = rows.next().await {
        let (leaf,) = row.doing("reading the last leaves")?;
        tree.push(Hash32::try_from(leaf.as_slice()).map_err(|_| Failure::Unreadable("a leaf is not 32 bytes"))?);
    }
    match tree.size() == size && tree.root() == *of_tree {
        true => Ok(()),
        false => {
            let detail = format!("the {} roots of tiles that are kept lead to another root than the leaves do", lowest.len());
            Err(Break::at(BreakClass::TreeNodeMismatch, size, detail).into())
        }
    }
}

async fn cosignatures(connection: &mut PgConnection, witnesses: &[WitnessKey]) -> Result<(), Failure> {
    let mut rows =
        sqlx::query_as::<_, (i64, String, Vec<u8>, i64, String, Option<String>)>(include_str!("sql/cosigned_notes.sql")).fetch(connection);
    while let Some(row) = rows.next().await {
        let (size, witness, key_id, signed_at, line, note) = row.doing("reading the signatures of witnesses")?;
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        let broken = |detail: String| Failure::from(Break::at(BreakClass::CosignatureInvalid, size, detail));
        let note = note.ok_or_else(|| broken(format!("{witness} signed a checkpoint that is not kept")))?;
        let (name, id, time) = cosignature_parts(&line).map_err(|error| broken(error.to_string()))?;
        if (name.as_str(), id.as_slice(), i64::try_from(time).ok()) != (witness.as_str(), key_id.as_slice(), Some(signed_at)) {
            return Err(broken(format!("the line of {witness} says something else than is kept beside it")));
        }
        let cosigned = format!("{note}{line}\n");
        for key in witnesses.iter().filter(|key| key.name() == name && key.id() == id) {
            key.cosignature(&cosigned).map_err(|error| broken(error.to_string()))?;
        }
    }
    Ok(())
}
