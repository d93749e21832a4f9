//! What is asked of `movements`.

use super::Movement;
use crate::{QueryError, Reader};
use events::vocab::{event::StatementAsset, time::Timestamp, words::StatementSource};
use serde::Deserialize;

const TABLES: &[&str] = &["movements"];

/// Which movements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Where the account is.
    pub source: StatementSource,
    /// The wallet; `None` at Stripe.
    pub account: Option<String>,
    /// Of what.
    pub asset: StatementAsset,
    /// In which mode.
    pub livemode: bool,
    /// From the first moment on,
    pub from: Timestamp,
    /// and before that one;
    pub to: Timestamp,
    /// or called so, whenever it was.
    pub references: Vec<String>,
    /// At most so many.
    pub limit: u32,
}

/// Movements, and how far the log is taken into account.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Found {
    /// All that was asked for.
    pub items: Vec<Movement>,
    /// Position of the last event that is folded into them; −1 before the first.
    pub checkpoint: i64,
}

impl Asked {
    /// Everything of that account in the period; `account` is a wallet, or the one account at Stripe.
    pub fn of(source: StatementSource, account: &str, asset: StatementAsset, livemode: bool, (from, to): (Timestamp, Timestamp)) -> Self {
        let account = (source != StatementSource::Stripe).then(|| account.to_owned());
        Asked { source, account, asset, livemode, from, to, references: Vec::new(), limit: u32::MAX }
    }

    /// Whether a movement is one of them, whatever its time and what it is called.
    pub fn is_of(&self, row: &Movement) -> bool {
        let asset = match &self.asset.mint {
            Some(mint) => row.asset_mint.as_ref() == Some(mint),
            None => row.asset_mint.is_none() && row.asset_code == self.asset.code,
        };
        asset && row.source == self.source && row.account == self.account && row.meta.livemode == self.livemode
    }
}

/// What has moved, as of one position.
pub async fn moved(reader: &Reader, asked: &Asked) -> Result<Found, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/moved.sql"))
        .bind(asked.source.as_str())
        .bind(asked.account.as_deref())
        .bind(&asked.asset.code)
        .bind(asked.asset.mint.map(|mint| mint.to_string()))
        .bind(asked.livemode)
        .bind(asked.from.datetime())
        .bind(asked.to.datetime())
        .bind(&asked.references)
        .bind(i64::from(asked.limit));
    reader.one(TABLES, query).await?.ok_or(QueryError::NotBuilt("movements"))
}
