//! Puts on record what the clock does to memberships (TR-16, OPS-62): reminders, the days of grace, the end. Whoever asks where a
//! membership stands is answered by the clock all the same; this is for history, webhooks and reports.

mod letter;

use crate::{delivery::Handover, mail, settle::rejected};
use events::{
    clock::Clock,
    log::{AppendError, Context, Log},
    unit::{Loaded, Unit, is_conflict, load},
    vocab::{
        event::Event,
        id::{EventId, MailId, OwnerId},
        stream::{Actor, Category, StreamId},
        time::Timestamp,
    },
};
use futures::{TryStreamExt as _, stream};
use ledger::{
    membership::{Command, Membership, Standing},
    product::Product,
    workspace::Profile,
};
use letter::Letter;
use projections::{
    Reader,
    memberships::{self, Membership as Row},
    workspaces,
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use crate::settle::{SettleError as SweepError, WatchError};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(1);
/// Memberships read at once.
const PAGE: u32 = 500;
/// Memberships decided at the same time: their appends share group commits.
const AT_ONCE: usize = 16;

/// That reminders go out by mail.
#[derive(Clone, Debug)]
pub struct Reminders {
    /// Where checkout pages are, without a slash at the end.
    pub web_url: String,
}

/// What the sweep works with.
#[derive(Clone)]
pub struct Sweep {
    /// The log.
    pub log: Log,
    /// Knows whose time has come.
    pub reader: Reader,
    /// Tells the time.
    pub clock: Clock,
    /// Takes members out of the places that they paid for.
    pub handover: Handover,
    /// Whether reminders go out by mail; without it they are put on record and nobody is written to.
    pub reminders: Option<Reminders>,
}

/// Sweeps until it is told to stop.
pub async fn run(sweep: Sweep, stop: CancellationToken) -> Result<(), WatchError> {
    while stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_some() {
        sweep.once().await?;
    }
    Ok(())
}

impl Sweep {
    /// Puts on record what is due by now. Doing so again, or in several processes at once, records it once: an event's id follows from
    /// the event before it, and its append expects the stream as it was read.
    pub async fn once(&self) -> Result<(), WatchError> {
        let now = self.clock.now();
        let mut after: Option<(Timestamp, Uuid)> = None;
        loop {
            let due = memberships::due(&self.reader, now, after, PAGE).await?;
            after = due.last().and_then(|row| row.next_due_at.map(|at| (at, row.meta.id)));
            stream::iter(due.iter().map(Ok::<_, SweepError>)).try_for_each_concurrent(AT_ONCE, |row| self.pass(row, now)).await?;
            if due.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    /// Decides on the stream, not on the row that led to it: somebody may have paid meanwhile. Only the member's address is the row's;
    /// if he was erased since, the append that would seal it is refused, and the next round finds a row without one.
    async fn pass(&self, row: &Row, now: Timestamp) -> Result<(), SweepError> {
        let stream = StreamId::new(Category::Membership, row.meta.id);
        let mut membership = load::<Membership>(&self.log, stream).await?;
        let context = Context {
            owner_id: membership.owner_id,
            livemode: membership.livemode.unwrap_or(true),
            actor: Actor::system("memberships"),
            request_id: None,
            correlation_id: membership.correlation_id.unwrap_or(row.meta.id),
        };
        let mut unit = Unit::new(&self.log, context);
        let mailed = self.reminders.as_ref().zip(row.email.as_deref().and_then(ledger::mail::address));
        for command in due(&membership, mailed.is_some(), now) {
            let Some(cause) = membership.last_event else { return Ok(()) };
            let reminds = match &command {
                Command::Remind { mail_id, .. } => mailed.as_ref().zip(*mail_id),
                _ => None,
            };
            let named = |event: &Event| EventId::derived(cause, event.event_type().as_str());
            let made = unit.decide_as(&mut membership, command, Some(cause), named).map_err(rejected!())?;
            let (Some(made), Some(member)) = (made.first(), membership.state.member()) else { continue };
            if let Some(((reminders, to), mail_id)) = reminds {
                let product = load::<Product>(&self.log, StreamId::new(Category::Product, member.product_id)).await?;
                let seller = self.seller(membership.owner_id, &product.state).await?;
                let letter = Letter { web_url: &reminders.web_url, product: &product.state, seller, member };
                mail::queue(&mut unit, letter.queue(mail_id, to), Some(*made)).map_err(rejected!())?;
            }
            if member.standing == Standing::Expired {
                self.handover.withdraw(&mut unit, member, *made).await?;
            }
        }
        if unit.is_empty() {
            return Ok(());
        }
        match unit.commit().await {
            Ok(_) => Ok(()),
            // Somebody else moved it; the next round sees where to.
            Err(error) if is_conflict(&error) => Ok(()),
            Err(AppendError::SubjectErased) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// By what name buyers know the seller: the product's, or else the workspace's.
    async fn seller(&self, owner: Option<OwnerId>, product: &Product) -> Result<Option<String>, SweepError> {
        let own = product.facts().and_then(|facts| facts.branding.merchant_name.clone());
        if let (None, Some(owner)) = (&own, owner) {
            let workspace = workspaces::find(&self.reader, owner).await?;
            let profile = workspace.and_then(|row| row.profile).and_then(|json| Profile::from_json(&json.to_string()));
            return Ok(profile.and_then(|profile| profile.merchant_name));
        }
        Ok(own)
    }
}

/// What to ask of the membership. One that nobody looked at for long was in grace all the same. The mail's id follows from the event
/// before the reminder, so that a reminder has one mail, whoever puts it on record.
fn due(membership: &Loaded<Membership>, mailed: bool, now: Timestamp) -> Vec<Command> {
    let Some(member) = membership.state.member() else { return Vec::new() };
    if now >= member.grace_end() {
        return vec![Command::EnterGrace { now }, Command::Expire { now }];
    }
    if now >= member.period_end {
        return vec![Command::EnterGrace { now }];
    }
    let mail_id = membership.last_event.filter(|_| mailed).map(|cause| MailId(Uuid::new_v5(&cause.0, b"renewal_reminder")));
    vec![Command::Remind { mail_id, now }]
}
