//! The log's promises, one by one.

use events::{
    claims::Claim,
    clock::new_id,
    log::{Append, AppendError, Context, Expected, IdempotencyRow, NewEvent, PageFilter, StreamWrite},
    vocab::{
        event::{Event, EventType, WebhookEndpointDisabled},
        id::{EndpointId, EventId, OwnerId},
        rail::RailId,
        stream::{Actor, Category, StreamId},
    },
};
use hilt_tests::{
    db::Database,
    history::{self, Expectation, Kind, Write},
    verify,
};
use uuid::Uuid;

fn context() -> Context {
    Context { owner_id: Some(new_id()), livemode: false, actor: Actor::system("test"), request_id: None, correlation_id: new_id::<Uuid>() }
}

fn new_event(endpoint: EndpointId) -> NewEvent {
    let event = Event::from(WebhookEndpointDisabled { endpoint_id: endpoint, reason: "test".to_owned() });
    NewEvent { event_id: new_id(), event, personal: None, causation_id: None }
}

fn append(endpoint: EndpointId, expected: Expected) -> Append {
    let stream = StreamId::new(Category::WebhookEndpoint, endpoint);
    let writes = vec![StreamWrite { stream, expected, events: vec![new_event(endpoint)] }];
    Append { context: context(), writes, idempotency: None }
}

fn answer(key: &str, body: &[u8]) -> IdempotencyRow {
    IdempotencyRow {
        owner_id: OwnerId(Uuid::from_u128(9)),
        operation: "POST /things".into(),
        key: key.into(),
        request_hash: [3; 32],
        status: 201,
        body: body.to_vec(),
    }
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
    let conflict = log.append(append(new_id(), Expected::Exists)).await.unwrap_err();
    assert!(matches!(conflict, AppendError::Conflict { actual: None, .. }), "{conflict}");
    let read = log.read_stream(first.writes[0].stream, 0).await.unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].decode().unwrap(), first.writes[0].events[0].event);
    assert_eq!(log.event(read[1].envelope.event_id).await.unwrap().as_ref(), Some(&read[1]));
    assert_eq!(*log.watch_head().borrow(), 2);
    verify::whole_log(&log).await;
}

#[tokio::test]
async fn a_stream_that_another_process_began_is_not_begun_again() {
    let database = Database::fresh().await;
    let (here, there) = (database.log().await, database.log().await);
    for _ in 0..3 {
        let endpoint = new_id();
        here.append(append(endpoint, Expected::NoStream)).await.unwrap();
        let (conflict, fine) =
            tokio::join!(there.append(append(endpoint, Expected::NoStream)), there.append(append(new_id(), Expected::NoStream)));
        assert!(matches!(conflict, Err(AppendError::Conflict { actual: Some(0), .. })), "{conflict:?}");
        fine.unwrap();
    }
    assert_eq!(verify::whole_log(&here).await.len(), 6);
}

#[tokio::test]
async fn a_repeat_is_answered_with_where_its_events_are() {
    let database = Database::fresh().await;
    let log = database.log().await;
    for expected in [Expected::NoStream, Expected::Any] {
        let first = append(new_id(), expected);
        let appended = log.append(first.clone()).await.unwrap();
        for _ in 0..2 {
            let repeat = log.append(first.clone()).await.unwrap();
            assert!(repeat.repeated);
            assert_eq!((repeat.first_position, repeat.recorded_at), (appended.first_position, appended.recorded_at));
        }
    }
    // Some of its events are there and some are not: not a repeat.
    let mut half = append(new_id(), Expected::Any);
    log.append(half.clone()).await.unwrap();
    half.writes[0].events.push(new_event(new_id()));
    assert!(matches!(log.append(half).await, Err(AppendError::Conflict { .. })));
    verify::whole_log(&log).await;
}

