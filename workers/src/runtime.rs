//! Starting and stopping workers. Each is one task, and across processes each is led by one of them at a time.

use crate::{
    attest,
    billing::{self, BillingSync},
    delivery::{Handover, rescue},
    health::{Board, WorkerHealth, WorkerState},
    housekeeping,
    mail::Mailer,
    memberships::{self, Reminders, Sweep},
    platform::Platform,
    settle::{SettleProofs, Settler, watch},
    webhooks::{WebhookConfig, Webhooks},
};
use events::{clock::Clock, leader::Lease, proof::Checkpointer};
use projections::{
    Reader,
    runner::{Deps, Handler, Projections, ReaderHealth, Start, Subscription},
};
use std::{fmt::Display, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often a process asks for a role, and whether it still has it.
const STANDBY: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// The subscription that emits webhooks.
pub const WEBHOOK_EMITTER: &str = "webhook_emitter";
/// The subscription that carries out what merchants ask of webhook endpoints.
pub const WEBHOOK_FOLLOW_UP: &str = "webhook_follow_up";
/// The subscription that settles submitted proofs.
pub const PROOF_SETTLEMENT: &str = "proof_settlement";
/// The worker that looks for payments on the chain.
pub const PAYMENT_WATCHER: &str = "payment_watcher";
/// The worker that hands over what bots make, and tries again what failed.
pub const DELIVERY_RESCUE: &str = "delivery_rescue";
/// The worker that puts on record what the clock does to memberships.
pub const MEMBERSHIP_SWEEP: &str = "membership_sweep";
/// The worker that asks Stripe after merchants' subscriptions.
pub const BILLING_SYNC: &str = "billing_sync";
/// The worker that signs checkpoints and forgets old answers.
pub const HOUSEKEEPING: &str = "housekeeping";
/// The worker that puts on record what the read models come to.
pub const STATE_ATTESTER: &str = "state_attester";
/// The worker that sends mails.
pub const MAILER: &str = "mailer";
/// The worker that delivers webhooks.
pub const WEBHOOK_DELIVERER: &str = "webhook_deliverer";

/// The workers of this process.
pub struct Workers {
    deps: Deps,
    stop: CancellationToken,
    tasks: TaskTracker,
    subscriptions: Vec<Subscription>,
    boards: Vec<Board>,
}

/// Tells how the workers of a process are.
#[derive(Clone)]
pub struct Watch {
    subscriptions: Vec<Subscription>,
    boards: Vec<Board>,
}

impl Watch {
    /// How they are now.
    pub fn health(&self) -> Health {
        Health {
            subscriptions: self.subscriptions.iter().map(Subscription::health).collect(),
            workers: self.boards.iter().map(Board::health).collect(),
        }
    }
}

/// How the workers of this process are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Health {
    /// Those that follow the log from a checkpoint.
    pub subscriptions: Vec<ReaderHealth>,
    /// Those with a queue.
    pub workers: Vec<WorkerHealth>,
}

impl Workers {
    /// None yet. They end when `stop` is cancelled.
    pub fn new(deps: Deps, stop: CancellationToken) -> Self {
        Workers { deps, stop, tasks: TaskTracker::new(), subscriptions: Vec::new(), boards: Vec::new() }
    }

    /// Starts a subscription: `handler` gets every event from `start` on, at least once and in order.
    pub fn subscribe(&mut self, name: &str, start: Start, handler: impl Handler) {
        let subscription = Subscription::new(self.deps.clone(), name, start);
        self.tasks.spawn(subscription.clone().run(handler, self.stop.clone()));
        self.subscriptions.push(subscription);
    }

    /// Starts emission and delivery of webhooks. Fails when the system's root certificates cannot be read.
    pub fn start_webhooks(
        &mut self,
        projections: &Projections,
        platform: &Platform,
        clock: &Clock,
        config: WebhookConfig,
    ) -> Result<(), reqwest::Error> {
        let reader = Reader::new(self.deps.pool.clone());
        let webhooks = Webhooks::new(&self.deps.log, &self.deps.vault, clock, projections, platform, &reader, config)?;
        self.subscribe(WEBHOOK_EMITTER, Start::Beginning, webhooks.emitter);
        self.subscribe(WEBHOOK_FOLLOW_UP, Start::Beginning, webhooks.follow_up);
        let board = Board::new(WEBHOOK_DELIVERER);
        self.boards.push(board.clone());
        let (deps, stop, deliverer) = (self.deps.clone(), self.stop.clone(), webhooks.deliverer);
        self.tasks.spawn(async move { lead(&deps, &board, &stop, || deliverer.lead(&board, &stop)).await });
        Ok(())
    }

    /// Starts the sending of mails.
    pub fn start_mail(&mut self, mailer: Mailer) {
        let board = Board::new(MAILER);
        self.boards.push(board.clone());
        let (deps, stop) = (self.deps.clone(), self.stop.clone());
        self.tasks.spawn(async move { lead(&deps, &board, &stop, || mailer.lead(&board, &stop)).await });
    }

