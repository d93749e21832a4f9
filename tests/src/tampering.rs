//! A history to tamper with, and the means of somebody who owns the database.

use crate::{
    db::Database,
    payments::{self, OpenSession, Paid, Shop},
};
use events::log::Log;
use replay_tool::{Break, BreakClass, Failure, VerifyOptions, VerifyReport};
use sqlx::{AssertSqlSafe, PgPool};

/// The tables that are put back after a tampering.
const KEPT: [&str; 5] = ["events", "head", "claims", "tree_heads", "signing_keys"];

/// Two shops' worth of history: two paid sessions, one proven, one open, one in the sandbox; signed twice.
pub struct World {
    /// Its database.
    pub database: Database,
    /// The log.
    pub log: Log,
    /// Connections as the owner of the schema.
    pub admin: PgPool,
    /// The live shop.
    pub shop: Shop,
    /// The paid sessions.
    pub paid: Vec<Paid>,
    /// The session whose transaction is not final.
    pub proven: OpenSession,
    /// The session that nobody paid.
    pub open: OpenSession,
    /// The log's verifier key.
    pub vkey: String,
    /// The first signed checkpoint.
    pub note: String,
    /// The sizes that were signed.
    pub signed: Vec<u64>,
}

/// Writes such a history.
pub async fn world() -> World {
    let database = Database::fresh().await;
    let log = database.log().await;
    let admin = database.admin_pool().await;
    let shop = payments::shop(&log, true).await;
    let sandbox = payments::shop(&log, false).await;
    let first = payments::paid(&log, &shop).await;
    let note = payments::sign_checkpoint(&log).await;
    let middle = log.head().await.unwrap().next_position;
    payments::sandbox(&log, &sandbox).await;
    let second = payments::paid(&log, &shop).await;
    let proven = payments::session(&log, &shop).await;
    payments::prove(&log, &shop, &proven).await;
    payments::sign_checkpoint(&log).await;
    let last = log.head().await.unwrap().next_position;
    let open = payments::session(&log, &shop).await;
    let vkey = payments::log_vkey(&log).await;
    World { database, log, admin, shop, paid: vec![first, second], proven, open, vkey, note, signed: vec![middle, last] }
}

impl World {
    /// The auditor's own key, and nothing else of his own.
    pub fn options(&self) -> VerifyOptions {
        VerifyOptions { vkey: Some(self.vkey.clone()), ..VerifyOptions::default() }
    }

    /// Verifies the log with its key.
    pub async fn verify(&self) -> Result<VerifyReport, Failure> {
        replay_tool::verify(&self.admin, &self.options(), &|_| {}).await
    }

    /// The break that verifying ends on.
    pub async fn broken(&self) -> Break {
        match self.verify().await {
            Err(Failure::Broken(found)) => *found,
            other => panic!("nothing broken was found: {other:?}"),
        }
    }

    /// Runs statements as a superuser who has switched the guards off.
    pub async fn tamper(&self, statements: &str) {
        let unguarded = format!(
            "BEGIN;
             ALTER TABLE log.events DISABLE TRIGGER USER; ALTER TABLE log.head DISABLE TRIGGER USER;
             ALTER TABLE log.tree_heads DISABLE TRIGGER USER;
             {statements};
             ALTER TABLE log.events ENABLE ALWAYS TRIGGER append_only; ALTER TABLE log.head ENABLE ALWAYS TRIGGER forward_only;
             ALTER TABLE log.tree_heads ENABLE ALWAYS TRIGGER append_only;
             COMMIT"
        );
        sqlx::raw_sql(AssertSqlSafe(unguarded)).execute(&self.admin).await.unwrap();
    }

    /// What a tampering came to, after which everything is put back.
    pub async fn found_after(&self, statements: &str) -> (BreakClass, u64) {
        self.named_after(statements, &self.options()).await
    }

    /// The same, verified with those options.
    pub async fn named_after(&self, statements: &str, options: &VerifyOptions) -> (BreakClass, u64) {
        sqlx::raw_sql("CREATE SCHEMA kept").execute(&self.admin).await.unwrap();
        for table in KEPT {
            let keep = format!("CREATE TABLE kept.{table} AS SELECT * FROM log.{table}");
            sqlx::raw_sql(AssertSqlSafe(keep)).execute(&self.admin).await.unwrap();
        }
        self.tamper(statements).await;
        let found = replay_tool::verify(&self.admin, options, &|_| {}).await;
        for table in KEPT {
            self.tamper(&format!("DELETE FROM log.{table}; INSERT INTO log.{table} SELECT * FROM kept.{table}")).await;
        }
        sqlx::raw_sql("DROP SCHEMA kept CASCADE").execute(&self.admin).await.unwrap();
        match found {
            Err(Failure::Broken(found)) => (found.class, found.position),
            other => panic!("nothing broken was found after {statements}: {other:?}"),
        }
    }

    /// Position of the first event of a type from a position on.
    pub async fn position(&self, event_type: &str, from: u64) -> u64 {
        let events = self.log.read(from, 10_000).await.unwrap();
        events.iter().find(|event| event.envelope.event_type.as_str() == event_type).unwrap().position
    }
}
