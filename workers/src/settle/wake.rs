//! Wake-ups: a provider says that something happened with a transaction (RT-019). It is believed in nothing: the chain is asked whose
//! payment it is and whether it pays. A wake-up that is lost costs time only, for the watcher finds the payment by itself.

use super::{Asker, SettleError, Settlement, Settler};
use events::{
    claims::Claim,
    vocab::{bytes::TxSignature, id::PaymentId, stream::Actor, words::Trigger},
};
use rails::solana::{rpc::Commitment, transfer};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Transactions held in mind at most; what comes on top is left to the watcher.
const MOST: usize = 1_000;
/// Transactions looked at together.
const TOGETHER: usize = 8;
/// Providers call at *confirmed*; finality comes about a quarter of a minute later.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 16];

/// Takes wake-ups and looks into them in the background.
#[derive(Clone)]
pub struct Waker(Arc<Parts>);

struct Parts {
    settler: Settler,
    tasks: TaskTracker,
    stop: CancellationToken,
    together: Semaphore,
    under_way: Mutex<HashSet<TxSignature>>,
}

impl Waker {
    /// Looks into wake-ups with `settler`, in `tasks`, until `stop`.
    pub fn new(settler: Settler, tasks: TaskTracker, stop: CancellationToken) -> Self {
        let together = Semaphore::new(TOGETHER);
        Waker(Arc::new(Parts { settler, tasks, stop, together, under_way: Mutex::default() }))
    }

    /// Begins to look at `tx`, unless that is under way.
    pub fn wake(&self, tx: TxSignature, provider: &'static str, request_id: &str) {
        if !self.enter(tx) {
            return;
        }
        let (waker, request_id) = (self.clone(), request_id.to_owned());
        self.0.tasks.spawn(async move {
            let looked = waker.0.stop.run_until_cancelled(waker.look(tx, provider, request_id)).await;
            if let Some(Err(error)) = looked {
                tracing::warn!(%tx, %error, "a wake-up came to nothing; the watcher looks again");
            }
            waker.leave(&tx);
        });
    }

    async fn look(&self, tx: TxSignature, provider: &'static str, request_id: String) -> Result<(), SettleError> {
        let asker =
            Asker { actor: Actor::system(provider), request_id: Some(request_id), trigger: Trigger::Provider, identity_session_id: None };
        for pause in PAUSES {
            match self.once(tx, &asker).await? {
                Some(Settlement::Pending(_)) | None => tokio::time::sleep(Duration::from_secs(pause)).await,
                Some(_) => break,
            }
        }
        Ok(())
    }

    /// `None` while the chain does not show the transaction.
    async fn once(&self, tx: TxSignature, asker: &Asker) -> Result<Option<Settlement>, SettleError> {
        let Ok(_permit) = self.0.together.acquire().await else { return Ok(None) };
        let payments = match self.payments(&tx).await? {
            None => return Ok(None),
            Some(payments) => payments,
        };
        let mut outcome = Settlement::Refused("not_ours".into());
        for payment in payments {
            match self.0.settler.settle(payment, tx, asker).await {
                Ok(found) => outcome = found,
                Err(SettleError::Rejected { code, .. }) => tracing::debug!(%payment, code, "a wake-up's look was refused"),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(outcome))
    }

    /// The payments whose memo the transaction carries; `None` while the chain does not show it.
    async fn payments(&self, tx: &TxSignature) -> Result<Option<Vec<PaymentId>>, SettleError> {
        let settler = &self.0.settler;
        let chain = settler.chain().ok_or(SettleError::NoChain)?;
        let Some(raw) = chain.rpc.transaction(tx, Commitment::Confirmed).await? else { return Ok(None) };
        let Ok(transaction) = transfer::parse(&raw) else { return Ok(Some(Vec::new())) };
        let mut payments = Vec::new();
        for memo in transaction.memos.iter().filter(|memo| memo.starts_with("HILT:") && memo.len() <= 64) {
            payments.extend(settler.0.log.find_claim(&Claim::memo(memo)).await?.map(|stream| PaymentId(stream.id)));
        }
        Ok(Some(payments))
    }

    fn enter(&self, tx: TxSignature) -> bool {
        let mut under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.len() < MOST && under_way.insert(tx)
    }

    fn leave(&self, tx: &TxSignature) {
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(tx);
    }
}
