//! Where rows come from: a snapshot of a database, or a bundle.

use super::row::Page;
use crate::{
    bundle::Bundle,
    class::{Doing, Failure},
    copy::Rows,
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use std::pin::Pin;

/// Bytes of rows that one thread checks at a time.
const PAGE_BYTES: usize = 1 << 20;

/// Rows, page after page, in the order of positions.
pub(crate) enum Source<'a> {
    Copied(Copied<'a>),
    Bundled(&'a mut Bundle),
}

impl Source<'_> {
    /// The next page; a break is what is wrong with the source itself at that point.
    pub async fn next(&mut self) -> Result<Option<Page>, Failure> {
        match self {
            Source::Copied(copied) => copied.next().await,
            Source::Bundled(bundle) => bundle.next_page(PAGE_BYTES),
        }
    }
}

/// A COPY of the events under way.
pub(crate) struct Copied<'a> {
    stream: Pin<Box<dyn Stream<Item = sqlx::Result<Bytes>> + Send + 'a>>,
    rows: Rows,
    ended: bool,
}

impl<'a> Copied<'a> {
    pub fn new(stream: Pin<Box<dyn Stream<Item = sqlx::Result<Bytes>> + Send + 'a>>) -> Self {
        Copied { stream, rows: Rows::default(), ended: false }
    }

    async fn next(&mut self) -> Result<Option<Page>, Failure> {
        while !self.ended {
            match self.stream.next().await {
                Some(chunk) => self.rows.push(&chunk.doing("reading the events")?),
                None => self.ended = true,
            }
            if self.rows.len() >= PAGE_BYTES || self.ended {
                return Ok(Some(Page::Copied(self.rows.take()?)));
            }
        }
        Ok(None)
    }
}
