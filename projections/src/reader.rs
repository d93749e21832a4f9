//! Reading the live tables.

use serde::de::DeserializeOwned;
use sqlx::{PgPool, Postgres, Transaction, postgres::PgArguments, query::QueryScalar};
use std::time::{Duration, Instant};

/// How long a read waits for tables that are being built for the first time.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(20);

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A projection that the query reads has not been built yet (503).
    #[error("the read model {0} is being built")]
    NotBuilt(&'static str),
    /// The database refused or did not answer (503).
    #[error("the read model did not answer")]
    Database(#[from] sqlx::Error),
    /// A row is not of the form that this program knows (500).
    #[error("a row of the read model is of another version")]
    Row(#[from] serde_json::Error),
}

/// Reads the live build of each projection, in one transaction a query.
#[derive(Clone)]
pub struct Reader {
    pool: PgPool,
}

/// A query whose result is one column of jsonb text.
pub(crate) type JsonQuery<'q> = QueryScalar<'q, Postgres, String, PgArguments>;

impl Reader {
    /// Reads from that database.
    pub fn new(pool: PgPool) -> Self {
        Reader { pool }
    }

    /// A transaction with the live tables of `names` on its search path. Tables that are being built for the first time are waited for,
    /// bounded: a service that has just started answers a moment later instead of not at all.
    pub(crate) async fn open(&self, names: &[&'static str]) -> Result<Transaction<'static, Postgres>, QueryError> {
        let wanted: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut transaction = self.pool.begin().await?;
            let found: i64 =
                sqlx::query_scalar(include_str!("runner/sql/enter_live.sql")).bind(&wanted).fetch_one(&mut *transaction).await?;
            if usize::try_from(found) == Ok(names.len()) {
                return Ok(transaction);
            }
            transaction.rollback().await?;
            if Instant::now() >= deadline {
                return Err(QueryError::NotBuilt(names.first().copied().unwrap_or("none")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The row that the query finds.
    pub(crate) async fn one<R: DeserializeOwned>(&self, names: &[&'static str], query: JsonQuery<'_>) -> Result<Option<R>, QueryError> {
        let mut transaction = self.open(names).await?;
        let found = query.fetch_optional(&mut *transaction).await?;
        transaction.rollback().await?;
        Ok(found.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// The rows that the query finds, in its order.
    pub(crate) async fn many<R: DeserializeOwned>(&self, names: &[&'static str], query: JsonQuery<'_>) -> Result<Vec<R>, QueryError> {
        let mut transaction = self.open(names).await?;
        let found = query.fetch_all(&mut *transaction).await?;
        transaction.rollback().await?;
        Ok(found.iter().map(|row| serde_json::from_str(row)).collect::<Result<_, _>>()?)
    }

    /// The number that the query counts.
    pub(crate) async fn count(
        &self,
        names: &[&'static str],
        query: QueryScalar<'_, Postgres, i64, PgArguments>,
    ) -> Result<u64, QueryError> {
        let mut transaction = self.open(names).await?;
        let count = query.fetch_one(&mut *transaction).await?;
        transaction.rollback().await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// A page of rows and how many there are in all, as of one moment.
    pub(crate) async fn page<R: DeserializeOwned>(
        &self,
        names: &[&'static str],
        rows: JsonQuery<'_>,
        total: QueryScalar<'_, Postgres, i64, PgArguments>,
    ) -> Result<Page<R>, QueryError> {
        let mut transaction = self.open(names).await?;
        let found = rows.fetch_all(&mut *transaction).await?;
        let total = total.fetch_one(&mut *transaction).await?;
        transaction.rollback().await?;
        let items = found.iter().map(|row| serde_json::from_str(row)).collect::<Result<_, _>>()?;
        Ok(Page { items, total: u64::try_from(total).unwrap_or(0) })
    }
}

/// The pattern that finds `text` anywhere, with nothing in it read as a wildcard.
pub(crate) fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// A page of a list.
#[derive(Clone, PartialEq, Debug)]
pub struct Page<R> {
    /// Rows, newest first.
    pub items: Vec<R>,
    /// All rows that match, whatever the page.
    pub total: u64,
}

/// Which rows of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// At most so many.
    pub limit: u32,
    /// After skipping so many.
    pub offset: u64,
    /// Only rows older than this one: stable while rows are added. `(created_at in microseconds, id)`.
    pub after: Option<(events::vocab::time::Timestamp, uuid::Uuid)>,
}

impl Window {
    /// The first `limit` rows.
    pub fn first(limit: u32) -> Self {
        Window { limit, offset: 0, after: None }
    }
    pub(crate) fn limit(self) -> i64 {
        i64::from(self.limit)
    }
    pub(crate) fn offset(self) -> i64 {
        i64::try_from(self.offset).unwrap_or(i64::MAX)
    }
    pub(crate) fn after_time(self) -> Option<time::OffsetDateTime> {
        self.after.map(|(at, _)| at.datetime())
    }
    pub(crate) fn after_id(self) -> Option<uuid::Uuid> {
        self.after.map(|(_, id)| id)
    }
}