    /// Starts settlement: of proofs as they are recorded, and of payments that the watcher finds on the chain.
    pub fn start_settlement(&mut self, settler: &Settler) {
        self.subscribe(PROOF_SETTLEMENT, Start::Beginning, SettleProofs(settler.clone()));
        let reader = Reader::new(self.deps.pool.clone());
        let settler = settler.clone();
        self.lead(PAYMENT_WATCHER, move |stop| watch::run(settler.clone(), reader.clone(), stop));
    }

    /// Starts handing over what bots make, and the rescue of what failed.
    pub fn start_deliveries(&mut self, projections: &Projections, clock: &Clock, handover: &Handover) {
        let rescue = rescue::Rescue {
            handover: handover.clone(),
            clock: clock.clone(),
            log: self.deps.log.clone(),
            projections: projections.clone(),
            reader: Reader::new(self.deps.pool.clone()),
        };
        self.lead(DELIVERY_RESCUE, move |stop| rescue::run(rescue.clone(), stop));
    }

    /// Starts what puts on record what the clock does to memberships.
    pub fn start_memberships(&mut self, clock: &Clock, handover: &Handover, reminders: Option<Reminders>) {
        let sweep = Sweep {
            log: self.deps.log.clone(),
            reader: Reader::new(self.deps.pool.clone()),
            clock: clock.clone(),
            handover: handover.clone(),
            reminders,
        };
        self.lead(MEMBERSHIP_SWEEP, move |stop| memberships::run(sweep.clone(), stop));
    }

    /// Starts asking Stripe after merchants' subscriptions.
    pub fn start_billing(&mut self, sync: BillingSync) {
        self.lead(BILLING_SYNC, move |stop| billing::run(sync.clone(), stop));
    }

    /// Starts what keeps the log in order: checkpoints, signed so often if the log has grown, and forgetting old stored answers.
    pub fn start_housekeeping(&mut self, checkpointer: &Checkpointer, every: Duration) {
        let (log, checkpointer) = (self.deps.log.clone(), checkpointer.clone());
        self.lead(HOUSEKEEPING, move |stop| housekeeping::run(log.clone(), checkpointer.clone(), every, stop));
    }

    /// Starts what puts on record, every `interval` if the log has grown, what the read models come to.
    pub fn start_attestation(&mut self, interval: Duration) {
        let log = self.deps.log.clone();
        self.lead(STATE_ATTESTER, move |stop| attest::run(log.clone(), interval, stop));
    }

    /// Starts a worker that one process at a time runs.
    fn lead<F, Fut, E>(&mut self, name: &'static str, work: F)
    where
        F: Fn(CancellationToken) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send,
        E: Display + Send,
    {
        let board = Board::new(name);
        self.boards.push(board.clone());
        let (deps, stop) = (self.deps.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            let led = || {
                board.note(WorkerState::Leading);
                work(stop.clone())
            };
            lead(&deps, &board, &stop, led).await;
        });
    }

    /// A handle that tells how they are, for those who do not own them.
    pub fn watch(&self) -> Watch {
        Watch { subscriptions: self.subscriptions.clone(), boards: self.boards.clone() }
    }

    /// Asks all of them to stop and returns when they have.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Runs `work` while this process has the role, again after a while when it fails.
async fn lead<Fut, E>(deps: &Deps, board: &Board, stop: &CancellationToken, work: impl Fn() -> Fut)
where
    Fut: Future<Output = Result<(), E>>,
    E: Display,
{
    let role = format!("worker:{}", board.name());
    let mut backoff = Duration::from_millis(100);
    while !stop.is_cancelled() {
        let lease = match deps.leases.try_take(&role).await {
            Ok(Some(lease)) => lease,
            other => {
                board.note(match other {
                    Err(error) => WorkerState::Retrying { error: format!("leadership: {error}") },
                    Ok(_) => WorkerState::Standby,
                });
                pause(STANDBY, stop).await;
                continue;
            }
        };
        let outcome = tokio::select! {
            outcome = work() => outcome,
            () = lost(deps, &lease) => Ok(()),
        };
        deps.leases.release(lease).await;
        match outcome {
            Ok(()) => {
                board.note(WorkerState::Standby);
                backoff = Duration::from_millis(100);
            }
            Err(error) => {
                tracing::warn!(worker.name = board.name(), worker.error = %error, "a worker stopped and will try again");
                board.note(WorkerState::Retrying { error: error.to_string() });
                pause(backoff, stop).await;
                backoff = (backoff * 2).min(MAX_BACKOFF);
            }
        }
    }
    board.note(WorkerState::Stopped);
}

/// Returns when the lease is lost.
async fn lost(deps: &Deps, lease: &Lease) {
    while deps.leases.holds(lease).await {
        tokio::time::sleep(STANDBY).await;
    }
}

async fn pause(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}
