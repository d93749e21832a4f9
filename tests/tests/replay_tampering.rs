//! Whatever somebody who owns the database changes in a row of the log is found and named. The cases are made from the schema's own list
//! of tables and columns: a new column fails here until verifying covers it, or until it is said below why nothing can.

use events::proof::Frontier;
use hilt_tests::tampering::{World, world};
use replay_tool::{BreakClass, VerifyOptions};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Columns that say nothing of the record, and why a change of them need not show.
const NOT_THE_RECORD: &[(&str, &str, &str)] = &[
    ("head", "epoch", "counts batches, so that a late writer is fenced off; nothing is read from it afterwards"),
    ("head", "singleton", "always true: the constraint that keeps it so is what makes the table one row"),
    ("tree_heads", "signed_at", "when the note was kept; the note itself is what is signed"),
    ("signing_keys", "wrapped", "the private key, which no auditor may see; a wrong one makes signatures that do not verify"),
    ("signing_keys", "created_at", "for people: a signature counts whenever it was made"),
    ("signing_keys", "retired_at", "for people: a signature counts whenever it was made"),
    ("idempotency", "*", "answers that are pruned after 30 days; the events that they answer for are the record"),
    ("subject_keys", "*", "keys of persons: one that is destroyed or wrong opens nothing, and the record binds what it sealed"),
    ("subject_identities", "*", "finds a person by a keyed hash; erased with him"),
    ("secrets", "*", "secrets that are used again, encrypted; a wrong one opens nothing"),
    ("api_key_uses", "*", "a note of when a key was last used"),
    ("tree_nodes", "*", "roots of full tiles, of which this log has none: changed row by row in the test of what is published"),
    ("cosignatures", "*", "what witnesses signed, of whom this log has none: changed row by row in the test of what is published"),
];

struct Column {
    table: String,
    name: String,
    kind: String,
    nullable: bool,
}

async fn columns(world: &World) -> Vec<Column> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(AssertSqlSafe(
        "SELECT c.table_name::text, c.column_name::text, c.udt_name::text, c.is_nullable::text
         FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
         WHERE c.table_schema = 'log' AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position"
            .to_owned(),
    ))
    .fetch_all(&world.admin)
    .await
    .unwrap();
    rows.into_iter().map(|(table, name, kind, nullable)| Column { table, name, kind, nullable: nullable == "YES" }).collect()
}

/// Every value that the column is set to, by what it holds.
fn changes(column: &Column) -> Vec<String> {
    let name = &column.name;
    let mut values = match column.kind.as_str() {
        "int2" | "int4" | "int8" => vec![format!("coalesce({name}, 0) + 1"), format!("coalesce({name}, 0) - 1"), "0".to_owned()],
        "uuid" => vec!["gen_random_uuid()".to_owned()],
        "text" => vec![format!("coalesce({name}, '') || 'x'"), "'x'".to_owned()],
        "bytea" => vec![
            format!("set_byte(coalesce({name}, '\\x00'), 0, get_byte(coalesce({name}, '\\x00'), 0) # 1)"),
            format!("set_byte({name}, octet_length({name}) - 1, get_byte({name}, octet_length({name}) - 1) # 128)"),
            format!("substring({name} FROM 2)"),
            format!("{name} || '\\x00'"),
        ],
        "bool" => vec![format!("NOT {name}")],
        other => panic!("{}.{name} is a {other}: say here how to change it", column.table),
    };
    if column.nullable {
        values.push("NULL".to_owned());
        values.extend(match column.kind.as_str() {
            "uuid" => Some("'00000000-0000-0000-0000-000000000000'".to_owned()),
            "text" => Some("''".to_owned()),
            _ => None,
        });
    }
    values
}

/// Rows of a table to change, each by a condition that only it meets.
async fn sample(world: &World, table: &str) -> Vec<String> {
    let (key, from, every) = match table {
        "events" => ("position::text", "log.events", 9),
        "claims" => ("scope || '/' || key", "log.claims", 5),
        "tree_heads" => ("size::text", "log.tree_heads", 1),
        "head" => ("singleton::text", "log.head", 1),
        "signing_keys" => ("kid", "log.signing_keys WHERE purpose IN ('receipt', 'log')", 1),
        other => panic!("log.{other} is a new table: say here which rows to change, or above why none need to be"),
    };
    let keys = format!("SELECT {key} FROM {from} ORDER BY 1");
    let keys: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(keys)).fetch_all(&world.admin).await.unwrap();
    keys.iter().step_by(every).map(|(value,)| format!("{key} = '{value}'")).collect()
}

