//! A log with payments, and read models of it that follow when they are told to.

use events::{log::Log, vault::MasterKey};
use hilt_tests::{
    db::Database,
    payments::{self, Paid, Shop},
};
use projections::runner::{Progress, Projections};
use replay_tool::{Failure, Numbers, StateReport, Tell, verify_state};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use std::sync::Arc;
use uuid::Uuid;

pub struct Scene {
    pub database: Database,
    pub log: Log,
    pub pool: PgPool,
    pub admin: PgPool,
    pub shop: Shop,
    pub paid: Paid,
    pub models: Projections,
}

/// One paid session and one open one, in read models.
pub async fn scene() -> Scene {
    let database = Database::fresh().await;
    let log = database.log().await;
    let shop = payments::shop(&log, true).await;
    let paid = payments::paid(&log, &shop).await;
    payments::session(&log, &shop).await;
    let (pool, admin) = (database.pool().await, database.admin_pool().await);
    let models = replay_tool::open_models(&pool, MasterKey::from_bytes([7; 32])).await.unwrap();
    let scene = Scene { database, log, pool, admin, shop, paid, models };
    scene.follow().await;
    scene
}

pub fn silent() -> Tell {
    Arc::new(|_, _| {})
}

impl Scene {
    /// Brings every read model to the end of the log.
    pub async fn follow(&self) {
        for name in self.models.names() {
            self.follow_one(name).await;
        }
    }

    /// Brings one read model to the end of the log.
    pub async fn follow_one(&self, name: &str) {
        self.models.rebuild(name, Progress::silent()).await.unwrap();
    }

    /// Position of the last event.
    pub async fn last(&self) -> u64 {
        self.log.head().await.unwrap().next_position - 1
    }

    /// What `verify --state` says, as the service.
    pub async fn verify(&self) -> Result<StateReport, Failure> {
        verify_state(&self.pool, &[], Numbers::Hold, &|_| {}).await
    }

    /// The class, the position and the detail of the break that it ends on.
    pub async fn broken(&self) -> (replay_tool::BreakClass, u64, String) {
        match self.verify().await {
            Err(Failure::Broken(found)) => (found.class, found.position, found.detail),
            other => panic!("nothing broken was found: {other:?}"),
        }
    }

    /// The live table of a read model.
    pub async fn table(&self, name: &str) -> String {
        let query = "SELECT slot FROM projections.slots WHERE name = $1 AND state = 'live'";
        let slot: String = sqlx::query_scalar(query).bind(name).fetch_one(&self.admin).await.unwrap();
        format!("{slot}.{name}")
    }

    /// Changes a live table by hand; `{table}` stands for it.
    pub async fn tamper(&self, name: &str, statement: &str) {
        let statement = statement.replace("{table}", &self.table(name).await);
        let changed = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&self.admin).await.unwrap();
        assert_eq!(changed.rows_affected(), 1, "{statement}");
    }

    /// The rows of a live table as PostgreSQL shows them, by id.
    pub async fn live(&self, name: &str) -> Vec<(Uuid, Value)> {
        let query = format!("SELECT id, to_jsonb(t)::text FROM {} t ORDER BY id", self.table(name).await);
        let rows: Vec<(Uuid, String)> = sqlx::query_as(AssertSqlSafe(query)).fetch_all(&self.admin).await.unwrap();
        rows.into_iter().map(|(id, text)| (id, serde_json::from_str(&text).unwrap())).collect()
    }
}
