//! The relay and the feed of the read models, on a real PostgreSQL and a real nats-server, through everything that may happen to
//! them. Each test ends with the same sentence: rebuilt equals live.

use events::{
    leader::Leases,
    relay::{self, RelayState, StreamConfig, frame},
};
use hilt_tests::{
    db::Database,
    nats::Nats,
    readers::{PATIENCE, Process, samples, until},
};
use projections::runner::{Deps, Progress, Projections, State};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn messages_may_be_missing_doubled_disordered_or_garbage() {
    let (database, nats) = (Database::fresh().await, Nats::start());
    let log = database.log().await;
    let stream = StreamConfig { prefix: "test".to_owned(), ..StreamConfig::default() };
    let context = async_nats::jetstream::new(nats.connect().await);
    let config = async_nats::jetstream::stream::Config { name: stream.name(), subjects: vec![stream.subjects()], ..Default::default() };
    until_made(&context, config).await;

    // Projections alone: this test plays the relay, badly.
    let pool = database.pool().await;
    let deps = Deps {
        leases: Leases::new(pool.clone()),
        vault: log.vault().clone(),
        nats: Some(nats.connect().await),
        log: log.clone(),
        pool,
        stream: stream.clone(),
    };
    let shutdown = CancellationToken::new();
    let projections = Projections::start(deps, shutdown.clone());
    let mut last = 0;
    for round in 0..10 {
        let (_, position) = samples(&log, 1).await;
        let mut page = log.read(last, 1_000).await.unwrap();
        last = position + 1;
        page.retain(|recorded| recorded.position % 5 != round % 5);
        if round % 2 == 0 {
            page.reverse();
        }
        for recorded in page.iter().chain(&page) {
            let body = frame::encode(recorded).unwrap();
            context.publish(stream.subject(recorded), body.into()).await.unwrap().await.unwrap();
        }
        context.publish("test.events.product.garbage", "no frame".into()).await.unwrap().await.unwrap();
        projections.wait_for_all(&projections.names(), position, PATIENCE).await.unwrap();
    }
    for name in projections.names() {
        assert_eq!(projections.compare(name, Progress::silent()).await.unwrap().differences, [], "{name}");
    }
    shutdown.cancel();
    projections.stopped().await;
}