fn excused(column: &Column) -> bool {
    NOT_THE_RECORD.iter().any(|(table, name, _)| *table == column.table && (*name == "*" || *name == column.name))
}

/// A superuser first takes away what would stop him.
async fn unconstrained() -> World {
    let world = world().await;
    let constraints: Vec<(String, String)> = sqlx::query_as(
        "SELECT conrelid::regclass::text, conname::text FROM pg_constraint
         WHERE connamespace = 'log'::regnamespace AND contype IN ('c', 'u', 'p', 'f') ORDER BY contype = 'f' DESC",
    )
    .fetch_all(&world.admin)
    .await
    .unwrap();
    for (table, name) in constraints {
        let drop = format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&world.admin).await.unwrap();
    }
    world
}

#[tokio::test]
async fn every_change_of_every_column_is_found() {
    let world = unconstrained().await;
    let columns = columns(&world).await;
    assert!(columns.len() > 50, "the schema is read");
    for (table, name, _) in NOT_THE_RECORD {
        let there = columns.iter().any(|column| column.table == *table && (*name == "*" || column.name == *name));
        assert!(there, "log.{table} has no column {name} any more");
    }
    let mut found: BTreeMap<String, BTreeMap<&'static str, u64>> = BTreeMap::new();
    for column in columns.iter().filter(|column| !excused(column)) {
        let Column { table, name, .. } = column;
        let mut changed = 0;
        for row in sample(&world, table).await {
            for value in changes(column) {
                let differs: (bool,) = sqlx::query_as(AssertSqlSafe(format!(
                    "SELECT coalesce(({name} IS DISTINCT FROM ({value})), false) FROM log.{table} WHERE {row}"
                )))
                .fetch_one(&world.admin)
                .await
                .unwrap();
                // Some values are what the row holds already.
                if differs.0 {
                    // Nobody else's copy of the key is believed, so that a change of the published one shows.
                    let options = match table.as_str() {
                        "signing_keys" => VerifyOptions::default(),
                        _ => world.options(),
                    };
                    let (class, _) = world.named_after(&format!("UPDATE log.{table} SET {name} = {value} WHERE {row}"), &options).await;
                    *found.entry(format!("{table}.{name}")).or_default().entry(class.as_str()).or_default() += 1;
                    changed += 1;
                }
            }
        }
        assert!(changed > 0, "no row of log.{table} has a {name} that could be changed");
    }
    for (column, classes) in found {
        println!("{column}: {classes:?}");
    }
    world.verify().await.unwrap();
}

#[tokio::test]
async fn every_row_taken_away_or_put_in_is_found() {
    use BreakClass::{CheckpointSignatureInvalid, ClaimMismatch, HeadMismatch, LogTruncated, PositionGap};
    let world = unconstrained().await;
    let end = world.log.head().await.unwrap().next_position;
    for position in (0..end).step_by(4) {
        let (class, at) = world.found_after(&format!("DELETE FROM log.events WHERE position = {position}")).await;
        assert_eq!((class, at), if position + 1 == end { (LogTruncated, position) } else { (PositionGap, position) });
        // The same row once more, in its place or behind the last.
        let twice = format!("INSERT INTO log.events SELECT * FROM log.events WHERE position = {position}");
        assert_eq!(world.found_after(&twice).await, (PositionGap, position + 1));
        let behind = format!(
            "CREATE TEMP TABLE forged ON COMMIT DROP AS SELECT * FROM log.events WHERE position = {position};
             UPDATE forged SET position = {end}; INSERT INTO log.events SELECT * FROM forged"
        );
        let (_, at) = world.found_after(&behind).await;
        assert_eq!(at, end);
    }
    for row in sample(&world, "claims").await {
        assert_eq!(world.found_after(&format!("DELETE FROM log.claims WHERE {row}")).await.0, ClaimMismatch);
        let twice = format!("INSERT INTO log.claims SELECT * FROM log.claims WHERE {row}");
        assert_eq!(world.found_after(&twice).await.0, ClaimMismatch);
    }
    assert_eq!(world.found_after("DELETE FROM log.head").await.0, HeadMismatch);
    assert_eq!(world.found_after("INSERT INTO log.head SELECT * FROM log.head").await.0, HeadMismatch);
    let unsigned =
        "INSERT INTO log.tree_heads SELECT size + 1, root, replace(note, size::text, (size + 1)::text), signed_at FROM log.tree_heads";
    assert_eq!(world.found_after(unsigned).await.0, CheckpointSignatureInvalid);
    // A checkpoint that was taken away promised something to whoever kept it.
    world.tamper(&format!("DELETE FROM log.tree_heads; DELETE FROM log.events WHERE position >= {}", world.signed[0] - 1)).await;
    world.tamper(&head_of(&world, world.signed[0] - 1).await).await;
    let kept = VerifyOptions { checkpoints: vec![world.note.clone()], ..world.options() };
    let found = replay_tool::verify(&world.admin, &kept, &|_| {}).await;
    assert!(matches!(found, Err(replay_tool::Failure::Broken(found)) if found.class == LogTruncated));
}

