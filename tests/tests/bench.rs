//! `hilt bench` as it is run: what it prints adds up, and it never writes into a database that is there already.

use hilt_tests::processes::hilt;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use std::{env, process::Output};

async fn bench(arguments: &[&str]) -> Output {
    let mut command = hilt(&[&["bench"], arguments].concat());
    command.env("HILT_ADMIN_DATABASE_URL", env::var("HILT_TEST_ADMIN_URL").unwrap());
    command.output().await.unwrap()
}

#[tokio::test]
async fn verification_is_measured_beside_its_floor_in_a_scratch_database() {
    let mut admin = PgConnection::connect(&env::var("HILT_TEST_ADMIN_URL").unwrap()).await.unwrap();
    sqlx::raw_sql("CREATE DATABASE hilt_bench TEMPLATE template0").execute(&mut admin).await.unwrap();
    let refused = bench(&["verify", "--events", "100"]).await;
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a database named hilt_bench exists"), "{refused:?}");
    sqlx::raw_sql("DROP DATABASE hilt_bench").execute(&mut admin).await.unwrap();

    let output = bench(&["verify", "--events", "500", "--turns", "1", "--json"]).await;
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), 1);
    let report: Value = serde_json::from_str(&lines).unwrap();
    let (verify, floor) = (&report["verify"], &report["floor"]);
    assert!(report["events"].as_u64().unwrap() >= 500);
    assert!(report["receipts"].as_u64().unwrap() >= 30);
    assert_eq!((&verify["root"], &verify["events"]), (&floor["root"], &floor["events"]), "both read the same log to the end");
    for turn in [verify, floor] {
        assert!(turn["client_cpu_seconds"].as_f64().unwrap() >= 0.0 && turn["peak_memory_bytes"].as_u64().unwrap() > 1 << 20, "{turn}");
    }
    let left: (bool,) =
        sqlx::query_as("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'hilt_bench')").fetch_one(&mut admin).await.unwrap();
    assert!(!left.0, "nothing is left behind");
}
