//! The tree in tiles, and the entries that its leaves are hashes of (C2SP `tlog-tiles`).

use crate::{
    http::{
        answers,
        auth::LogReader,
        path::{Segment, Segments},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::log_reads,
    state::{EntriesFor, Settings, State},
};
use axum::{
    extract::{Path, State as Part},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use events::{
    clock::Clock,
    leaf,
    log::Log,
    proof::{Checkpointer, Tile, TileKind},
};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What is as wide as it will ever be, and what a narrower tile has, never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_EVER_HERE: &str = "private, max-age=31536000, immutable";
const BYTES: &str = "application/octet-stream";

/// Routes of this file. An index beyond 999 and the width of a partial tile are further segments of the path.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(hashes))
        .routes(routes!(entries))
        .route("/v1/log/tile/{level}/{index}/{*rest}", get(deep_hashes))
        .route("/v1/log/tile/entries/{index}/{*rest}", get(deep_entries))
}

fn none() -> Problem {
    Problem::new(Code::NotFound, "there is no such tile, or no signed checkpoint covers it yet")
}

/// The tile of that address, if a signed checkpoint covers it.
async fn published(checkpointer: &Checkpointer, address: &str) -> Result<Tile, Problem> {
    let tile: Tile = address.parse().map_err(|_| none())?;
    let signed = checkpointer.latest().await.map_err(|error| rejection::read(&error))?.map_or(0, |head| head.size);
    if tile.is_in(signed) { Ok(tile) } else { Err(none()) }
}

/// A tile of hashes
///
/// Up to 256 SHA-256 hashes, one after the other: of level 0 leaves, of each level above the roots of full tiles below. The index is
/// written in groups of three digits, all but the last with an `x` before it and a slash after it (`x001/x234/067`); `.p/17` follows for
/// the first 17 hashes of a tile. What no signed checkpoint covers is not there.
#[utoipa::path(get, path = "/v1/log/tile/{level}/{index}", tag = "log", operation_id = "log_tile",
    params(("level" = String, Path, description = "0 to 63."), ("index" = String, Path, description = "Such as 067 or x001/x234/067.p/17.")),
    responses((status = 200, description = "The hashes", body = Vec<u8>, content_type = "application/octet-stream"), answers::Public))]
async fn hashes(Part(checkpointer): Part<Checkpointer>, Segments(level, index): Segments) -> Result<Response, Problem> {
    hash_tile(&checkpointer, &format!("{level}/{index}")).await
}

async fn deep_hashes(
    Part(checkpointer): Part<Checkpointer>,
    path: Result<Path<(String, String, String)>, axum::extract::rejection::PathRejection>,
) -> Result<Response, Problem> {
    let Path((level, index, rest)) = path.map_err(|_| none())?;
    hash_tile(&checkpointer, &format!("{level}/{index}/{rest}")).await
}

async fn hash_tile(checkpointer: &Checkpointer, address: &str) -> Result<Response, Problem> {
    let tile = published(checkpointer, address).await?;
    // Entries have routes of their own, with readers of their own.
    if tile.kind == TileKind::Entries {
        return Err(none());
    }
    let hashes = checkpointer.tree().tile(tile).await.map_err(|error| rejection::read(&error))?;
    Ok(([(header::CONTENT_TYPE, BYTES), (header::CACHE_CONTROL, FOR_EVER)], hashes).into_response())
}

/// A bundle of entries
///
/// Up to 256 entries, each with its length in two bytes before it; SHA-256 of a zero byte and an entry is the leaf of its event. An entry
/// holds ids, times and hashes, and no payload. Ids open public pages, so entries are for staff and auditors unless the deployment
/// publishes them.
#[utoipa::path(get, path = "/v1/log/tile/entries/{index}", tag = "log", operation_id = "log_entries",
    params(("index" = String, Path, description = "As for tiles of hashes, level 0.")), security(("bearer" = [])),
    responses((status = 200, description = "The entries", body = Vec<u8>, content_type = "application/octet-stream"), answers::ReadOne))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn entries(
    Part(checkpointer): Part<Checkpointer>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    reader: Result<LogReader, Problem>,
    RequestId(request_id): RequestId,
    index: Segment,
) -> Result<Response, Problem> {
    let parts = Parts { checkpointer, log, clock, settings, reader, request_id };
    parts.bundle(&format!("entries/{}", index.0)).await
}

#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn deep_entries(
    Part(checkpointer): Part<Checkpointer>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    reader: Result<LogReader, Problem>,
    RequestId(request_id): RequestId,
    Segments(index, rest): Segments,
) -> Result<Response, Problem> {
    let parts = Parts { checkpointer, log, clock, settings, reader, request_id };
    parts.bundle(&format!("entries/{index}/{rest}")).await
}

/// What answering for entries takes.
struct Parts {
    checkpointer: Checkpointer,
    log: Log,
    clock: Clock,
    settings: Arc<Settings>,
    reader: Result<LogReader, Problem>,
    request_id: String,
}

impl Parts {
    async fn bundle(self, address: &str) -> Result<Response, Problem> {
        let kept = match self.settings.entries_for {
            EntriesFor::Anyone => FOR_EVER,
            EntriesFor::Auditors => {
                log_reads::record(&self.log, &self.clock, &self.reader?, self.request_id).await?;
                FOR_EVER_HERE
            }
        };
        let run = published(&self.checkpointer, address).await?.run();
        let events = self.log.read_range(run.start..run.end).await.map_err(|error| rejection::read(&error))?;
        let mut bundle = Vec::with_capacity(events.len() * 400);
        for event in &events {
            let entry = leaf::entry(&event.envelope, &event.prev_leaf, &event.payload, event.sealed.as_deref());
            let entry = entry.map_err(|error| Problem::internal(&error, "write an entry"))?;
            let length = u16::try_from(entry.len()).map_err(|error| Problem::internal(&error, "write an entry"))?;
            bundle.extend_from_slice(&length.to_be_bytes());
            bundle.extend_from_slice(&entry);
        }
        if events.len() as u64 != run.end - run.start {
            return Err(Problem::of(Code::Unavailable).retry_after(1));
        }
        Ok(([(header::CONTENT_TYPE, BYTES), (header::CACHE_CONTROL, kept)], bundle).into_response())
    }
}
