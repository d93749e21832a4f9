//! The embedded stack as a person meets it: the real binary, real servers, real signals.

use hilt_tests::{
    processes::{Folder, children_of, hilt, servers_of},
    stack::{fresh_database, nats_url},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::Deserialize;
use sqlx::{Connection as _, PgConnection};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::{sleep, timeout},
};

/// Nothing here takes longer, even on a busy machine.
const BOUND: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Ready {
    admin_database_url: String,
    database_url: String,
    nats_url: String,
    data_dir: PathBuf,
}

/// A running `hilt stack`; killed with the value.
struct Running {
    child: Child,
    ready: Ready,
}

async fn start(data: &Path) -> Running {
    let mut command = hilt(&["stack", "--data-dir", data.to_str().unwrap()]);
    let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(BOUND, lines.next_line()).await.expect("the stack is up in time").unwrap().expect("the stack is up");
    Running { child, ready: serde_json::from_str(&line).unwrap() }
}

/// Runs to the end and returns what was said.
async fn run(mut command: Command) -> Output {
    timeout(BOUND, command.stdin(Stdio::null()).output()).await.expect("it ends in time").unwrap()
}

/// One line on standard error that holds `words`, and a failure.
fn assert_refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "expected “{words}”, got: {said}");
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let poll = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(BOUND, poll).await.unwrap_or_else(|_| panic!("{what} within {BOUND:?}"));
}

impl Running {
    fn server_pids(&self) -> Vec<i32> {
        servers_of(&self.ready.data_dir)
    }
    fn pid(&self) -> i32 {
        self.child.id().unwrap().try_into().unwrap()
    }
    async fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(timeout(BOUND, self.child.wait()).await.expect("it stops in time").unwrap().success());
    }
}

fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

/// A process that ended but was not reaped counts as ended.
fn lives(pid: i32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|arguments| !arguments.is_empty())
}

async fn remember(ready: &Ready) {
    let mut admin = PgConnection::connect(&ready.admin_database_url).await.unwrap();
    sqlx::query("CREATE TABLE kept AS SELECT 7 AS number").execute(&mut admin).await.unwrap();
    let jetstream = async_nats::jetstream::new(events::nats::connect(&ready.nats_url).await.unwrap());
    let stream = async_nats::jetstream::stream::Config { name: "kept".into(), ..Default::default() };
    jetstream.create_stream(stream).await.unwrap();
    jetstream.publish("kept", "seven".into()).await.unwrap().await.unwrap();
}

async fn assert_remembered(ready: &Ready) {
    let mut admin = PgConnection::connect(&ready.admin_database_url).await.unwrap();
    let number: i32 = sqlx::query_scalar("SELECT number FROM kept").fetch_one(&mut admin).await.unwrap();
    assert_eq!(number, 7);
    let jetstream = async_nats::jetstream::new(events::nats::connect(&ready.nats_url).await.unwrap());
    assert_eq!(jetstream.get_stream("kept").await.unwrap().cached_info().state.messages, 1);
}

#[tokio::test]
async fn a_second_start_finds_the_same_data_at_the_same_addresses() {
    let folder = Folder::new();
    let first = start(&folder.data()).await;
    remember(&first.ready).await;
    let (database, nats) = (first.ready.database_url.clone(), first.ready.nats_url.clone());
    let pids = first.server_pids();
    first.stop().await;
    assert!(!pids.iter().any(|pid| lives(*pid)), "a stop waits for the servers");

    let second = start(&folder.data()).await;
    assert_remembered(&second.ready).await;
    assert_eq!((&second.ready.database_url, &second.ready.nats_url), (&database, &nats));
    second.stop().await;
}

#[tokio::test]
async fn a_start_after_kill_9_of_everything_is_like_any_other() {
    let folder = Folder::new();
    let first = start(&folder.data()).await;
    remember(&first.ready).await;
    let servers = first.server_pids();
    let mut all = vec![first.pid()];
    all.extend(servers.iter().flat_map(|server| children_of(*server)));
    all.extend(&servers);
    for pid in all {
        // Some end by themselves as soon as they miss the others.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let second = start(&folder.data()).await;
    assert_remembered(&second.ready).await;
    second.stop().await;
}

#[tokio::test]
async fn a_start_gets_past_what_killed_servers_left_running() {
    let folder = Folder::new();
    let first = start(&folder.data()).await;
    remember(&first.ready).await;
    // A backend busy with a statement does not notice that its server was killed.
    let mut busy = PgConnection::connect(&first.ready.database_url).await.unwrap();
    let sleeper = tokio::spawn(async move {
        sqlx::query("SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS endless").execute(&mut busy).await.map(drop)
    });
    let postgres = first.server_pids()[0];
    until("the statement runs", async || {
        let busy = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|title| title.contains("SELECT"));
        children_of(postgres).iter().any(busy)
    })
    .await;
    send(first.pid(), Signal::SIGSTOP);
    for server in first.server_pids() {
        send(server, Signal::SIGKILL);
    }
    send(first.pid(), Signal::SIGKILL);
    let second = start(&folder.data()).await;
    assert_remembered(&second.ready).await;
    assert!(sleeper.await.unwrap().is_err());
    second.stop().await;
}

#[tokio::test]
async fn servers_end_with_a_killed_parent_and_do_not_hinder_the_next() {
    let folder = Folder::new();
    let first = start(&folder.data()).await;
    remember(&first.ready).await;
    let servers = first.server_pids();
    send(first.pid(), Signal::SIGKILL);
    let second = start(&folder.data()).await;
    assert!(!servers.iter().any(|pid| lives(*pid)));
    assert_remembered(&second.ready).await;
    let servers = second.server_pids();
    send(second.pid(), Signal::SIGKILL);
    until("orphaned servers end", async || !servers.iter().any(|pid| lives(*pid))).await;
}

