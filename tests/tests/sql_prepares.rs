//! Every SQL statement of the workspace is accepted by a migrated database.

use hilt_tests::db::Database;
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};
use std::path::{Path, PathBuf};

fn statements(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            // The migrations make the schema; the rest is not ours.
            if !["migrations", "target", "node_modules"].contains(&name) && !name.starts_with('.') {
                statements(&path, found);
            }
        } else if name.ends_with(".sql") {
            found.push(path);
        }
    }
}

#[tokio::test]
async fn every_statement_prepares() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    statements(workspace, &mut files);
    files.sort();
    assert!(files.len() > 20, "found only {} statements", files.len());
    let database = Database::fresh().await;
    let pool = database.admin_pool().await;
    let mut connection = pool.acquire().await.unwrap();
    // Each read model makes its tables in a schema of its own, which is then first in the search path; here they share one. The bench has a table beside the log.
    sqlx::raw_sql("CREATE SCHEMA models; SET search_path = models, public").execute(&mut *connection).await.unwrap();
    let (schemas, statements): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| file.ends_with("schema.sql") || file.ends_with("make_floor.sql"));
    for file in schemas {
        let sql = std::fs::read_to_string(file).unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    let mut failures = Vec::new();
    for file in statements {
        let sql = std::fs::read_to_string(file).unwrap();
        // Statements about whole databases, made for a name.
        if sql.contains("{name}") {
            continue;
        }
        if let Err(error) = connection.prepare(AssertSqlSafe(sql).into_sql_str()).await {
            failures.push(format!("{}: {error}", file.strip_prefix(workspace).unwrap().display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
