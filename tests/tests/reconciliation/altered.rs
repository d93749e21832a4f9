//! A statement on record that somebody altered afterwards, in the log or in the read model: found and named. And the command itself.

use crate::scene::{Asked, Scene};
use events::vocab::{
    id::StatementId,
    stream::{Category, Recorded, StreamId},
};
use hilt_tests::processes::{Folder, binary};
use replay_tool::{BreakClass, Failure, Numbers, VerifyOptions, verify, verify_state};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use std::process::Command;

/// One payment, its statement, and the statement's events.
async fn imported() -> (Scene, StatementId, Vec<u8>, Vec<Recorded>) {
    let scene = Scene::start(1).await;
    let file = scene.statement_of(&scene.merchant).await;
    let imported = scene.import(&Asked::of(&scene.merchant), &file).await.ok();
    let id: StatementId = imported["statement_id"].as_str().unwrap().parse().unwrap();
    let stream = scene.app.state.log.read_stream(StreamId::new(Category::Statement, id), 0).await.unwrap();
    (scene, id, file, stream)
}

/// Turns a bit over, as a superuser who has switched the guards off.
async fn flip(admin: &PgPool, position: u64, byte: usize) {
    let change = format!(
        "BEGIN; ALTER TABLE log.events DISABLE TRIGGER USER;
         UPDATE log.events SET payload = set_byte(payload, {byte}, get_byte(payload, {byte}) # 1) WHERE position = {position};
         ALTER TABLE log.events ENABLE ALWAYS TRIGGER append_only; COMMIT"
    );
    sqlx::raw_sql(AssertSqlSafe(change)).execute(admin).await.unwrap();
}

fn place(payload: &[u8], of: &[u8]) -> usize {
    payload.windows(of.len()).position(|window| window == of).expect("the payload holds it") + of.len() - 1
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_digest_line_or_total_of_the_log_breaks_its_leaf() {
    let (scene, _, file, stream) = imported().await;
    let admin = scene.app.database.admin_pool().await;
    let digest = events::vocab::bytes::Hash32::of(&file);
    let [header, entries] = &stream[..] else { panic!("a header and its entries") };
    // What follows the name in MessagePack: 24,750,000 in four bytes behind one that says so.
    let amount = 24_750_000_u32.to_be_bytes();
    for (event, byte, what) in [
        (header, place(&header.payload, &digest.0), "the digest"),
        (header, place(&header.payload, &amount), "a total"),
        (entries, place(&entries.payload, &amount), "a line's amount"),
        (entries, place(&entries.payload, b"matched"), "a status"),
    ] {
        flip(&admin, event.position, byte).await;
        match verify(&admin, &VerifyOptions::default(), &|_| {}).await {
            Err(Failure::Broken(found)) => {
                assert_eq!((found.class, found.position), (BreakClass::LeafMismatch, event.position), "{what}: {found}");
            }
            other => panic!("{what}: nothing broken was found: {other:?}"),
        }
        flip(&admin, event.position, byte).await;
    }
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_row_is_refused_by_its_table_or_found_by_the_replay() {
    let (scene, id, _, _) = imported().await;
    scene.app.caught_up().await;
    let admin = scene.app.database.admin_pool().await;
    let table = async |name: &str| {
        let query = "SELECT slot FROM projections.slots WHERE name = $1 AND state = 'live'";
        let slot: String = sqlx::query_scalar(query).bind(name).fetch_one(&admin).await.unwrap();
        format!("{slot}.{name}")
    };
    let (statements, entries) = (table("statements").await, table("statement_entries").await);
    let run = async |change: String| sqlx::raw_sql(AssertSqlSafe(change)).execute(&admin).await;
    for (table, change) in [
        (&statements, "sums = jsonb_set(sums, '{difference}', '\"5\"')"),
        (&statements, "sums = jsonb_set(sums, '{ledger_total}', '\"5\"')"),
        (&statements, "sums = jsonb_set(sums, '{statement_only,statement}', '\"5\"')"),
        (&entries, "statement_amount = '5'"),
        (&entries, "status = 'statement_only'"),
        (&entries, "ledger_amount = NULL"),
    ] {
        let refused = run(format!("UPDATE {table} SET {change}")).await.unwrap_err();
        assert!(refused.to_string().contains("check constraint"), "{change}: {refused}");
    }
    for (table, name, change) in [
        (&statements, "statements", "digest = repeat('0', 64)"),
        (&entries, "statement_entries", "statement_amount = '5', ledger_amount = '5'"),
    ] {
        run(format!("CREATE TABLE public.kept AS SELECT * FROM {table}; UPDATE {table} SET {change}")).await.unwrap();
        match verify_state(scene.app.state.log.pool(), &[], Numbers::PassBy, &|_| {}).await {
            Err(Failure::Broken(found)) => {
                assert_eq!(found.class, BreakClass::ProjectionMismatch, "{found}");
                assert!(found.detail.starts_with(&format!("{name}: row ")), "{found}");
            }
            other => panic!("{change}: nothing broken was found: {other:?}"),
        }
        run(format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM public.kept; DROP TABLE public.kept")).await.unwrap();
    }
    command(&scene, id).await;
    scene.app.close().await;
}

/// What the program prints, and how it ends.
async fn command(scene: &Scene, id: StatementId) {
    let folder = Folder::new();
    let path = |name: &str, file: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, file).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let file = scene.statement_of(&scene.merchant).await;
    let (right, altered, broken) = (path("right", &file), path("altered", &[&file[..], b" "].concat()), path("broken", b"[7]"));
    let asked = Asked::of(&scene.merchant);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(binary("hilt-replay"));
        command.args(arguments).env_clear().env("HILT_DATABASE_URL", scene.app.database.service_url());
        let output = command.current_dir(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let of_file = |file: &str, more: &[&str]| {
        let arguments = ["reconcile", "--statement", file, "--source", "solana_usdc", "--account", &asked.account, "--asset", "USDC"];
        let period = ["--from", &asked.from, "--to", &asked.to, "--format", "solana_rpc"];
        run(&[&arguments[..], &period, more].concat())
    };
    let (code, text, _) = of_file(&right, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("Reconciled.\n") && text.contains("holds against its file and the log"), "{text}");
    assert!(text.lines().any(|line| line.split_whitespace().eq(["matched", "1", "24.750000", "24.750000"])), "{text}");

    let (code, text, _) = run(&["reconcile", "--recorded", &id.to_string(), "--statement", &altered, "--json"]);
    let said: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &said["ok"], &said["break"]["class"]), (Some(75), &json!(false), &json!("RECONCILIATION_MISMATCH")));
    let (code, _, told) = of_file(&broken, &[]);
    assert_eq!(
        (code, told.trim()),
        (Some(2), "hilt-replay: item 1, field transaction.signatures: is a transaction's signature: base58 of exactly 64 bytes")
    );
    let (code, text, _) = of_file(&right, &["--json"]);
    let said: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &said["reconciled"], &said["statement_id"]), (Some(0), &json!(true), &json!(id)));
    let (code, text, _) = run(&["reconcile", "--recorded", &id.to_string()]);
    assert!(code == Some(0) && text.contains("holds against its lines and the log"), "{text}");
    assert_eq!(run(&["reconcile", "--statement", &right]).0, Some(2), "what it is a statement of is needed");
}
