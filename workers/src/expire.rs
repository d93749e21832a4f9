//! Ends what is over: payments that nobody made in time, with their sessions (TR-9, TR-32), and access whose window has ended
//! (TR-38, OPS-63), proofs of identity that nobody signed (TR-10), agents that nobody approved (TR-44), and what is over in the
//! sandbox, by its test clocks too. The check answers by the clock all the same; this puts the end on record.

use crate::settle::{GIVEN_UP_AFTER_SECONDS, SettleError, WatchError, rejected};
use events::{
    clock::Clock,
    decider::Decider,
    log::{AppendError, Context, Log},
    unit::{Unit, load},
    vocab::{
        id::{PaymentId, TestClockId},
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::Outcome,
    },
};
use ledger::{
    agent_setup::{self, AgentSetup},
    entitlement::{self, Entitlement},
    identity_session::{self, IdentitySession},
    payment::{self, Payment},
    payment_session::{self, PaymentSession},
    proof::Proof,
    sandbox_session::{self, SandboxSession},
};
use projections::Reader;

/// A transaction made just in time needs a moment to be final and to be seen.
const GRACE_SECONDS: i64 = 120;

/// Payments ended in one round.
const ROUND: u32 = 500;

/// Expires payments whose time is over and that have no transaction.
pub async fn payments(log: &Log, reader: &Reader, clock: &Clock) -> Result<(), WatchError> {
    let seen_by_now = clock.now().plus_seconds(-GRACE_SECONDS);
    for due in projections::payments::overdue(reader, seen_by_now, ROUND).await? {
        if clock.now() < due.expires_at.plus_seconds(GIVEN_UP_AFTER_SECONDS) && proof_open(log, reader, &due).await? {
            continue;
        }
        match payment(log, due.meta.id.into(), clock).await {
            // Someone was faster; the next round sees what he did.
            Ok(()) | Err(SettleError::Rejected { .. } | SettleError::Append(AppendError::Conflict { .. })) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether a proof was recorded for it that the chain has not answered for: as an announced transaction, that keeps it confirmable
/// for a while.
async fn proof_open(log: &Log, reader: &Reader, payment: &projections::payments::Payment) -> Result<bool, WatchError> {
    let Some(owner) = payment.meta.owner_id else { return Ok(false) };
    for row in projections::proofs::of_payment(reader, owner, payment.meta.id.into()).await? {
        let proof = load::<Proof>(log, StreamId::new(Category::Proof, row.meta.id)).await?;
        if let Proof::Recorded { last, .. } = proof.state
            && last.is_none_or(|look| look.outcome != Outcome::Failed)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Expires entitlements whose window has ended.
pub async fn entitlements(log: &Log, reader: &Reader, clock: &Clock) -> Result<(), WatchError> {
    let now = clock.now();
    for due in projections::entitlements::lapsed(reader, now, ROUND).await? {
        let stream = StreamId::new(Category::Entitlement, due.meta.id);
        end::<Entitlement>(log, stream, entitlement::Command::Expire { now }).await?;
    }
    Ok(())
}

/// Expires identity sessions that nobody signed in time.
pub async fn identity_sessions(log: &Log, reader: &Reader, clock: &Clock) -> Result<(), WatchError> {
    let now = clock.now();
    for due in projections::identity_sessions::overdue(reader, now, ROUND).await? {
        let stream = StreamId::new(Category::IdentitySession, due.meta.id);
        end::<IdentitySession>(log, stream, identity_session::Command::Expire { now }).await?;
    }
    Ok(())
}

/// Expires setup intents that nobody approved in time.
pub async fn agent_setups(log: &Log, reader: &Reader, clock: &Clock) -> Result<(), WatchError> {
    let now = clock.now();
    for due in projections::agent_setups::overdue(reader, now, ROUND).await? {
        let stream = StreamId::new(Category::AgentSetup, due.meta.id);
        end::<AgentSetup>(log, stream, agent_setup::Command::Expire { now }).await?;
    }
    Ok(())
}

/// Expires sandbox sessions that nobody confirmed in time.
pub async fn sandbox_sessions(log: &Log, reader: &Reader, clock: &Clock) -> Result<(), WatchError> {
    let now = clock.now();
    for due in projections::sandbox_sessions::overdue(reader, now, ROUND).await? {
        let stream = StreamId::new(Category::SandboxSession, due.meta.id);
        end::<SandboxSession>(log, stream, sandbox_session::Command::Expire { now }).await?;
    }
    Ok(())
}

/// Puts on record what is over in the time of each test clock, for clocks whose own request did not come to its end.
pub async fn test_clocks(log: &Log, reader: &Reader) -> Result<(), WatchError> {
    for clock in projections::test_clocks::with_due(reader, ROUND).await? {
        on_test_clock(log, reader, clock.meta.id.into(), clock.frozen_time).await?;
    }
    Ok(())
}

/// Puts on record what is over on a test clock that shows `now`, each at the time it ended and in that order. True when nothing is
/// left that the read models know of.
pub async fn on_test_clock(log: &Log, reader: &Reader, id: TestClockId, now: Timestamp) -> Result<bool, WatchError> {
    let sessions = projections::sandbox_sessions::overdue_on(reader, id, now, ROUND).await?;
    let entitlements = projections::entitlements::lapsed_on(reader, id, now, ROUND).await?;
    let full = [sessions.len(), entitlements.len()].contains(&(ROUND as usize));
    let sessions = sessions.iter().map(|row| (row.expires_at, row.meta.id, Category::SandboxSession));
    let entitlements = entitlements.iter().filter_map(|row| Some((row.expires_at?, row.meta.id, Category::Entitlement)));
    let mut due: Vec<_> = sessions.chain(entitlements).collect();
    due.sort_by_key(|(at, id, _)| (*at, *id));
    for (now, id, category) in due {
        let stream = StreamId::new(category, id);
        match category {
            Category::SandboxSession => end::<SandboxSession>(log, stream, sandbox_session::Command::Expire { now }).await?,
            _ => end::<Entitlement>(log, stream, entitlement::Command::Expire { now }).await?,
        }
    }
    Ok(!full)
}

/// Puts the end of one stream on record. A rule that refuses means that the read model is behind; the next round sees what has become
/// of it.
async fn end<D: Decider>(log: &Log, stream: StreamId, command: D::Command) -> Result<(), WatchError> {
    let mut loaded = load::<D>(log, stream).await?;
    let context = Context {
        owner_id: loaded.owner_id,
        livemode: loaded.livemode.unwrap_or(true),
        actor: Actor::system("expiry"),
        request_id: None,
        correlation_id: loaded.correlation_id.unwrap_or(stream.id),
    };
    let mut unit = Unit::new(log, context);
    let cause = loaded.last_event;
    if unit.decide(&mut loaded, command, cause).is_ok() && !unit.is_empty() {
        match unit.commit().await {
            Ok(_) | Err(AppendError::Conflict { .. }) => {}
            Err(error) => return Err(SettleError::from(error).into()),
        }
    }
    Ok(())
}

async fn payment(log: &Log, id: PaymentId, clock: &Clock) -> Result<(), SettleError> {
    let now = clock.now();
    let mut payment = load::<Payment>(log, StreamId::new(Category::Payment, id)).await?;
    let Some(facts) = payment.state.facts().cloned() else { return Ok(()) };
    let context = Context {
        owner_id: payment.owner_id,
        livemode: payment.livemode.unwrap_or(true),
        actor: Actor::system("expiry"),
        request_id: None,
        correlation_id: payment.correlation_id.unwrap_or(id.0),
    };
    let mut unit = Unit::new(log, context);
    let made = unit.decide(&mut payment, payment::Command::Expire { now }, None).map_err(rejected!())?;
    if let Some(session_id) = facts.session_id {
        let mut session = load::<PaymentSession>(log, StreamId::new(Category::PaymentSession, session_id)).await?;
        // One that has ended already stays as it is.
        if matches!(session.state, PaymentSession::Pending(_)) {
            let expire = payment_session::Command::Expire { now, transaction_recorded: false };
            unit.decide(&mut session, expire, made.last().copied()).map_err(rejected!())?;
        }
    }
    if !unit.is_empty() {
        unit.commit().await?;
    }
    Ok(())
}
