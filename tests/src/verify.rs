//! Checks a log against what it promises, from nothing but its rows.

use events::{
    leaf,
    log::Log,
    proof,
    vocab::{bytes::Hash32, stream::Recorded},
};
use std::collections::{HashMap, HashSet};

/// Every event, after checking positions, versions, ids, times, leaves, chains of leaves, and the root that the head vouches for.
pub async fn whole_log(log: &Log) -> Vec<Recorded> {
    let head = log.head().await.unwrap();
    let events = log.read(0, u64::MAX >> 1).await.unwrap();
    assert_eq!(events.len() as u64, head.next_position, "the head counts the events");
    let mut last: HashMap<_, (u64, Hash32)> = HashMap::new();
    let mut ids = HashSet::new();
    let mut time = i64::MIN;
    for (position, event) in events.iter().enumerate() {
        let envelope = &event.envelope;
        assert_eq!(event.position, position as u64, "positions have no gaps");
        assert!(ids.insert(envelope.event_id), "{position}: an event is there twice");
        assert!(envelope.recorded_at.micros() >= time, "{position}: time runs backwards");
        time = envelope.recorded_at.micros();
        let before = last.get(&envelope.stream);
        assert_eq!(envelope.version, before.map_or(0, |(version, _)| version + 1), "{position}: versions have no gaps");
        assert_eq!(event.prev_leaf, before.map_or(leaf::NO_LEAF, |(_, leaf)| *leaf), "{position}: the previous leaf");
        let entry = leaf::entry(envelope, &event.prev_leaf, &event.payload, event.sealed.as_deref()).unwrap();
        assert_eq!(event.leaf, leaf::leaf_hash(&entry), "{position}: the leaf");
        last.insert(envelope.stream, (envelope.version, event.leaf));
    }
    let leaves: Vec<Hash32> = events.iter().map(|event| event.leaf).collect();
    assert_eq!(head.frontier.root(), proof::root(&leaves), "the frontier's root");
    events
}