#[tokio::test]
async fn twins_in_one_batch_are_one_append() {
    let database = Database::fresh().await;
    let log = database.log().await;
    for expected in [Expected::NoStream, Expected::Any] {
        let twin = append(new_id(), expected);
        let outcomes = futures::future::join_all((0..20).map(|_| log.append(twin.clone()))).await;
        let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|appended| !appended.repeated).count(), 1);
        assert!(outcomes.iter().all(|appended| appended.first_position == outcomes[0].first_position));
    }
    assert_eq!(verify::whole_log(&log).await.len(), 2);
}

#[tokio::test]
async fn of_fifty_claims_of_one_fingerprint_one_wins() {
    let database = Database::fresh().await;
    let logs = [database.log().await, database.log().await];
    let claim = |n: u8| Write { stream: n, kind: Kind::Take(1), expected: Expectation::New, event_id: new_id() };
    let appends = (0..50).map(|n| logs[usize::from(n % 2)].append(history::append(&[claim(n)], None)));
    let outcomes = futures::future::join_all(appends).await;
    let winners: Vec<usize> = (0..50).filter(|n| outcomes[*n].is_ok()).collect();
    assert_eq!(winners.len(), 1);
    let winner = StreamId::new(Category::Proof, Uuid::from_u128(winners[0] as u128));
    for loser in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(loser, AppendError::ClaimTaken { holder, .. } if *holder == winner), "{loser}");
    }
    let held = Claim::fingerprint(history::OWNER, false, RailId::SolanaUsdc, &history::fingerprint(1));
    assert_eq!(logs[0].find_claim(&held).await.unwrap(), Some(winner));
    assert_eq!(verify::whole_log(&logs[0]).await.len(), 1);
}

#[tokio::test]
async fn an_append_over_streams_is_whole_or_nothing() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let [one, two]: [EndpointId; 2] = [new_id(), new_id()];
    log.append(append(two, Expected::NoStream)).await.unwrap();
    let mut both = append(one, Expected::NoStream);
    both.writes.extend(append(two, Expected::NoStream).writes);
    both.idempotency = Some(answer("both", b"done"));
    assert!(matches!(log.append(both.clone()).await, Err(AppendError::Conflict { .. })));
    assert!(log.read_stream(both.writes[0].stream, 0).await.unwrap().is_empty());
    assert!(log.find_answer(OwnerId(Uuid::from_u128(9)), "POST /things", "both").await.unwrap().is_none(), "neither events nor answer");
    both.writes[1].expected = Expected::Version(0);
    let appended = log.append(both).await.unwrap();
    assert_eq!((appended.first_position, appended.last_position), (1, 2));
    let stored = log.find_answer(OwnerId(Uuid::from_u128(9)), "POST /things", "both").await.unwrap().unwrap();
    assert_eq!((stored.status, stored.body.as_slice(), stored.position), (201, b"done".as_slice(), 2));
    verify::whole_log(&log).await;
}

#[tokio::test]
async fn one_key_is_answered_once_even_at_once_and_pruned_by_age() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let keyed = |n: u8| Append { idempotency: Some(answer("once", &[n])), ..append(new_id(), Expected::NoStream) };
    let outcomes = futures::future::join_all((0..20).map(|n| log.append(keyed(n)))).await;
    let winner = outcomes.iter().position(Result::is_ok).unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        let AppendError::Answered(stored) = outcome else { panic!("{outcome}") };
        assert_eq!(stored.body, [winner as u8]);
    }
    // An answer may commit without events, and an expectation may be asserted without them.
    let bare = Append { context: context(), writes: Vec::new(), idempotency: Some(answer("bare", b"nothing to do")) };
    assert_eq!(log.append(bare).await.unwrap().last_position, 0);
    let recorded = log.read(0, 1).await.unwrap()[0].envelope.recorded_at;
    assert_eq!(log.prune_answers(recorded).await.unwrap(), 0);
    assert_eq!(log.prune_answers(recorded.plus_seconds(60)).await.unwrap(), 2);
    assert_eq!(verify::whole_log(&log).await.len(), 1);
}

