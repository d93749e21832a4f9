//! The log's promises, one by one.

use events::{
    clock::new_id,
    log::{Append, AppendError, Context, Expected, NewEvent, StreamWrite},
    vocab::{
        event::{Event, WebhookEndpointDisabled},
        id::EndpointId,
        stream::{Actor, Category, StreamId},
    },
};
use hilt_tests::db::Database;
use uuid::Uuid;

fn context() -> Context {
    Context { owner_id: Some(new_id()), livemode: false, actor: Actor::system("test"), request_id: None, correlation_id: new_id::<Uuid>() }
}

fn append(endpoint: EndpointId, expected: Expected) -> Append {
    let event = Event::from(WebhookEndpointDisabled { endpoint_id: endpoint, reason: "test".to_owned() });
    let events = vec![NewEvent { event_id: new_id(), event, personal: None, causation_id: None }];
    let stream = StreamId::new(Category::WebhookEndpoint, endpoint);
    Append { context: context(), writes: vec![StreamWrite { stream, expected, events }], idempotency: None }
}

#[tokio::test]
async fn appends_are_numbered_read_back_and_conflict() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let endpoint: EndpointId = new_id();
    let first = append(endpoint, Expected::NoStream);
    assert_eq!(log.append(first.clone()).await.unwrap().first_position, 0);
    assert_eq!(log.append(append(endpoint, Expected::Version(0))).await.unwrap().first_position, 1);
    let conflict = log.append(append(endpoint, Expected::Version(0))).await.unwrap_err();
    assert!(matches!(conflict, AppendError::Conflict { actual: Some(1), .. }), "{conflict}");
    let repeat = log.append(first.clone()).await.unwrap();
    assert!(repeat.repeated && repeat.first_position == 0);
    let read = log.read_stream(first.writes[0].stream, 0).await.unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].decode().unwrap(), first.writes[0].events[0].event);
    assert_eq!(read[1].prev_leaf, read[0].leaf);
    assert_eq!(log.head().await.unwrap().next_position, 2);
    assert_eq!(*log.watch_head().borrow(), 2);
}
