//! A database for each test.

use events::{
    clock::Clock,
    log::{Log, LogOptions},
    vault::{MasterKey, Vault},
};
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::str::FromStr as _;

/// A migrated database of its own. It is left behind: whoever gave the cluster removes it.
pub struct Database {
    /// As the role that owns the schema.
    pub admin: PgConnectOptions,
    /// As the service.
    pub service: PgConnectOptions,
}

impl Database {
    /// A new one, in the cluster of `HILT_TEST_ADMIN_URL`, whose role may create databases and roles.
    pub async fn fresh() -> Self {
        let url = std::env::var("HILT_TEST_ADMIN_URL").expect("HILT_TEST_ADMIN_URL names a cluster for tests");
        let name = format!("test_{}", events::clock::new_id::<uuid::Uuid>().simple());
        let cluster = PgConnectOptions::from_str(&url).unwrap();
        let mut connection = PgConnection::connect_with(&cluster).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        let admin = cluster.database(&name);
        migrations::run(admin.to_url_lossy().as_ref()).await.unwrap();
        let login = format!("CREATE ROLE {name} LOGIN PASSWORD 'test' IN ROLE hilt_service");
        sqlx::raw_sql(sqlx::AssertSqlSafe(login)).execute(&mut connection).await.unwrap();
        let service = admin.clone().username(&name).password("test");
        Database { admin, service }
    }

    /// Connections as the service.
    pub async fn pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(8).connect_with(self.service.clone()).await.unwrap()
    }

    /// Connections as the owner of the schema.
    pub async fn admin_pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(4).connect_with(self.admin.clone()).await.unwrap()
    }

    /// A log with a vault, as a process of the service opens it.
    pub async fn log(&self) -> Log {
        self.log_with(LogOptions::default()).await
    }

    /// A log with those bounds.
    pub async fn log_with(&self, options: LogOptions) -> Log {
        open(self.pool().await, options).await
    }

    /// How a process of the service connects.
    pub fn service_url(&self) -> String {
        self.service.to_url_lossy().to_string()
    }
}

/// The log at `url`, as a process of the service opens it.
pub async fn open_log(url: &str) -> Log {
    let pool = PgPoolOptions::new().max_connections(8).connect(url).await.unwrap();
    open(pool, LogOptions::default()).await
}

async fn open(pool: PgPool, options: LogOptions) -> Log {
    let vault = Vault::new(pool.clone(), MasterKey::from_bytes([7; 32]), Clock::machine());
    Log::open(pool, vault, Clock::machine(), options).await.unwrap()
}
