//! The unit of work: several streams decided and appended as one.

use events::{
    clock::new_id,
    decider::Decider,
    log::{AppendError, Context, Log, ReadError},
    unit::{Unit, is_conflict, retry_conflicts},
    vocab::{
        event::{Event, TicketReopened, TicketWaitingOnMerchant},
        id::{EventId, TicketId},
        stream::{Actor, Category, Fact, StreamId},
    },
};
use hilt_tests::{db::Database, verify};
use std::sync::atomic::{AtomicU32, Ordering};

/// A ticket that staff and merchant hand to and fro; both at once may be asked for.
struct Ticket;

enum Command {
    Wait(TicketId),
    Reopen(TicketId),
    Both(TicketId),
}

#[derive(Debug, PartialEq)]
struct NotNow;

impl Decider for Ticket {
    /// How often it changed hands, and whether it waits.
    type State = (u32, bool);
    type Command = Command;
    type Rejection = NotNow;

    fn decide(state: &(u32, bool), command: Command) -> Result<Vec<Fact>, NotNow> {
        match (command, state.1) {
            (Command::Wait(ticket_id), false) => Ok(vec![TicketWaitingOnMerchant { ticket_id }.into()]),
            (Command::Reopen(ticket_id), true) => Ok(vec![TicketReopened { ticket_id }.into()]),
            (Command::Both(ticket_id), false) => {
                Ok(vec![TicketWaitingOnMerchant { ticket_id }.into(), TicketReopened { ticket_id }.into()])
            }
            _ => Err(NotNow),
        }
    }

    fn evolve(state: (u32, bool), event: &Event) -> (u32, bool) {
        match event {
            Event::TicketWaitingOnMerchant(_) => (state.0 + 1, true),
            Event::TicketReopened(_) => (state.0 + 1, false),
            _ => state,
        }
    }
}

fn unit(log: &Log) -> Unit<'_> {
    let context =
        Context { owner_id: Some(new_id()), livemode: true, actor: Actor::system("test"), request_id: None, correlation_id: new_id() };
    Unit::new(log, context)
}

fn stream(ticket: TicketId) -> StreamId {
    StreamId::new(Category::Ticket, ticket)
}

#[tokio::test]
async fn streams_decided_together_commit_together_in_a_chain_of_causes() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let [one, two]: [TicketId; 2] = [new_id(), new_id()];
    let mut work = unit(&log);
    let mut first = work.start::<Ticket>(stream(one));
    let mut second = work.start::<Ticket>(stream(two));
    let cause: EventId = new_id();
    let both = work.decide(&mut first, Command::Both(one), Some(cause)).unwrap();
    let wait = work.decide(&mut second, Command::Wait(two), first.last_event).unwrap();
    assert_eq!(work.decide(&mut second, Command::Wait(two), None), Err(NotNow), "the state goes on with what was decided");
    let wait_again = work.decide(&mut first, Command::Wait(one), Some(wait[0])).unwrap();
    assert_eq!(work.events().count(), 4);
    let correlation = work.context().correlation_id;
    work.commit().await.unwrap();

    let causes: Vec<_> = verify::whole_log(&log).await.iter().map(|e| (e.envelope.event_id, e.envelope.causation_id)).collect();
    // In the order of the decisions, so that a cause stands before what it caused.
    let expected = [(both[0], Some(cause)), (both[1], Some(both[0])), (wait[0], Some(both[1])), (wait_again[0], Some(wait[0]))];
    assert_eq!(causes, expected);
    let loaded = unit(&log).load::<Ticket>(stream(one)).await.unwrap();
    assert_eq!((loaded.state, loaded.version(), loaded.last_event), ((3, true), Some(2), Some(wait_again[0])));
    assert_eq!(loaded.correlation_id, Some(correlation));
    let fresh = unit(&log).load::<Ticket>(stream(new_id())).await.unwrap();
    assert!(fresh.is_new() && fresh.correlation_id.is_none());
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("not now")]
    Rejected,
}

async fn hand_over(log: &Log, ticket: TicketId, tries: &AtomicU32) -> Result<(), Failure> {
    tries.fetch_add(1, Ordering::SeqCst);
    let mut work = unit(log);
    let mut loaded = work.load::<Ticket>(stream(ticket)).await?;
    let command = if loaded.state.1 { Command::Reopen(ticket) } else { Command::Wait(ticket) };
    work.decide(&mut loaded, command, None).map_err(|_| Failure::Rejected)?;
    work.commit().await?;
    Ok(())
}

#[tokio::test]
async fn whoever_meets_another_decides_again() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let (ticket, tries) = (new_id(), AtomicU32::new(0));
    let conflict = |failure: &Failure| matches!(failure, Failure::Append(error) if is_conflict(error));
    let all = (0..10).map(|_| retry_conflicts(50, conflict, || hand_over(&log, ticket, &tries)));
    for outcome in futures::future::join_all(all).await {
        outcome.unwrap();
    }
    assert_eq!(verify::whole_log(&log).await.len(), 10);
    assert!(tries.load(Ordering::SeqCst) > 10, "they never met");
}

#[tokio::test]
async fn a_workers_repeated_outcome_is_the_same_event() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let (ticket, cause): (TicketId, EventId) = (new_id(), new_id());
    for repeated in [false, true] {
        let mut work = unit(&log);
        let mut loaded = work.start::<Ticket>(stream(ticket));
        work.decide_as(&mut loaded, Command::Wait(ticket), Some(cause), |event| EventId::derived(cause, event.event_type().as_str()))
            .unwrap();
        assert_eq!(work.commit().await.unwrap().repeated, repeated);
    }
    assert_eq!(verify::whole_log(&log).await.len(), 1);
}
