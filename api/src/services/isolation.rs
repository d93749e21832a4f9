//! What another owner has does not exist for a caller (INV-19, INV-92, CV-9). That somebody asked for it is counted (OPS-43), without
//! saying who or what.

use crate::http::problem::{Code, Problem};
use events::{
    log::Log,
    vocab::{id::OwnerId, stream::StreamId},
};

/// Somebody named what another owner has: answered as what does not exist, and counted.
pub fn foreign(what: &'static str, code: Code) -> Problem {
    metrics::counter!("access.owner_isolation_failures_total", "reason" => what).increment(1);
    Problem::of(code)
}

/// What a read model does not have for `owner`: does not exist, or is another owner's, which is counted and not told.
pub async fn missing(log: &Log, owner: OwnerId, stream: StreamId, code: Code) -> Problem {
    let theirs = log
        .read_stream(stream, 0)
        .await
        .is_ok_and(|events| events.first().is_some_and(|first| first.envelope.owner_id.is_some_and(|whose| whose != owner)));
    match theirs {
        true => foreign(stream.category.as_str(), code),
        false => Problem::of(code),
    }
}
