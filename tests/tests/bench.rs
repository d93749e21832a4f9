//! `hilt bench` as it is run: what it prints adds up, and it never writes into a database that is there already. How fast anything is
//! is not for a test to say.
#![allow(clippy::float_arithmetic, reason = "figures of a measurement, never money")]

use hilt_tests::{
    processes::{binary, hilt},
    stack::nats_url,
};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use std::{env, process::Output};
use tokio::sync::Mutex;

/// The scratch database has one name, so that a second run is refused: here they wait for each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

fn admin_url() -> String {
    env::var("HILT_TEST_ADMIN_URL").unwrap()
}

async fn bench(arguments: &[&str]) -> Output {
    let mut command = hilt(&[&["bench"], arguments].concat());
    command.env("HILT_ADMIN_DATABASE_URL", admin_url()).env("HILT_NATS_URL", nats_url());
    command.output().await.unwrap()
}

/// The one line that `hilt bench … --json` prints; nothing is left behind.
async fn measured(arguments: &[&str]) -> Value {
    let output = bench(&[arguments, &["--json"]].concat()).await;
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), 1);
    let mut admin = PgConnection::connect(&admin_url()).await.unwrap();
    let left: (bool,) =
        sqlx::query_as("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'hilt_bench')").fetch_one(&mut admin).await.unwrap();
    assert!(!left.0, "nothing is left behind");
    let report: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!(report["bench"], arguments[0]);
    report
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("{name} is a number in {value}"))
}

/// A turn's figures agree with one another.
fn assert_turn(turn: &Value) {
    assert!(number(turn, "count") > 0.0 && number(turn, "seconds") > 0.0, "{turn}");
    assert!((number(turn, "count") / number(turn, "seconds") / number(turn, "per_second") - 1.0).abs() < 1e-6, "{turn}");
    for spent in ["client_cpu_seconds", "server_cpu_seconds", "other_cpu_seconds"] {
        assert!(number(turn, spent) >= 0.0, "{turn}");
    }
    let [half, most, almost_all] = ["p50_us", "p99_us", "p999_us"].map(|name| number(turn, name));
    assert!(half <= most && most <= almost_all, "{turn}");
    assert!(number(turn, "peak_memory_bytes") > f64::from(1 << 20), "{turn}");
}

/// A measurement and its floor did the same, and the ratio is theirs.
fn assert_compared(report: &Value, turns: usize) {
    let (measured, floor) = (&report["measured"], &report["floor"]);
    for turn in [measured, floor] {
        assert_turn(turn);
    }
    let ratio = number(measured, "per_second") / number(floor, "per_second");
    assert!((number(report, "ratio") / ratio - 1.0).abs() < 1e-6, "{report}");
    let ratios: Vec<f64> = report["ratios"].as_array().unwrap().iter().map(|ratio| ratio.as_f64().unwrap()).collect();
    assert!(ratios.len() == turns && ratios.is_sorted() && ratios[turns / 2] == number(report, "ratio"), "{report}");
}

#[tokio::test]
async fn verification_is_measured_beside_its_floor_in_a_scratch_database() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut admin = PgConnection::connect(&admin_url()).await.unwrap();
    sqlx::raw_sql("CREATE DATABASE hilt_bench TEMPLATE template0").execute(&mut admin).await.unwrap();
    let refused = bench(&["verify", "--events", "100"]).await;
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a database named hilt_bench exists"), "{refused:?}");
    sqlx::raw_sql("DROP DATABASE hilt_bench").execute(&mut admin).await.unwrap();

    let report = measured(&["verify", "--events", "500", "--turns", "1"]).await;
    let (verify, floor) = (&report["verify"], &report["floor"]);
    assert!(report["events"].as_u64().unwrap() >= 500);
    assert!(report["receipts"].as_u64().unwrap() >= 30);
    assert_eq!((&verify["root"], &verify["events"]), (&floor["root"], &floor["events"]), "both read the same log to the end");
    for turn in [verify, floor] {
        assert!(turn["client_cpu_seconds"].as_f64().unwrap() >= 0.0 && turn["peak_memory_bytes"].as_u64().unwrap() > 1 << 20, "{turn}");
    }
}

