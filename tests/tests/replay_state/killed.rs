//! A rebuild beside the live read models that is killed in the middle, as by `kill -9` or a power cut: the live ones are as they were, and
//! doing it again finishes.

use crate::scene::{Scene, scene};
use hilt_tests::{app::SOON, processes::binary};
use sqlx::AssertSqlSafe;
use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Where the command is held in the middle of its work.
const HELD_AT: &str = "payments";

/// `hilt-replay rebuild --shadow` of every read model.
fn rebuild(scene: &Scene) -> Command {
    let mut command = Command::new(binary("hilt-replay"));
    command.args(["rebuild", "--shadow", "--all", "--json"]).env_clear();
    command.env("HILT_DATABASE_URL", scene.database.service_url()).env("HILT_MASTER_KEY", "07".repeat(32));
    command.current_dir(std::env::temp_dir()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Scene {
    /// Every slot that there is, and what the live tables hold.
    async fn picture(&self) -> (Vec<(String, String, i64)>, Vec<Vec<(uuid::Uuid, serde_json::Value)>>) {
        let slots = sqlx::query_as("SELECT slot, state, checkpoint FROM projections.slots ORDER BY slot").fetch_all(&self.admin).await;
        let mut tables = Vec::new();
        for definition in projections::ALL {
            tables.push(self.live(definition.name).await);
        }
        (slots.unwrap(), tables)
    }

    /// Schemas of slots, listed or not.
    async fn schemas(&self) -> Vec<String> {
        let query = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^p[0-9]+_' ORDER BY nspname";
        sqlx::query_scalar(query).fetch_all(&self.admin).await.unwrap()
    }

    /// Waits until so many connections of the command are in the database, of those that this is true of.
    async fn until_connections(&self, are: impl Fn(i64) -> bool, which: &str) {
        let query = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hilt-replay' AND {which}"
        );
        let deadline = Instant::now() + SOON;
        loop {
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(query.clone())).fetch_one(&self.admin).await.unwrap();
            if are(count) {
                return;
            }
            assert!(Instant::now() < deadline, "{count} connections");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_rebuild_that_is_killed_midway_leaves_the_live_models_and_is_done_again() {
    let scene = scene().await;
    let (before, schemas) = (scene.picture().await, scene.schemas().await);

    // Held where its build stands complete beside the live one, which it has to lock to compare the two.
    let mut held = scene.admin.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM projections.slots WHERE name = $1 AND state = 'live' FOR UPDATE")
        .bind(HELD_AT)
        .fetch_one(&mut *held)
        .await
        .unwrap();
    let mut command = rebuild(&scene).spawn().unwrap();
    scene.until_connections(|count| count > 0, "pid IN (SELECT pid FROM pg_locks WHERE NOT granted)").await;
    command.kill().unwrap();
    command.wait().unwrap();
    held.rollback().await.unwrap();
    scene.until_connections(|count| count == 0, "true").await;

    let (slots, tables) = scene.picture().await;
    let live = |slots: &[(String, String, i64)]| slots.iter().filter(|(_, state, _)| state == "live").cloned().collect::<Vec<_>>();
    assert_eq!((live(&slots), &tables), (live(&before.0), &before.1), "the live read models are as they were");
    let left: Vec<&(String, String, i64)> = slots.iter().filter(|(_, state, _)| state != "live").collect();
    assert!(matches!(&left[..], [(slot, state, _)] if slot.contains(HELD_AT) && state == "candidate"), "killed midway: {left:?}");

    let output = rebuild(&scene).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &said["ok"]), (Some(0), &true.into()), "{said}");
    let models = said["models"].as_array().unwrap();
    assert_eq!(models.len(), projections::ALL.len());
    assert!(models.iter().all(|model| model["before"] == model["after"] && model["differing"] == 0 && model["swapped"] == false), "{said}");
    scene.until_connections(|count| count == 0, "true").await;
    assert_eq!(scene.picture().await, before, "and nothing is left behind");
    assert_eq!(scene.schemas().await, schemas);
}