#[tokio::test]
async fn what_breaks_a_rule_of_the_log_fails_alone() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let mut twice = append(new_id(), Expected::Any);
    let same = twice.writes[0].events[0].clone();
    twice.writes[0].events.push(same);
    let mut nul = append(new_id(), Expected::Any);
    nul.context.request_id = Some("a\0b".into());
    let mut category = append(new_id(), Expected::Any);
    category.writes[0].stream.category = Category::Product;
    let mut many = append(new_id(), Expected::Any);
    many.writes[0].events = (0..1_001).map(|_| new_event(new_id())).collect();
    let (fine, outcomes) = tokio::join!(
        log.append(append(new_id(), Expected::Any)),
        futures::future::join_all([twice, nul, category].map(|append| log.append(append)))
    );
    fine.unwrap();
    for outcome in outcomes {
        assert!(matches!(outcome, Err(AppendError::Invalid { .. })), "{outcome:?}");
    }
    assert!(matches!(log.append(many).await, Err(AppendError::TooLarge { .. })));
}

#[tokio::test]
async fn pages_of_the_log_are_filtered_and_go_on() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let mut owners = Vec::new();
    for _ in 0..10 {
        let append = append(new_id(), Expected::NoStream);
        owners.push(append.context.owner_id.unwrap());
        log.append(append).await.unwrap();
    }
    let all = log.read_page(PageFilter::default(), 0, 4).await.unwrap();
    assert_eq!((all.events.len(), all.next_position, all.head_position), (4, 4, 10));
    let rest = log.read_page(PageFilter::default(), all.next_position, 100).await.unwrap();
    assert_eq!((rest.events.len(), rest.next_position), (6, 10));
    let mine = PageFilter { owner_id: Some(owners[7]), ..PageFilter::default() };
    let page = log.read_page(mine, 0, 100).await.unwrap();
    assert_eq!(page.events.iter().map(|event| event.position).collect::<Vec<_>>(), [7]);
    let stream = PageFilter { stream: Some(page.events[0].envelope.stream), ..PageFilter::default() };
    assert_eq!(log.read_page(stream, 0, 100).await.unwrap().events, page.events);
    let other = PageFilter { event_type: Some(EventType::TicketOpened), ..PageFilter::default() };
    assert_eq!(log.read_page(other, 0, 100).await.unwrap().events, []);
    assert_eq!(log.event(EventId(Uuid::nil())).await.unwrap(), None);
}

#[tokio::test]
async fn commits_of_another_process_move_the_head_here() {
    let database = Database::fresh().await;
    let (here, there) = (database.log().await, database.log().await);
    let mut head = here.watch_head();
    there.append(append(new_id(), Expected::NoStream)).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(5), head.wait_for(|head| *head == 1)).await.unwrap().unwrap();
}

#[tokio::test]
async fn those_who_follow_the_head_are_told_the_same_as_those_who_read_for_themselves() {
    let database = Database::fresh().await;
    let log = database.log().await;
    assert!(log.read_news(log.pool(), 0, 10).await.unwrap().is_empty());
    for round in 0..40_u64 {
        log.append(append(new_id(), Expected::NoStream)).await.unwrap();
        let asked = [(0, 1_000), (round, 1_000), (round / 2, 3), (round + 1, 1_000), (round, 1)];
        let told = futures::future::join_all(asked.map(|(from, limit)| log.read_news(log.pool(), from, limit))).await;
        for ((from, limit), told) in asked.into_iter().zip(told) {
            assert_eq!(told.unwrap(), log.read(from, limit).await.unwrap(), "{limit} from {from} of {round}");
        }
    }
    // What another process commits is told, too, as soon as it is known of.
    let other = database.log().await;
    let position = other.append(append(new_id(), Expected::NoStream)).await.unwrap().first_position;
    log.watch_head().wait_for(|head| *head > position).await.unwrap();
    assert_eq!(log.read_news(log.pool(), position, 10).await.unwrap(), other.read(position, 10).await.unwrap());
}