#[tokio::test]
async fn ctrl_c_stops_the_servers_cleanly() {
    let folder = Folder::new();
    let mut running = start(&folder.data()).await;
    let servers = running.server_pids();
    send(running.pid(), Signal::SIGINT);
    assert!(timeout(BOUND, running.child.wait()).await.unwrap().unwrap().success());
    assert!(!servers.iter().any(|pid| lives(*pid)));
    assert!(!folder.data().join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_server_that_dies_comes_back_at_its_address() {
    let folder = Folder::new();
    let running = start(&folder.data()).await;
    remember(&running.ready).await;
    for server in running.server_pids() {
        send(server, Signal::SIGKILL);
    }
    let ready = &running.ready;
    until("PostgreSQL is back", async || PgConnection::connect(&ready.database_url).await.is_ok()).await;
    until("nats-server is back", async || events::nats::connect(&ready.nats_url).await.is_ok()).await;
    assert_remembered(ready).await;
    running.stop().await;
}

#[tokio::test]
async fn postgres_is_not_root_and_secrets_are_their_users_alone() {
    let folder = Folder::new();
    let running = start(&folder.data()).await;
    let postgres = running.server_pids()[0];
    assert_ne!(fs::metadata(format!("/proc/{postgres}")).unwrap().uid(), 0);
    for file in ["stack.json", "master.key", "hilt-data.json", "nats/nats.conf", "postgres.log", "nats.log"] {
        assert_eq!(fs::metadata(folder.data().join(file)).unwrap().mode() & 0o777, 0o600, "{file}");
    }
    // Others may at most pass through the directory.
    assert_eq!(fs::metadata(folder.data()).unwrap().mode() & 0o066, 0);
    running.stop().await;
}

#[tokio::test]
async fn the_service_cannot_do_what_the_owner_can() {
    let folder = Folder::new();
    let running = start(&folder.data()).await;
    remember(&running.ready).await;
    let mut service = PgConnection::connect(&running.ready.database_url).await.unwrap();
    let member: bool = sqlx::query_scalar("SELECT pg_has_role('hilt', 'hilt_service', 'MEMBER')").fetch_one(&mut service).await.unwrap();
    assert!(member);
    for refused in ["SELECT number FROM kept", "DROP TABLE kept", "CREATE ROLE more", "CREATE TABLE mine (x int)"] {
        assert!(sqlx::query(refused).execute(&mut service).await.is_err(), "{refused}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_foreign_directory_is_refused_and_left_alone() {
    let folder = Folder::new();
    fs::create_dir(folder.data()).unwrap();
    fs::write(folder.data().join("thesis.txt"), "words").unwrap();
    let output = run(hilt(&["stack", "--data-dir", folder.data().to_str().unwrap()])).await;
    assert_refused(&output, "is not a data directory of Hilt");
    assert_eq!(fs::read_dir(folder.data()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_second_start_on_a_running_stack_is_refused() {
    let folder = Folder::new();
    let running = start(&folder.data()).await;
    let output = run(hilt(&["stack", "--data-dir", folder.data().to_str().unwrap()])).await;
    assert_refused(&output, "is in use by another running hilt");
    assert!(PgConnection::connect(&running.ready.database_url).await.is_ok());
    running.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_refused_before_anything_is_made() {
    let folder = Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut command = hilt(&["dev", "--once"]);
    command.env("HILT_LISTEN", &address).env("HILT_DATA_DIR", folder.data());
    assert_refused(&run(command).await, &format!("{address} is already in use"));
    assert!(!folder.data().exists());
}

/// As root the servers' user cannot enter a directory below one that is root's alone, such as /root.
#[tokio::test]
async fn below_a_closed_directory_postgres_lives_elsewhere() {
    let folder = Folder::new();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o700)).unwrap();
    let data = folder.data();
    start(&data).await.stop().await;
    let marker: serde_json::Value = serde_json::from_slice(&fs::read(data.join("hilt-data.json")).unwrap()).unwrap();
    let place = data.join(marker["postgres"].as_str().unwrap());
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    assert_eq!(place.starts_with(&data), !is_root);
    let output = run(hilt(&["stack", "--throw-away", "--data-dir", data.to_str().unwrap()])).await;
    assert!(output.status.success());
    assert!(!data.exists() && !place.join("postgres").exists());
}

#[tokio::test]
async fn a_command_gets_the_stack_and_gives_its_exit_code() {
    let folder = Folder::new();
    let data = folder.data();
    let script = "test -n \"$HILT_TEST_ADMIN_URL$HILT_TEST_SERVICE_URL$HILT_TEST_NATS_URL\" && exit 7";
    let output = run(hilt(&["stack", "--throw-away", "--data-dir", data.to_str().unwrap(), "--", "sh", "-c", script])).await;
    assert_eq!(output.status.code(), Some(7));
    assert!(!data.exists());
}

#[tokio::test]
async fn every_test_has_a_database_of_its_own() {
    let (one, other) = (fresh_database().await, fresh_database().await);
    let mut admin = PgConnection::connect(&one.admin_url).await.unwrap();
    sqlx::query("CREATE TABLE kept (x int)").execute(&mut admin).await.unwrap();
    let mut elsewhere = PgConnection::connect(&other.service_url).await.unwrap();
    let found: bool = sqlx::query_scalar("SELECT to_regclass('kept') IS NOT NULL").fetch_one(&mut elsewhere).await.unwrap();
    assert!(!found && one.name != other.name);
    events::nats::connect(&nats_url()).await.unwrap();

    let gone = one.admin_url.clone();
    drop((admin, one));
    let dropped = async {
        while PgConnection::connect(&gone).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), dropped).await.expect("the database goes with the value");
}
