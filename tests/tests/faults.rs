//! Faults of whole processes under load: the real binary, its database and its nats-server are killed, cut off and robbed of
//! their files while clients write. After each, nothing is lost, nothing doubled, and rebuilt equals live.
//!
//! The seconds to recover are printed (`--nocapture` shows them); they are those of a build with debug assertions.

#[path = "faults/after.rs"]
mod after;
#[path = "faults/load.rs"]
mod load;
#[path = "faults/service.rs"]
mod service;

use after::nothing_lost_nothing_doubled;
use hilt_tests::{
    nats::Nats,
    processes::{Folder, children_of, free_port, hilt, servers_of},
};
use load::Load;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use service::{MASTER_KEY, PATIENCE, Place, Service, leads, streams_at};
use sqlx::{Connection as _, PgConnection};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// What "within seconds" means, on a busy machine and without optimisation.
const SECONDS: Duration = Duration::from_secs(20);

fn recovered(what: &str, took: Duration) {
    println!("{what}: {:.2} s", took.as_secs_f64());
    assert!(took < SECONDS, "{what}: {took:?}");
}

async fn last_position(place: &Place) -> u64 {
    place.database.log().await.head().await.unwrap().next_position - 1
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_the_service_three_times_under_load() {
    let nats = Nats::start();
    let place = Place::new(&nats).await;
    let key = place.sandbox_key().await;
    let mut service = place.start_ready().await;
    let load = Load::start(&[&service.base_url], &key).await;
    for _ in 0..3 {
        load.more(60).await;
        let port = service.port();
        service.kill().await;
        service = place.start(port);
        recovered("killed service, from its start to ready", service.ready().await);
        load.more(1).await;
        recovered("killed service, until it leads again", service.until("it leads", leads).await);
    }
    load.more(30).await;
    let bought = load.finish().await;
    nothing_lost_nothing_doubled(place.database.service_url(), MASTER_KEY, &bought).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_one_is_killed_and_the_other_takes_over() {
    let nats = Nats::start();
    let place = Place::new(&nats).await;
    let key = place.sandbox_key().await;
    let mut first = place.start_ready().await;
    first.until("it leads", leads).await;
    let mut second = place.start_ready().await;
    let load = Load::start(&[&first.base_url, &second.base_url], &key).await;
    load.more(60).await;
    assert!(second.health().await.is_some_and(|(ready, health)| ready && !leads(&health)), "one leads");

    first.kill().await;
    let begun = Instant::now();
    load.more(1).await;
    recovered("one of two killed, until the next write", begun.elapsed());
    second.until("it leads", leads).await;
    recovered("one of two killed, until the other leads", begun.elapsed());
    let position = last_position(&place).await;
    second.until("it goes on", |health| streams_at(health, position)).await;
    load.more(60).await;
    let bought = load.finish().await;
    nothing_lost_nothing_doubled(place.database.service_url(), MASTER_KEY, &bought).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_one_freezes_in_the_middle_of_an_append() {
    let nats = Nats::start();
    let place = Place::new(&nats).await;
    let key = place.sandbox_key().await;
    let mut first = place.start_ready().await;
    first.until("it leads", leads).await;
    let mut second = place.start_ready().await;
    let load = Load::start(&[&first.base_url, &second.base_url], &key).await;
    load.more(40).await;

    freeze_with_the_head_locked(&first, &place, &load).await;
    let begun = Instant::now();
    load.more(10).await;
    recovered("one of two frozen with the head locked, until the next writes", begun.elapsed());
    second.until("it leads", leads).await;
    recovered("one of two frozen, until the other leads", begun.elapsed());
    load.more(40).await;
    kill(Pid::from_raw(first.pid()), Signal::SIGCONT).unwrap();
    first.ready().await;
    load.more(40).await;
    let bought = load.finish().await;
    nothing_lost_nothing_doubled(place.database.service_url(), MASTER_KEY, &bought).await;
}

/// Stops the process at moments of its own choosing until one is within a transaction that holds up the others.
async fn freeze_with_the_head_locked(service: &Service, place: &Place, load: &Load) {
    let mut own = PgConnection::connect(place.database.service_url()).await.unwrap();
    let pid = Pid::from_raw(service.pid());
    for _ in 0..200 {
        kill(pid, Signal::SIGSTOP).unwrap();
        // Nobody who runs stays idle in a transaction for so long.
        sleep(Duration::from_millis(250)).await;
        let locked: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hilt writer'
             AND state = 'idle in transaction' AND state_change < clock_timestamp() - interval '200 milliseconds')",
        )
        .fetch_one(&mut own)
        .await
        .unwrap();
        if locked {
            return;
        }
        kill(pid, Signal::SIGCONT).unwrap();
        load.more(3).await;
    }
    panic!("no moment with the head locked was met");
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_is_away_for_a_while_and_then_loses_everything() {
    let mut nats = Nats::start();
    let place = Place::new(&nats).await;
    let key = place.sandbox_key().await;
    let mut service = place.start_ready().await;
    let load = Load::start(&[&service.base_url], &key).await;
    load.more(40).await;
    for loses_everything in [false, true] {
        nats.stop();
        load.more(60).await;
        let position = last_position(&place).await;
        service.until("read models go on without it", |health| models_at(health, position)).await;
        if loses_everything {
            nats.wipe();
        }
        nats.resume();
        let position = last_position(&place).await;
        let took = service.until("all goes through JetStream again", |health| streams_at(health, position)).await;
        recovered(if loses_everything { "all of JetStream deleted" } else { "nats-server away" }, took);
    }
    load.more(40).await;
    let bought = load.finish().await;
    let position = last_position(&place).await;
    service.until("JetStream holds the last event", |health| streams_at(health, position) && health["relay"]["refills"] == 1).await;
    nothing_lost_nothing_doubled(place.database.service_url(), MASTER_KEY, &bought).await;
}

fn models_at(health: &serde_json::Value, position: u64) -> bool {
    let reached = |one: &serde_json::Value| one["checkpoint"].as_u64().is_some_and(|at| at >= position);
    health["projections"].as_array().is_some_and(|all| all.iter().all(reached))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_closes_every_connection_under_load() {
    let nats = Nats::start();
    let place = Place::new(&nats).await;
    let key = place.sandbox_key().await;
    let mut service = place.start_ready().await;
    let load = Load::start(&[&service.base_url], &key).await;
    let mut own = PgConnection::connect(place.database.service_url()).await.unwrap();
    for _ in 0..3 {
        load.more(40).await;
        let closed = sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()",
        );
        assert!(closed.execute(&mut own).await.unwrap().rows_affected() > 0);
        let begun = Instant::now();
        load.more(1).await;
        recovered("all connections closed, until the next write", begun.elapsed());
        service.until("it leads again", leads).await;
        recovered("all connections closed, until it leads", begun.elapsed());
    }
    load.more(40).await;
    let bought = load.finish().await;
    nothing_lost_nothing_doubled(place.database.service_url(), MASTER_KEY, &bought).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_the_whole_embedded_stack_under_load() {
    api::app::install_tls();
    let folder = Folder::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let mut service = dev(&folder, &listen);
    let file = dev_file(&mut service, &folder.data()).await;
    let text = |name: &str| file[name].as_str().unwrap().to_owned();
    let load = Load::start(&[&service.base_url], &text("sandbox_key")).await;
    for _ in 0..3 {
        load.more(60).await;
        kill_all(&service, &folder.data());
        service.kill().await;
        let begun = Instant::now();
        service = dev(&folder, &listen);
        service.ready().await;
        recovered("everything killed, from the start to ready", begun.elapsed());
        // The file that the killed one left is gone by now.
        let again = dev_file(&mut service, &folder.data()).await;
        assert!(again["sandbox_key"] == file["sandbox_key"] && again["database_url"] == file["database_url"]);
    }
    load.more(60).await;
    let bought = load.finish().await;
    let master_key = fs::read_to_string(folder.data().join("master.key")).unwrap();
    let master_key: [u8; 32] = hex::decode(master_key.trim()).unwrap().try_into().unwrap();
    nothing_lost_nothing_doubled(&text("database_url"), master_key, &bought).await;
}

fn dev(folder: &Folder, listen: &str) -> Service {
    let mut command = hilt(&["dev"]);
    command.env("HILT_LISTEN", listen).env("HILT_DATA_DIR", folder.data()).env("HILT_LOG", "warn");
    Service::spawn(command, listen, folder.0.join("said.log"))
}

/// What `hilt dev` writes when it is up.
async fn dev_file(service: &mut Service, data: &Path) -> serde_json::Value {
    let begun = Instant::now();
    loop {
        if let Ok(text) = fs::read(data.join("dev.json")) {
            return serde_json::from_slice(&text).unwrap();
        }
        let health = service.health().await;
        assert!(begun.elapsed() < PATIENCE, "the stack is up in time: {health:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn kill_all(service: &Service, data: &Path) {
    let servers = servers_of(data);
    let backends = servers.iter().flat_map(|server| children_of(*server));
    for pid in [service.pid()].into_iter().chain(backends).chain(servers.iter().copied()) {
        // Some end by themselves as soon as they miss the others.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}
