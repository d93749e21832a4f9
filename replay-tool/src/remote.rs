//! A log as it is published (C2SP `tlog-tiles`): over HTTP, or as a copy of it in a folder.

use crate::class::Failure;
use events::{
    proof::{Run, TILE_WIDTH, Tile, TileKind, root_of_runs, runs},
    vocab::bytes::Hash32,
};
use reqwest::{Client, StatusCode, header};
use serde_json::json;
use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
    path::PathBuf,
    time::Duration,
};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often a log that is too busy is asked again.
const TRIES: u32 = 6;
/// The longest that a log may ask to be left alone, in seconds.
const MOST_PATIENCE: u64 = 60;

/// Where a log is published.
pub(crate) enum Published {
    /// Below that URL, with a credential for entries where the log asks for one.
    Url { http: Client, prefix: String, token: Option<String> },
    /// In that folder, as a program that mirrors the URL lays it out.
    Folder(PathBuf),
}

impl Published {
    /// The log below an `http` or `https` URL, such as `https://api.example.com/v1/log`, or in a folder.
    pub fn at(place: &str, token: Option<String>) -> Result<Self, Failure> {
        if !place.starts_with("http://") && !place.starts_with("https://") {
            let folder = PathBuf::from(place);
            return match folder.is_dir() {
                true => Ok(Published::Folder(folder)),
                false => Err(Failure::Input(format!("{place} is neither an http(s) URL nor a folder"))),
            };
        }
        // An error means that it is installed already.
        _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().timeout(TIMEOUT).user_agent("hilt-replay").build();
        let http = http.map_err(|error| Failure::Remote(format!("no HTTP client can be made: {error}")))?;
        Ok(Published::Url { http, prefix: place.trim_end_matches('/').to_owned(), token })
    }

    /// The newest signed checkpoint, not yet checked.
    pub async fn checkpoint(&self) -> Result<String, Failure> {
        let bytes = self.get("checkpoint").await?.ok_or_else(|| Failure::Remote("the log has no checkpoint".to_owned()))?;
        String::from_utf8(bytes).map_err(|_| Failure::Remote("the checkpoint is not text".to_owned()))
    }

    /// The roots of runs of leaves of the tree of `size` leaves, from its tiles; not checked here, since whoever uses them computes a
    /// signed root from them.
    pub async fn roots(&self, ranges: &[Range<u64>], size: u64) -> Result<Vec<Hash32>, Failure> {
        let mut tiles: HashMap<Tile, Vec<Hash32>> = HashMap::new();
        let mut roots = Vec::with_capacity(ranges.len());
        for range in ranges {
            let mut hashes = Vec::new();
            for run in runs(range.clone()) {
                let tile = Tile::holding(run, size);
                let read = match tiles.entry(tile) {
                    Entry::Occupied(read) => read.into_mut(),
                    Entry::Vacant(unread) => unread.insert(self.hashes(tile).await?),
                };
                hashes.push(part(read, tile, run)?);
            }
            roots.push(root_of_runs(&hashes));
        }
        Ok(roots)
    }

    async fn hashes(&self, tile: Tile) -> Result<Vec<Hash32>, Failure> {
        let bytes = self.tile(tile).await?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        match rest.is_empty() && hashes.len() as u64 >= tile.width {
            true => Ok(hashes.iter().map(|hash| Hash32(*hash)).collect()),
            false => Err(Failure::Remote(format!("tile {tile} has {} bytes", bytes.len()))),
        }
    }

    /// Each entry of a bundle.
    pub async fn entries(&self, tile: Tile) -> Result<Vec<Vec<u8>>, Failure> {
        let bytes = self.tile(tile).await?;
        let (mut rest, mut entries) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let cut = || Failure::Remote(format!("bundle {tile} is cut off"));
            let (length, after) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(cut)?;
            entries.push(entry.to_vec());
            rest = after;
        }
        match entries.len() as u64 >= tile.width {
            true => Ok(entries),
            false => Err(Failure::Remote(format!("bundle {tile} has {} entries", entries.len()))),
        }
    }

    /// A tile; the full one where a partial one is not kept any more.
    async fn tile(&self, tile: Tile) -> Result<Vec<u8>, Failure> {
        for tile in [tile, Tile { width: TILE_WIDTH, ..tile }] {
            if let Some(bytes) = self.get(&format!("tile/{tile}")).await? {
                return Ok(bytes);
            }
        }
        let what = if tile.kind == TileKind::Entries { "bundle" } else { "tile" };
        Err(Failure::Remote(format!("{what} {tile} is not there")))
    }

    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Published::Folder(folder) => match tokio::fs::read(folder.join(path)).await {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Failure::Remote(format!("{path}: {error}"))),
            },
            Published::Url { http, prefix, token } => {
                let request = || match (token, path.starts_with("tile/entries/")) {
                    (Some(token), true) => http.get(format!("{prefix}/{path}")).bearer_auth(token),
                    _ => http.get(format!("{prefix}/{path}")),
                };
                let answer = patiently(request).await?;
                match answer.status() {
                    StatusCode::OK => Ok(Some(answer.bytes().await.map_err(|error| unreachable_log(&error))?.to_vec())),
                    StatusCode::NOT_FOUND => Ok(None),
                    status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                        Err(Failure::Remote(format!("the log answered {status} to {path}: entries may be for auditors (give --token)")))
                    }
                    status => Err(Failure::Remote(format!("the log answered {status} to {path}"))),
                }
            }
        }
    }

    /// Gives the log a checkpoint with a witness's signature on it.
    pub async fn send_cosigned(&self, note: &str) -> Result<(), Failure> {
        let Published::Url { http, prefix, .. } = self else {
            return Err(Failure::Input("a folder takes no signatures: give the log's URL, or --no-submit".to_owned()));
        };
        let body = json!({ "note": note });
        let answer = patiently(|| http.post(format!("{prefix}/cosignatures")).json(&body)).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => {
                let problem: serde_json::Value = answer.json().await.unwrap_or_default();
                let detail = problem["detail"].as_str().unwrap_or("no reason given").to_owned();
                Err(Failure::Remote(format!("the log answered {status} to the cosignature: {detail}")))
            }
        }
    }
}

/// The part of a tile that a run is.
fn part(hashes: &[Hash32], tile: Tile, run: Run) -> Result<Vec<Hash32>, Failure> {
    let first = tile.run().start;
    let place = |position: u64| usize::try_from(position - first).ok();
    let found = place(run.start).zip(place(run.end)).and_then(|(start, end)| hashes.get(start..end));
    found.map(<[Hash32]>::to_vec).ok_or_else(|| Failure::Remote(format!("tile {tile} is too narrow")))
}

/// Sends a request, again after a while where the log asks for that.
async fn patiently(request: impl Fn() -> reqwest::RequestBuilder) -> Result<reqwest::Response, Failure> {
    let mut tries = 1;
    loop {
        let answer = request().send().await.map_err(|error| unreachable_log(&error))?;
        let busy = matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if !busy || tries == TRIES {
            return Ok(answer);
        }
        let asked = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        tokio::time::sleep(Duration::from_secs(asked.unwrap_or(1).clamp(1, MOST_PATIENCE))).await;
        tries += 1;
    }
}

fn unreachable_log(error: &reqwest::Error) -> Failure {
    let mut text = format!("the log cannot be reached: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    Failure::Remote(text)
}