async fn until_made(context: &async_nats::jetstream::Context, config: async_nats::jetstream::stream::Config) {
    let begun = Instant::now();
    while context.create_stream(config.clone()).await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "the stream is made in time");
        sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn a_process_killed_in_the_middle_of_a_batch_is_taken_over() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outer = runtime();
    let (database, nats) = (outer.block_on(Database::fresh()), Nats::start());
    for round in 0..4 {
        // A process dies with its runtime: no task of it gets to say goodbye, and its connections close.
        let inner = runtime();
        let process = inner.block_on(Process::start(&database, &nats));
        inner.block_on(samples(process.log(), 10));
        let log = process.log().clone();
        let load = inner.spawn(async move { samples(&log, 1_000).await });
        inner.block_on(async { sleep(Duration::from_millis(150 + 70 * round)).await });
        assert!(!load.is_finished());
        inner.shutdown_background();
    }
    outer.block_on(async {
        let begun = Instant::now();
        let process = Process::start(&database, &nats).await;
        let (_, position) = samples(process.log(), 1).await;
        process.caught_up(position).await;
        process.relayed(position).await;
        assert!(begun.elapsed() < Duration::from_secs(10), "taken over in seconds: {:?}", begun.elapsed());
        process.rebuilt_equals_live().await;
        process.stop().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_one_leads_and_the_other_takes_over() {
    let (database, nats) = (Database::fresh().await, Nats::start());
    let first = Process::start(&database, &nats).await;
    let (_, position) = samples(first.log(), 2).await;
    first.caught_up(position).await;
    let second = Process::start(&database, &nats).await;
    until("the second stands by", || second.projections.health().iter().all(|reader| reader.state == State::Standby)).await;
    assert_eq!(second.relay.health().state, RelayState::Standby);
    // Waiting works wherever the projection runs.
    let (_, position) = samples(second.log(), 1).await;
    second.caught_up(position).await;
    first.stop().await;
    let begun = Instant::now();
    let (_, position) = samples(second.log(), 1).await;
    second.caught_up(position).await;
    second.relayed(position).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "taken over in seconds: {:?}", begun.elapsed());
    assert_eq!(second.relay.health().state, RelayState::Leading);
    second.rebuilt_equals_live().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_may_be_away() {
    let (database, mut nats) = (Database::fresh().await, Nats::start());
    let process = Process::start(&database, &nats).await;
    let (_, position) = samples(process.log(), 2).await;
    process.caught_up(position).await;
    process.relayed(position).await;
    until("they stream", || process.projections.health().iter().all(|reader| reader.streaming)).await;

    nats.stop();
    let begun = Instant::now();
    let (_, position) = samples(process.log(), 2).await;
    process.caught_up(position).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "reads stay fresh without NATS: {:?}", begun.elapsed());
    until("the relay says so", || process.relay.health().state == RelayState::Retrying).await;
    assert!(process.relay.health().lag() > 0 && process.relay.health().last_error.is_some());

    nats.resume();
    process.relayed(position).await;
    assert_eq!(process.relay.health().lag(), 0);
    until("they stream again", || process.projections.health().iter().all(|reader| reader.streaming)).await;
    process.rebuilt_equals_live().await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_jetstream_may_be_lost() {
    let (database, mut nats) = (Database::fresh().await, Nats::start());
    let process = Process::start(&database, &nats).await;
    let (_, position) = samples(process.log(), 3).await;
    process.caught_up(position).await;
    process.relayed(position).await;

    // Deleted while running and idle, then while running and busy.
    let context = async_nats::jetstream::new(nats.connect().await);
    let name = process.deps.stream.name();
    context.delete_stream(&name).await.unwrap();
    until("the relay notices", || process.relay.health().refills == 1).await;
    context.get_stream(&name).await.expect("the stream is made again");
    context.delete_stream(&name).await.unwrap();
    let (_, position) = samples(process.log(), 5).await;
    process.caught_up(position).await;
    until_stream_ends_at(&context, &name, position).await;

    // The server loses its disk.
    nats.stop();
    nats.wipe();
    let (_, position) = samples(process.log(), 2).await;
    nats.resume();
    let begun = Instant::now();
    until_stream_ends_at(&context, &name, position).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "filled again in seconds: {:?}", begun.elapsed());
    let (_, position) = samples(process.log(), 2).await;
    process.caught_up(position).await;
    process.relayed(position).await;
    until("they stream again", || process.projections.health().iter().all(|reader| reader.streaming)).await;
    process.rebuilt_equals_live().await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_log_is_replaced() {
    let (first, second, nats) = (Database::fresh().await, Database::fresh().await, Nats::start());
    let process = Process::start(&first, &nats).await;
    let (_, position) = samples(process.log(), 5).await;
    process.relayed(position).await;
    process.stop().await;
    // Another, shorter log with the same prefix, as after a database was restored.
    let process = Process::start(&second, &nats).await;
    let (_, position) = samples(process.log(), 1).await;
    process.caught_up(position).await;
    let context = async_nats::jetstream::new(nats.connect().await);
    until_stream_ends_at(&context, &process.deps.stream.name(), position).await;
    process.rebuilt_equals_live().await;
    process.stop().await;
}

async fn until_stream_ends_at(context: &async_nats::jetstream::Context, name: &str, position: u64) {
    let begun = Instant::now();
    loop {
        if let Ok(stream) = context.get_stream(name).await
            && let Ok(last) = stream.get_raw_message(stream.cached_info().state.last_sequence).await
            && last.headers.get(relay::POSITION_HEADER).is_some_and(|value| value.as_str() == position.to_string())
        {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "the stream is filled in time");
        sleep(Duration::from_millis(50)).await;
    }
}
