//! Nobody changes what is recorded, not even the owner of the schema.

use events::{clock::new_id, proof::Checkpointer};
use hilt_tests::{db::Database, keyed};
use sqlx::PgPool;

async fn refusal(pool: &PgPool, statement: &'static str) -> String {
    match sqlx::query(statement).execute(pool).await {
        Ok(_) => panic!("{statement} was not refused"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn update_delete_and_truncate_are_refused() {
    let database = Database::fresh().await;
    let log = database.log().await;
    log.append(keyed::append(new_id())).await.unwrap();
    Checkpointer::new(log.clone(), "test.example/log").sign().await.unwrap();
    let statements = [
        "UPDATE log.events SET actor = 'system:other'",
        "UPDATE log.events SET actor = 'system:other' WHERE false",
        "DELETE FROM log.events",
        "TRUNCATE log.events",
        "UPDATE log.tree_heads SET size = 0",
        "DELETE FROM log.tree_heads",
        "TRUNCATE log.tree_heads",
        "DELETE FROM log.head",
        "TRUNCATE log.head",
    ];
    let (service, owner) = (database.pool().await, database.admin_pool().await);
    for statement in statements {
        assert!(refusal(&service, statement).await.contains("permission denied"), "{statement}");
        assert!(refusal(&owner, statement).await.contains("append-only"), "{statement}");
    }
    for backward in [
        "UPDATE log.head SET next_position = 0, epoch = epoch + 1",
        "UPDATE log.head SET next_position = next_position",
        "UPDATE log.head SET epoch = epoch + 1, recorded_at = 0",
    ] {
        assert!(refusal(&service, backward).await.contains("only moves forward"), "{backward}");
    }
    // Acting as a replica, which skips ordinary triggers, does not help an owner who may do that.
    let mut replica = owner.acquire().await.unwrap();
    let _ = sqlx::query("SET session_replication_role = replica").execute(&mut *replica).await;
    assert!(sqlx::query("DELETE FROM log.events").execute(&mut *replica).await.is_err());
    assert_eq!(hilt_tests::verify::whole_log(&log).await.len(), 2);
}

#[tokio::test]
async fn an_auditor_sees_events_and_no_keys() {
    let database = Database::fresh().await;
    let owner = database.admin_pool().await;
    let tables: Vec<(String, bool, bool)> = sqlx::query_as(
        "SELECT relname::text, has_table_privilege('hilt_auditor', oid, 'SELECT'),
                has_table_privilege('hilt_auditor', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
         FROM pg_class WHERE relnamespace = 'log'::regnamespace AND relkind = 'r' ORDER BY relname",
    )
    .fetch_all(&owner)
    .await
    .unwrap();
    let readable: Vec<&str> = tables.iter().filter(|(_, read, _)| *read).map(|(name, ..)| name.as_str()).collect();
    assert_eq!(readable, ["claims", "cosignatures", "events", "head", "tree_heads", "tree_nodes"]);
    assert!(tables.iter().all(|(.., write)| !write));
}

#[tokio::test]
async fn migrations_run_once_and_notice_an_edited_file() {
    let database = Database::fresh().await;
    let url = database.admin_url();
    assert_eq!(migrations::run(url).await.unwrap(), 0);
    let owner = database.admin_pool().await;
    sqlx::query("UPDATE migrations.applied SET checksum = 'x' WHERE version = 2").execute(&owner).await.unwrap();
    assert!(matches!(migrations::run(url).await, Err(migrations::MigrateError::Changed { version: 2 })));
    sqlx::query("UPDATE migrations.applied SET version = 9999 WHERE version = 2").execute(&owner).await.unwrap();
    assert!(matches!(migrations::run(url).await, Err(migrations::MigrateError::Newer { version: 9999 })));
}

#[tokio::test]
async fn every_table_and_column_says_what_it_is() {
    let database = Database::fresh().await;
    let owner = database.admin_pool().await;
    let silent: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass || coalesce('.' || a.attname, '') FROM pg_class c
         LEFT JOIN LATERAL (SELECT attnum, attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                            UNION ALL SELECT 0, NULL) a ON true
         WHERE c.relkind = 'r' AND c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_|information_schema|public')
           AND NOT EXISTS (SELECT FROM pg_description d WHERE d.objoid = c.oid AND d.objsubid = a.attnum AND d.classoid = 'pg_class'::regclass)",
    )
    .fetch_all(&owner)
    .await
    .unwrap();
    assert_eq!(silent, Vec::<String>::new());
}
