//! API keys as requests bring them: found by the claim on their hash, so a new key works and a revoked one stops without waiting for
//! a read model, and believed for half a second.

use super::{
    limits::{KeyAllowance, Limits},
    problem::{Code, Problem},
    rejection,
};
use crate::services::key_uses::{COARSE_MICROS, KeyUses};
use events::{
    claims::Claim,
    clock::Clock,
    log::Log,
    unit::load,
    vocab::{
        bytes::Hash32,
        id::{ApiKeyId, OwnerId},
        stream::Actor,
        time::Timestamp,
        words::{ActorKind, Scope},
    },
};
use ledger::api_key::ApiKey;
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};

/// How long a key is believed before the log is asked again: a revocation is effective within this time in every process.
const BELIEVED: Duration = Duration::from_millis(500);
/// The longest text that can be a key.
const LONGEST: usize = 128;
/// Keys that are remembered. Beyond it those that would be looked up anyway are forgotten first.
const REMEMBERED: usize = 20_000;

/// A valid API key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its id.
    pub id: ApiKeyId,
    /// Its owner.
    pub owner: OwnerId,
    /// It, as events name who acted.
    pub actor: Actor,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether it moves real money.
    pub livemode: bool,
    /// Whether a live key may also use the sandbox (DIS-27).
    pub sandbox_capable: bool,
    /// When it stops working by itself.
    pub works_until: Option<Timestamp>,
}

/// Finds keys.
#[derive(Clone)]
pub struct Keyring {
    log: Log,
    clock: Clock,
    uses: KeyUses,
    limits: Arc<Limits>,
    known: Arc<RwLock<HashMap<Hash32, Arc<Known>>>>,
}

/// A key that was looked up.
struct Known {
    key: Arc<Key>,
    looked_up: Instant,
    /// How much it is used.
    allowance: Arc<KeyAllowance>,
    traffic: Arc<Traffic>,
}

/// What is kept of a key from one look-up to the next.
#[derive(Default)]
struct Traffic {
    /// The use that was noted last, in microseconds since 1970.
    noted: AtomicI64,
    /// Held by whoever looks the key up: callers of a busy key wait for one answer instead of all asking.
    turn: Arc<Mutex<()>>,
}

impl Keyring {
    /// Keys of `log`; their uses are noted in `uses` and counted in `limits`.
    pub fn new(log: Log, clock: Clock, uses: KeyUses, limits: Arc<Limits>) -> Self {
        Keyring { log, clock, uses, limits, known: Arc::default() }
    }

    /// The key that was presented, if it works now, and how much it is used.
    pub async fn find(&self, presented: &str) -> Result<(Arc<Key>, Arc<KeyAllowance>), Problem> {
        let formed = presented.starts_with("hk_live_") || presented.starts_with("hk_sandbox_");
        if !formed || presented.len() > LONGEST {
            return Err(Problem::of(Code::InvalidApiKey));
        }
        let hash = Hash32::of(presented);
        let known = match self.known(&hash) {
            Some(known) if known.looked_up.elapsed() < BELIEVED => {
                if known.looked_up.elapsed() >= BELIEVED / 2 {
                    self.look_ahead(hash, &known);
                }
                known
            }
            known => self.look_again(hash, known).await?,
        };
        let now = self.clock.now();
        if known.key.works_until.is_some_and(|until| until <= now) {
            return Err(Problem::of(Code::InvalidApiKey));
        }
        self.used(&known, now);
        Ok((known.key.clone(), known.allowance.clone()))
    }

    fn known(&self, hash: &Hash32) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    async fn look_again(&self, hash: Hash32, known: Option<Arc<Known>>) -> Result<Arc<Known>, Problem> {
        let (allowance, traffic) = known.map(|known| (known.allowance.clone(), known.traffic.clone())).unzip();
        let traffic = traffic.unwrap_or_default();
        let _turn = traffic.turn.lock().await;
        if let Some(known) = self.known(&hash)
            && known.looked_up.elapsed() < BELIEVED
        {
            return Ok(known);
        }
        self.look_now(hash, allowance, traffic.clone()).await
    }

    /// Looks a busy key up before anyone has to wait for it.
    fn look_ahead(&self, hash: Hash32, known: &Known) {
        let Ok(turn) = known.traffic.turn.clone().try_lock_owned() else { return };
        let (keyring, allowance, traffic) = (self.clone(), known.allowance.clone(), known.traffic.clone());
        tokio::spawn(async move {
            let _turn = turn;
            // What went wrong is told to whoever has to ask himself.
            let _ = keyring.look_now(hash, Some(allowance), traffic).await;
        });
    }

    /// By whoever has the turn.
    async fn look_now(&self, hash: Hash32, allowance: Option<Arc<KeyAllowance>>, traffic: Arc<Traffic>) -> Result<Arc<Known>, Problem> {
        // From before the log is read: what happens meanwhile is not seen.
        let looked_up = Instant::now();
        let found = self.look_up(&hash).await?;
        let mut keys = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = found else {
            keys.remove(&hash);
            return Err(Problem::of(Code::InvalidApiKey));
        };
        if keys.len() >= REMEMBERED {
            keys.retain(|_, known| known.looked_up.elapsed() < BELIEVED);
        }
        let allowance = allowance.unwrap_or_else(|| Arc::new(self.limits.key(key.owner, self.clock.now())));
        let known = Arc::new(Known { key: Arc::new(key), looked_up, allowance, traffic });
        keys.insert(hash, known.clone());
        Ok(known)
    }

    async fn look_up(&self, hash: &Hash32) -> Result<Option<Key>, Problem> {
        let stream = self.log.find_claim(&Claim::api_key(hash)).await.map_err(|error| rejection::read(&error))?;
        let Some(stream) = stream else { return Ok(None) };
        let loaded = load::<ApiKey>(&self.log, stream).await.map_err(|error| rejection::read(&error))?;
        let (Some(owner), Some(livemode)) = (loaded.owner_id, loaded.livemode) else { return Ok(None) };
        Ok(loaded.state.working(self.clock.now()).map(|(issued, works_until)| Key {
            id: issued.key_id,
            owner,
            actor: Actor { kind: if livemode { ActorKind::Key } else { ActorKind::SandboxKey }, id: Some(issued.key_id.to_string()) },
            scopes: issued.scopes.clone(),
            livemode,
            sandbox_capable: issued.sandbox_capable,
            works_until,
        }))
    }

    /// Notes the use, once a minute.
    fn used(&self, known: &Known, now: Timestamp) {
        let noted = known.traffic.noted.load(Ordering::Relaxed);
        if now.micros().saturating_sub(noted) < COARSE_MICROS {
            return;
        }
        // Whoever wins notes it; the others' use is the same minute's.
        if known.traffic.noted.compare_exchange(noted, now.micros(), Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.uses.note(known.key.id, now);
        }
    }
}
