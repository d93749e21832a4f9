use crate::scene::scene;
use hilt_tests::db::Database;
use replay_tool::{
    BreakClass, Failure,
    tables::{self, Cover, TABLES},
};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;

#[tokio::test]
async fn every_table_is_bound_by_the_log_or_checked_by_the_replay() {
    let scene = scene().await;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT schemaname::text, tablename::text FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&scene.admin)
    .await
    .unwrap();
    let slots: BTreeSet<String> =
        sqlx::query_scalar("SELECT slot FROM projections.slots").fetch_all(&scene.admin).await.unwrap().into_iter().collect();
    let (of_models, others): (Vec<_>, Vec<_>) = tables.into_iter().partition(|(schema, _)| slots.contains(schema));
    for (schema, table) in &of_models {
        assert!(projections::ALL.iter().any(|definition| definition.name == *table), "{schema}.{table} is no read model's");
    }
    assert_eq!(of_models.len(), projections::ALL.len());
    let there: BTreeSet<String> = others.into_iter().map(|(schema, table)| format!("{schema}.{table}")).collect();
    let held: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    assert_eq!(there, held, "a new table needs a line in replay-tool/src/tables: what binds it to the log, or what the replay asks of it");
}

async fn found(database: &Database, statements: &str) -> String {
    let admin = database.admin_pool().await;
    let mut transaction = admin.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut *transaction).await.unwrap();
    let outcome = tables::hold(&mut transaction).await;
    transaction.rollback().await.unwrap();
    match outcome {
        Err(Failure::Broken(found)) => {
            assert_eq!(found.class, BreakClass::TableMismatch);
            found.detail
        }
        other => panic!("{statements}: {other:?}"),
    }
}

#[tokio::test]
async fn what_cannot_be_by_what_the_log_says_is_found_in_every_table() {
    let scene = scene().await;
    let subject = scene.paid.session.subject_id;
    let owner = scene.shop.owner_id;
    let nil = uuid::Uuid::from_u128(3);
    let planted = [
        (format!("UPDATE log.subject_keys SET wrapped = NULL, erased_at = 1 WHERE subject_id = '{subject}'"), "log.subject_keys"),
        (format!("INSERT INTO log.subject_identities VALUES ('{nil}', 'email', sha256('x'), '{subject}')"), "log.subject_identities"),
        ("INSERT INTO log.signing_keys VALUES ('0000000000000000', 'handoff', sha256('x'), 'x', 1, 1)".to_owned(), "log.signing_keys"),
        (format!("INSERT INTO log.idempotency VALUES ('{owner}', 'POST /x', 'k', sha256('x'), 201, '', 100000, 1)"), "log.idempotency"),
        (format!("INSERT INTO log.api_key_uses VALUES ('{nil}', 1)"), "log.api_key_uses"),
        ("UPDATE projections.slots SET checkpoint = 100000 WHERE name = 'payments'".to_owned(), "projections.slots"),
        ("INSERT INTO projections.subscriptions VALUES ('relay', 100000)".to_owned(), "projections.subscriptions"),
        (
            format!("INSERT INTO projections.dead_letters VALUES ('payments', 2, 0, '{nil}', 'payment.created', 'x')"),
            "projections.dead_letters",
        ),
        (
            format!(
                "INSERT INTO projections.swaps VALUES ('{nil}', 'payments', 2, 2, 0, 0, 0, sha256('x'), sha256('x'), 0, now(), '{nil}')"
            ),
            "projections.swaps",
        ),
        ("UPDATE migrations.applied SET checksum = sha256('x') WHERE version = 2".to_owned(), "migrations.applied"),
    ];
    for (statements, table) in &planted {
        let detail = found(&scene.database, statements).await;
        assert!(detail.starts_with(&format!("{table}: ")), "{table}: {detail}");
    }
    let replayed: BTreeSet<&str> = TABLES.iter().filter(|table| matches!(table.cover, Cover::Replay(_))).map(|table| table.name).collect();
    assert_eq!(planted.iter().map(|(_, table)| *table).collect::<BTreeSet<_>>(), replayed, "every statement has found something here");
}

#[tokio::test]
async fn what_is_kept_encrypted_opens_in_its_own_place_only() {
    let scene = scene().await;
    let vault = &scene.models.deps().vault;
    let (first, second) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    vault.put_secret(first, "webhook", b"one").await.unwrap();
    vault.put_secret(second, "webhook", b"two").await.unwrap();
    let opened = tables::open(vault).await.unwrap();
    assert!(opened.subject_keys >= 2 && opened.secrets == 2 && opened.signing_keys >= 1, "{opened:?}");
    let faults = [
        (
            "UPDATE log.secrets SET wrapped = (SELECT wrapped FROM log.secrets WHERE id = '00000000-0000-0000-0000-000000000002')",
            "log.secrets",
        ),
        (
            "UPDATE log.subject_keys SET wrapped = (SELECT wrapped FROM log.subject_keys ORDER BY subject_id DESC LIMIT 1)",
            "log.subject_keys",
        ),
        ("UPDATE log.signing_keys SET wrapped = overlay(wrapped placing '\\x00' from 30)", "log.signing_keys"),
    ];
    for (fault, table) in faults {
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE TABLE kept AS SELECT * FROM {table}; {fault}"))).execute(&scene.admin).await.unwrap();
        let Err(Failure::Broken(found)) = tables::open(vault).await else { panic!("{fault}") };
        assert!(found.detail.starts_with(table), "{}", found.detail);
        let key = match table {
            "log.secrets" => "id",
            "log.subject_keys" => "subject_id",
            _ => "kid",
        };
        let back = format!("UPDATE {table} t SET wrapped = k.wrapped FROM kept k WHERE k.{key} = t.{key}; DROP TABLE kept");
        sqlx::raw_sql(AssertSqlSafe(back)).execute(&scene.admin).await.unwrap();
    }
    tables::open(vault).await.unwrap();
}
