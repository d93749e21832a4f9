//! What must hold after any fault.

use crate::{load::Bought, service::PATIENCE};
use events::{
    vault::MasterKey,
    vocab::{
        event::EventType,
        stream::{Category, Recorded, StreamId},
    },
};
use hilt_tests::{db::open_log, verify::whole_log};
use projections::runner::Progress;
use std::collections::HashMap;

/// Every acknowledged write is in the log exactly once, the log holds nothing else of the kind, it verifies, and read models that
/// are built anew equal the live ones.
pub async fn nothing_lost_nothing_doubled(service_url: &str, master_key: [u8; 32], bought: &Bought) {
    let log = open_log(service_url).await;
    let models = replay_tool::open_models(log.pool(), MasterKey::from_bytes(master_key)).await.unwrap();
    let last = log.head().await.unwrap().next_position - 1;
    models.wait_for_all(&models.names(), last, PATIENCE).await.unwrap();
    for name in models.names() {
        let compared = models.compare(name, Progress::silent()).await.unwrap();
        assert!(compared.differences.is_empty(), "{name}: rebuilt differs from live: {compared:?}");
    }
    each_key_has_one_effect(&whole_log(&log).await, bought);
    if let Err(broken) = replay_tool::verify(log.pool(), &replay_tool::VerifyOptions::default(), &|_| {}).await {
        panic!("the log does not verify: {broken:?}");
    }
}

fn each_key_has_one_effect(events: &[Recorded], bought: &Bought) {
    let mut effects: HashMap<&str, Vec<(EventType, StreamId)>> = HashMap::new();
    for event in events {
        if let Some(request) = &event.envelope.request_id {
            effects.entry(request).or_default().push((event.envelope.event_type, event.envelope.stream));
        }
    }
    let Bought { since, written } = bought;
    for one in written {
        let session = StreamId::new(Category::SandboxSession, one.session);
        let entitlement = StreamId::new(Category::Entitlement, one.entitlement);
        let expected = match one.confirmed {
            false => [(EventType::SandboxSessionCreated, session), (EventType::EntitlementPended, entitlement)],
            true => [(EventType::SandboxSessionConfirmed, session), (EventType::EntitlementActivated, entitlement)],
        };
        assert_eq!(effects.get(one.key.as_str()).map(Vec::as_slice), Some(expected.as_slice()), "{one:?}");
        assert_eq!(events[one.position as usize].envelope.request_id.as_deref(), Some(one.key.as_str()), "the answer's position");
    }
    // Every request was sent until it was answered, so what nobody knows of was never asked for.
    let count = |event_type| events.iter().filter(|event| event.position > *since && event.envelope.event_type == event_type).count();
    let confirmed = written.iter().filter(|one| one.confirmed).count();
    assert_eq!(count(EventType::SandboxSessionCreated), written.len() - confirmed);
    assert_eq!(count(EventType::SandboxSessionConfirmed), confirmed);
}
