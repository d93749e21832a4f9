//! A migrated database for each test, and the log in it.

use crate::stack::{TestDatabase, fresh_database};
use events::{
    clock::Clock,
    log::{Log, LogOptions},
    vault::{MasterKey, Vault},
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// A migrated database of its own, dropped with the value.
pub struct Database(TestDatabase);

impl Database {
    /// A new one.
    pub async fn fresh() -> Self {
        let database = fresh_database().await;
        migrations::run(&database.admin_url).await.expect("a test's database is migrated");
        Database(database)
    }

    /// How the role that owns the schema connects.
    pub fn admin_url(&self) -> &str {
        &self.0.admin_url
    }

    /// How a process of the service connects.
    pub fn service_url(&self) -> &str {
        &self.0.service_url
    }

    /// Connections as the service.
    pub async fn pool(&self) -> PgPool {
        connect(self.service_url(), 8).await
    }

    /// Connections as the owner of the schema.
    pub async fn admin_pool(&self) -> PgPool {
        connect(self.admin_url(), 4).await
    }

    /// Connections as an auditor, who may read the record and nothing else.
    pub async fn auditor_pool(&self) -> PgPool {
        let name = format!("auditor_{}", events::clock::new_id::<uuid::Uuid>().simple());
        let login = format!("CREATE ROLE {name} LOGIN PASSWORD 'test' IN ROLE hilt_auditor");
        sqlx::raw_sql(sqlx::AssertSqlSafe(login)).execute(&self.admin_pool().await).await.expect("an auditor is made");
        let auditor: PgConnectOptions = self.admin_url().parse().expect("a test's URL is a URL");
        let pool = PgPoolOptions::new().max_connections(4);
        pool.connect_with(auditor.username(&name).password("test")).await.expect("an auditor connects")
    }

    /// The tables in which `text` stands anywhere: as text, or as bytes of a binary column.
    pub async fn tables_holding(&self, text: &str) -> Vec<String> {
        let pool = self.admin_pool().await;
        let mut found = Vec::new();
        for needle in [text.to_owned(), hex::encode(text)] {
            let tables = sqlx::query_scalar(include_str!("sql/tables_holding.sql")).bind(needle).fetch_all(&pool).await;
            found.extend(tables.expect("the database can be searched"));
        }
        found
    }

    /// A log with a vault, as a process of the service opens it.
    pub async fn log(&self) -> Log {
        open_log(self.service_url()).await
    }

    /// A log with those bounds.
    pub async fn log_with(&self, options: LogOptions) -> Log {
        open(self.pool().await, options).await
    }
}

/// The log at `url`, as a process of the service opens it.
pub async fn open_log(url: &str) -> Log {
    open(connect(url, 8).await, LogOptions::default()).await
}

async fn connect(url: &str, most: u32) -> PgPool {
    PgPoolOptions::new().max_connections(most).connect(url).await.expect("a test's database answers")
}

async fn open(pool: PgPool, options: LogOptions) -> Log {
    let vault = Vault::new(pool.clone(), MasterKey::from_bytes([7; 32]), Clock::machine());
    Log::open(pool, vault, Clock::machine(), options).await.expect("a migrated database holds a log")
}