/// The head as it was when the log had `size` events.
async fn head_of(world: &World, size: u64) -> String {
    let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as("SELECT leaf, recorded_at FROM log.events WHERE position < $1 ORDER BY position")
        .bind(i64::try_from(size).unwrap())
        .fetch_all(&world.admin)
        .await
        .unwrap();
    let mut frontier = Frontier::default();
    rows.iter().for_each(|(leaf, _)| frontier.push(leaf.as_slice().try_into().unwrap()));
    let recorded_at = rows.last().map_or(0, |(_, recorded_at)| *recorded_at);
    format!("UPDATE log.head SET next_position = {size}, recorded_at = {recorded_at}, frontier = '\\x{}'", hex::encode(frontier.to_bytes()))
}

#[tokio::test]
async fn every_swap_is_found() {
    let world = unconstrained().await;
    let end = world.log.head().await.unwrap().next_position;
    for (a, b) in (0..end - 1).step_by(5).map(|a| (a, a + 1)).chain((0..end / 2).step_by(7).map(|a| (a, end - 1 - a))) {
        let swap = format!("UPDATE log.events SET position = CASE position WHEN {a} THEN {b} ELSE {a} END WHERE position IN ({a}, {b})");
        let (class, _) = world.found_after(&swap).await;
        println!("positions {a} and {b}: {class}");
        for columns in ["payload", "leaf", "stream_id", "event_id", "sealed, subject_id"] {
            let swap = format!(
                "UPDATE log.events e SET ({columns}) = (SELECT {columns} FROM log.events o WHERE o.position = CASE e.position WHEN {a} THEN {b} ELSE {a} END)
                 WHERE position IN ({a}, {b}) AND (SELECT count(DISTINCT ROW({columns})) FROM log.events WHERE position IN ({a}, {b})) > 1"
            );
            let differs: (i64,) = sqlx::query_as(AssertSqlSafe(format!(
                "SELECT count(DISTINCT ROW({columns})) FROM log.events WHERE position IN ({a}, {b})"
            )))
            .fetch_one(&world.admin)
            .await
            .unwrap();
            if differs.0 > 1 {
                world.found_after(&swap).await;
            }
        }
    }
    let heads = "UPDATE log.tree_heads t SET size = o.size FROM log.tree_heads o WHERE o.size <> t.size";
    assert_eq!(world.found_after(heads).await.0, BreakClass::CheckpointMismatch);
    let claims = "UPDATE log.claims t SET stream_id = o.stream_id FROM log.claims o WHERE t.scope = 'memo' AND o.scope = 'slug'";
    assert_eq!(world.found_after(claims).await.0, BreakClass::ClaimMismatch);
}

#[tokio::test]
async fn every_tail_cut_off_and_every_rewound_head_is_found() {
    let world = unconstrained().await;
    let end = world.log.head().await.unwrap().next_position;
    for size in (0..end).step_by(3) {
        let cut = format!("DELETE FROM log.events WHERE position >= {size}");
        assert_eq!(world.found_after(&cut).await, (BreakClass::LogTruncated, size), "cut to {size}");
        let rewind = head_of(&world, size).await;
        let (class, _) = world.found_after(&rewind).await;
        assert_eq!(class, BreakClass::HeadMismatch, "head rewound to {size}");
        if size < world.signed[1] {
            let both = format!("{cut}; {rewind}; DELETE FROM log.claims WHERE position >= {size}");
            assert_eq!(world.found_after(&both).await, (BreakClass::LogTruncated, size), "log rewound to {size}");
        }
    }
}
