//! The feed: what a receiver that was away catches up from, and how he knows that he missed nothing.

use super::scene::{Scene, eventually};
use events::vocab::{id::EventId, words::WebhookEvent};
use hilt_tests::receiver::Answer;
use ledger::webhook_delivery::WebhookDelivery;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const ALL: &[WebhookEvent] = &[WebhookEvent::PaymentConfirmed, WebhookEvent::ReceiptCreated, WebhookEvent::MembershipActivated];

/// What a receiver keeps of what it was told, as the documentation says: each `sequence` with the one before it.
#[derive(Clone, Default)]
struct Inbox(BTreeMap<u64, Option<u64>>);

impl Inbox {
    /// Takes messages in whatever order, and as often as they come.
    fn take<'a>(messages: impl IntoIterator<Item = &'a Value>) -> Self {
        let place = |message: &Value| (message["sequence"].as_u64().unwrap(), message["previous_sequence"].as_u64());
        Inbox(messages.into_iter().map(place).collect())
    }
    /// Which sequences are known to be missing: one that a message names as the one before it, and the owner's last.
    fn missing(&self, last: Option<u64>) -> Vec<u64> {
        let named = self.0.values().copied().flatten().chain(last);
        named.filter(|sequence| !self.0.contains_key(sequence)).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_away_catches_up_exactly() {
    let scene = Scene::start().await;
    let shop = scene.shop(true).await;
    let other = scene.shop(true).await;
    let before = scene.sale(&shop, "before_any_endpoint").await;
    let hook = scene.endpoint(&shop, "hook", ALL, &[]).await;
    scene.receiver.answers("hook", [], Answer::Status(503));
    let workers = scene.workers();
    let mut sources: Vec<EventId> = before.events.to_vec();
    let mut lost = Vec::new();
    for number in 0..4 {
        let sale = scene.sale(&shop, &format!("customer_{number}")).await;
        scene.sale(&other, &format!("customer_{number}")).await;
        lost.extend(sale.events);
    }
    scene.attempt_all(&lost, &hook).await;
    for source in &lost {
        eventually(|| async { matches!(scene.delivery(*source, hook.id).await.state, WebhookDelivery::DeadLettered { .. }) }).await;
    }
    sources.extend(&lost);
    scene.receiver.answers("hook", [], Answer::Status(200));
    let down = scene.receiver.received("hook").len();
    let after = scene.sale(&shop, "after").await;
    for source in after.events {
        scene.delivered(source, hook.id).await;
    }
    sources.extend(after.events);

    let arrived: Vec<Value> = scene.receiver.received("hook")[down..].iter().map(|message| message.json()).collect();
    let inbox = Inbox::take(&arrived);
    let page = scene.page(&shop, None, 1).await;
    assert_eq!(inbox.missing(page.last).len(), 1, "the first that arrived names one that did not");

    // However large the pages are, all of it comes, in order, and says the same as the webhooks said.
    let told = scene.feed(&shop, 100).await;
    for limit in [1, 4, 7] {
        assert_eq!(scene.feed(&shop, limit).await, told);
    }
    let ids: Vec<String> = told.iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, sources.iter().map(ToString::to_string).collect::<Vec<_>>());
    let by_id: BTreeMap<&str, &Value> = told.iter().map(|message| (message["id"].as_str().unwrap(), message)).collect();
    for message in scene.receiver.received("hook") {
        assert_eq!(*by_id[message.id.as_str()], message.json(), "the feed says what the webhook said");
    }
    proves(&told, page.last);
    assert!(scene.feed(&shop.sandbox(), 100).await.is_empty(), "the other mode has a feed of its own");
    workers.stop().await;
    scene.rebuilt_equals_live().await;
}

/// Whatever is taken out of a whole feed is found to be missing; the order and repeats do not matter.
fn proves(told: &[Value], last: Option<u64>) {
    assert_eq!(told[0]["previous_sequence"], Value::Null);
    assert!(Inbox::take(told).missing(last).is_empty());
    let shuffled: Vec<&Value> = told.iter().rev().chain(&told[3..9]).chain(&told[..5]).collect();
    assert!(Inbox::take(shuffled).missing(last).is_empty());
    for gone in 0..told.len() {
        let rest = told.iter().enumerate().filter(|(index, _)| *index != gone).map(|(_, message)| message);
        assert_eq!(Inbox::take(rest).missing(last), [told[gone]["sequence"].as_u64().unwrap()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_appears_behind_a_reader_while_several_processes_append() {
    const PROCESSES: usize = 3;
    const SALES: usize = 25;
    let scene = Scene::start().await;
    let (shop, other) = (scene.shop(true).await, scene.shop(true).await);
    assert!(scene.feed(&shop, 1).await.is_empty());
    let mut logs = vec![scene.log.clone()];
    for _ in 1..PROCESSES {
        logs.push(scene.other_log().await);
    }
    let sell = |(process, log): (usize, &events::log::Log)| {
        let (scene, shop, other, log) = (&scene, &shop, &other, log.clone());
        async move {
            let mut events = Vec::new();
            for number in 0..SALES {
                events.extend(scene.sale_through(&log, shop, &format!("{process}_{number}")).await.events);
                scene.sale_through(&log, other, &format!("{process}_{number}")).await;
            }
            events
        }
    };
    let selling = futures::future::join_all(logs.iter().enumerate().map(sell));
    // A reader that never looks back.
    let reading = async {
        let (mut read, mut after) = (Vec::new(), None);
        while read.len() < 3 * PROCESSES * SALES {
            let page = scene.page(&shop, after, 10).await;
            assert!(page.read_to >= after);
            after = page.read_to;
            read.extend(page.messages);
            tokio::task::yield_now().await;
        }
        read
    };
    let (sold, read) = tokio::join!(selling, reading);
    let read: Vec<Value> = read.iter().map(|message| serde_json::from_str(message).unwrap()).collect();
    let sequences: Vec<u64> = read.iter().map(|message| message["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.is_sorted_by(|earlier, later| earlier < later));
    assert!(read.windows(2).all(|pair| pair[1]["previous_sequence"] == pair[0]["sequence"]), "each names the one before it");
    let ids = read.iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(ids, sold.into_iter().flatten().map(|id| id.to_string()).collect());
    assert_eq!(read.len(), ids.len(), "each once");
}