#[tokio::test]
async fn rebuilding_is_measured_beside_copies_of_the_same_rows() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let report = measured(&["rebuild", "--events", "300", "--turns", "1"]).await;
    assert_compared(&report, 1);
    assert!(report["events"].as_u64().unwrap() >= 300);
    assert_eq!(report["measured"]["count"], report["floor"]["count"], "both read the same log to the end");
    let names = |turn: &str| -> Vec<String> {
        let mut names: Vec<String> =
            report[turn]["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("measured"), names("floor"), "the floor holds every read model that was rebuilt");
    let rows: u64 = report["floor"]["parts"].as_array().unwrap().iter().map(|part| part["rows"].as_u64().unwrap()).sum();
    assert_eq!(report["rows"].as_u64().unwrap(), rows);
    assert!(rows > 100, "each payment leaves rows in several read models");
}

#[tokio::test]
async fn the_relay_is_measured_beside_bare_publishing() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let report = measured(&["relay", "--events", "300", "--turns", "1", "--payments", "20", "--seconds", "1"]).await;
    assert_compared(&report, 1);
    assert_eq!(report["measured"]["count"], report["floor"]["count"], "the same events are published");
    for turn in [&report["saturation"], &report["half"]] {
        assert_turn(turn);
    }
    assert!(number(&report["half"], "p50_us") > 0.0, "the way to a row was timed");
    let client = events::nats::connect(&nats_url()).await.unwrap();
    assert!(async_nats::jetstream::new(client).get_stream("hilt_bench_events").await.is_err(), "the stream is gone");
}

#[tokio::test]
async fn webhooks_are_measured_beside_bare_posts() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let arguments = ["webhooks", "--endpoints", "2", "--deliveries", "40", "--turns", "1", "--rate", "20", "--seconds", "1"];
    let report = measured(&arguments).await;
    assert_compared(&report, 1);
    assert_eq!((&report["measured"]["count"], &report["floor"]["count"]), (&40.into(), &40.into()));
    assert!(report["body_bytes"].as_u64().unwrap() > 200, "messages were delivered, whole");
    assert_turn(&report["steady"]);
    assert_eq!(report["steady"]["count"], 20, "every event was told to both receivers, once");
    assert!(number(&report["steady"], "p50_us") > 0.0);
}

#[tokio::test]
async fn lifecycles_are_measured_beside_their_bare_appends() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let arguments = ["lifecycle", "--clients", "4", "--lifecycles", "40", "--seconds", "1", "--turns", "1"];
    let report = measured(&arguments).await;
    assert_compared(&report, 1);
    assert_eq!((&report["measured"]["count"], &report["floor"]["count"]), (&40.into(), &40.into()));
    assert_eq!(report["appends_each"], 4);
    assert!(report["events_each"].as_u64().unwrap() >= 15, "from the session to the delivered webhook");
    assert_compared(&report["sessions"], 1);
    assert_eq!(report["sessions"]["events_each"], 4, "a session, its payment, its requirement and the entitlement that waits");
}

#[tokio::test]
async fn appends_are_measured_beside_the_same_rows_written_bare() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let report = measured(&["append", "--clients", "4", "--events", "200", "--stream", "1", "--present", "450", "--turns", "1"]).await;
    assert_eq!(report["events"], 200);
    for name in ["events_per_second", "floor_events_per_second", "peak_memory_bytes", "p50_us", "batch"] {
        assert!(number(&report, name) > 0.0, "{name} in {report}");
    }
    let ratio = number(&report, "events_per_second") / number(&report, "floor_events_per_second");
    assert!((number(&report, "ratio") / ratio - 1.0).abs() < 1e-6, "{report}");
    for alone in [&report["lone"], &report["lone_floor"]] {
        assert!(number(alone, "p50_us") > 0.0 && number(alone, "p50_us") <= number(alone, "p99_us"), "{alone}");
    }
}

/// The driver of other event stores, for a second each. The crate among them has a build of its own and is left out.
#[tokio::test]
async fn peers_are_measured_beside_the_log() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let arguments = ["--clients", "4", "--seconds", "1", "--events", "100", "--rounds", "1", "--only", "hilt,message-db,insert,emmett"];
    let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/run.mjs");
    let mut command = tokio::process::Command::new("node");
    command.arg(driver).args(arguments).env("HILT_BIN", binary("hilt")).env("HILT_ADMIN_DATABASE_URL", admin_url());
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<Value> = String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = lines.iter().map(|line| line["peer"].as_str().unwrap()).collect();
    assert_eq!(names, ["hilt", "message-db", "insert", "emmett"]);
    let log = number(&lines[0], "events_per_second");
    for peer in &lines[1..] {
        assert!(number(peer, "events") > 0.0 && number(peer, "p50_us") <= number(peer, "p99_us"), "{peer}");
        assert!((number(peer, "hilt_over_peer") * number(peer, "events_per_second") / log - 1.0).abs() < 1e-6, "{peer}");
    }
}
