//! What is on record of a customer and a product, for the entitlement check (RT-066): from the index in memory while it proves that
//! it is current, from PostgreSQL otherwise. Both find the same by the same rules; `ledger::entitlement_check` decides.

use crate::{
    http::{
        fresh::{Fresh, MinPosition, OwnWrites},
        problem::{Code, Problem},
        rejection,
    },
    routes::input::Customer,
};
use events::{
    clock::Clock,
    log::Log,
    vault::Vault,
    vocab::{
        id::{AccessProductId, MembershipId, OwnerId, ProductId, SubjectId},
        rail::RailId,
        time::Timestamp,
        words::PaymentProtocol,
    },
};
use ledger::entitlement_check::{self, Answer, Question, Standing};
use projections::{
    Reader,
    access_index::{AccessIndex, Asked, Held, HeldEntitlement, HeldMembership, Identity, Kind, Unfit, View},
    access_products::{self, AccessProduct},
    entitlements::{self, Entitlement, EntitlementStatus},
    memberships, payment_sessions, test_clocks,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// How long the index is waited for before PostgreSQL is asked.
const PATIENCE: Duration = Duration::from_millis(500);
/// Checks that PostgreSQL answers at the same time: the other routes need connections too.
const AT_ONCE: usize = 12;
/// How long a check waits for its turn there.
const TURN: Duration = Duration::from_secs(2);
/// What the check reads when the index cannot be asked.
const MODELS: [&str; 6] = ["access_products", "entitlements", "memberships", "payment_sessions", "payments", "test_clocks"];

/// Answers checks. Clones share all.
#[derive(Clone)]
pub struct AccessCheck(Arc<Inner>);

struct Inner {
    index: AccessIndex,
    log: Log,
    vault: Vault,
    clock: Clock,
    reader: Reader,
    fresh: Fresh,
    own_writes: OwnWrites,
    turns: Semaphore,
}

/// The product, as the caller names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named<'a> {
    /// By the merchant's own id.
    External(&'a str),
    /// By the id of the access product, or of the hosted product behind it.
    Id(Uuid),
}

/// What is asked.
pub struct Check<'a> {
    /// The workspace that everything is limited to (INV-19).
    pub owner: OwnerId,
    /// Live access, or the sandbox's.
    pub live: bool,
    /// Whether the caller may use both modes: then he may try a live product in the sandbox.
    pub both_modes: bool,
    /// What for.
    pub named: Named<'a>,
    /// The customer, or why he is none. Told only when there is such a product.
    pub customer: &'a Result<Customer, Problem>,
    /// The rail, the product's default unless told; or why it is none. Told only when there is such a customer.
    pub rail: &'a Result<Option<RailId>, Problem>,
    /// How fresh the answer must be.
    pub min: MinPosition,
}

/// The answer and what it is about.
pub struct Checked {
    /// The product.
    pub product: Arc<AccessProduct>,
    /// The rail that was asked about.
    pub rail: RailId,
    /// The answer.
    pub answer: Answer,
}

impl AccessCheck {
    /// From these parts.
    #[allow(clippy::too_many_arguments, reason = "its parts")]
    pub fn new(index: AccessIndex, log: Log, vault: Vault, clock: Clock, reader: Reader, fresh: Fresh, own_writes: OwnWrites) -> Self {
        AccessCheck(Arc::new(Inner { index, log, vault, clock, reader, fresh, own_writes, turns: Semaphore::new(AT_ONCE) }))
    }

    /// The answer, no older than the caller's own last write and than what he asks for.
    pub async fn answer(&self, check: &Check<'_>) -> Result<Checked, Problem> {
        let position = self.0.own_writes.last(check.owner).max(check.min.0);
        match self.0.index.wait(position, PATIENCE).await {
            Ok(()) => self.0.by_index(check),
            Err(unfit) => self.0.by_database(check, position, unfit).await,
        }
    }
}

impl Inner {
    fn by_index(&self, check: &Check<'_>) -> Result<Checked, Problem> {
        let owner = check.owner;
        let identity = |(kind, value): (Kind, &str)| Identity::new(&self.vault, owner, kind, value);
        let identities: Vec<Identity> = check.customer.iter().flat_map(identities).map(identity).collect();
        let view = self.index.view();
        let product = product_of_index(&view, check).ok_or_else(|| Problem::of(Code::ProductNotFound))?;
        check.customer.as_ref().map_err(Problem::clone)?;
        let rail = check.rail.clone()?.unwrap_or(product.default_rail);
        let now = self.clock.now();
        let asked = Asked {
            owner,
            live: check.live,
            memberships: reads_memberships(check.live, rail),
            product: &product,
            identities: &identities,
            now,
        };
        let held = view.held(&asked);
        drop(view);
        Ok(decide(product, rail, now, &held))
    }

    async fn by_database(&self, check: &Check<'_>, position: Option<u64>, unfit: Unfit) -> Result<Checked, Problem> {
        metrics::counter!("hilt_access_index_fallbacks_total", "reason" => unfit.as_str()).increment(1);
        // As fresh as the index is when it may be asked: everything that is committed now.
        let head = self.log.head().await.map_err(|error| rejection::read(&error))?.next_position;
        if position.is_some_and(|position| position >= head) {
            // What may never be committed is waited for without keeping others from their turn.
            self.fresh.wait(MODELS[0], None, MinPosition(position)).await?;
        }
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Problem::of(Code::Overloaded).retry_after(1)) };
        let min = MinPosition(position.max(head.checked_sub(1)));
        for name in MODELS {
            self.fresh.wait(name, None, min).await?;
        }
        let product = self.product_of_database(check).await?.ok_or_else(|| Problem::of(Code::ProductNotFound))?;
        let customer = check.customer.as_ref().map_err(Problem::clone)?;
        let rail = check.rail.clone()?.unwrap_or(product.default_rail);
        let now = self.clock.now();
        let held = self.held(check, &product, customer, rail, now).await?;
        Ok(decide(Arc::new(product), rail, now, &held))
    }

    async fn product_of_database(&self, check: &Check<'_>) -> Result<Option<AccessProduct>, Problem> {
        let (reader, owner) = (&self.reader, check.owner);
        match check.named {
            Named::External(id) => {
                for live in modes(check) {
                    let found = access_products::find_by_external_id(reader, owner, live, id).await.map_err(rejection::query)?;
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                Ok(None)
            }
            Named::Id(id) => {
                let mut found = access_products::find(reader, owner, id).await.map_err(rejection::query)?;
                if found.is_none() {
                    found = access_products::find_by_product(reader, owner, ProductId(id)).await.map_err(rejection::query)?;
                }
                Ok(found.filter(|product| modes(check).any(|live| product.meta.livemode == live)))
            }
        }
    }

    async fn held(
        &self,
        check: &Check<'_>,
        product: &AccessProduct,
        customer: &Customer,
        rail: RailId,
        now: Timestamp,
    ) -> Result<Held, Problem> {
        let owner = check.owner;
        let named = entitlements::Customer {
            external_customer_id: customer.external_customer_id.clone(),
            wallet: customer.wallet.clone(),
            email: customer.email.clone(),
        };
        let id = AccessProductId(product.meta.id);
        let mut rows = entitlements::of_customer(&self.reader, owner, id, !check.live, &named).await.map_err(rejection::query)?;
        rows.retain(|row| row.meta.livemode == check.live);
        rows.sort_by_key(|row| (row.meta.created_at, row.meta.id));
        let mut held = Held::default();
        if reads_memberships(check.live, rail) {
            held.memberships = self.memberships(owner, product, customer, &rows, now).await?;
        }
        for row in &rows {
            let protocol = rail == RailId::X402 && self.speaks_protocol(owner, row).await?;
            held.entitlements.push(HeldEntitlement {
                rail_id: row.rail_id,
                protocol,
                status: row.status,
                window: row.active_from.zip(row.expires_at),
                payment_id: row.payment_id,
                receipt_id: row.receipt_id,
                sandbox: row.sandbox,
                clock: self.shown(owner, row).await?,
            });
        }
        Ok(held)
    }

    /// What the entitlement's test clock shows, if it hangs on one.
    async fn shown(&self, owner: OwnerId, row: &Entitlement) -> Result<Option<Timestamp>, Problem> {
        let Some(clock) = row.test_clock_id else { return Ok(None) };
        let found = test_clocks::find(&self.reader, owner, clock).await.map_err(rejection::query)?;
        Ok(found.map(|clock| clock.frozen_time))
    }

    async fn speaks_protocol(&self, owner: OwnerId, row: &Entitlement) -> Result<bool, Problem> {
        let Some(session) = row.session_id else { return Ok(false) };
        let found = payment_sessions::find(&self.reader, owner, session).await.map_err(rejection::query)?;
        Ok(found.is_some_and(|session| session.payment_protocol.is_some() && session.entitlement_id.0 == row.meta.id))
    }

    /// Memberships of the people whose entitlements were found, or else of those whom the identities lead to.
    async fn memberships(
        &self,
        owner: OwnerId,
        product: &AccessProduct,
        customer: &Customer,
        rows: &[Entitlement],
        now: Timestamp,
    ) -> Result<Vec<HeldMembership>, Problem> {
        let mut people: BTreeSet<SubjectId> = rows.iter().filter_map(|row| row.meta.subject_id).collect();
        if people.is_empty() {
            people = self.vault.find_subjects(owner, &customer.identities()).await.map_err(|error| rejection::read(&error))?;
        }
        let mut held = Vec::new();
        for person in people {
            let id = MembershipId::of(product.product_id, person);
            let Some(found) = memberships::find(&self.reader, owner, id).await.map_err(rejection::query)? else { continue };
            let (row, receipt_id) = (found.membership, found.receipt_id);
            held.push(HeldMembership {
                from: row.current_period_start_at(now),
                until: row.current_period_end_at,
                grace_until: row.grace_end_at,
                revoked: row.revoked_at.is_some(),
                payment_id: row.latest_payment_id,
                receipt_id,
            });
        }
        Ok(held)
    }
}

/// In which modes the product may be, the first found counts.
fn modes(check: &Check<'_>) -> impl Iterator<Item = bool> {
    std::iter::once(check.live).chain((!check.live && check.both_modes).then_some(true))
}

/// Memberships are paid live, at the hosted checkout, which settles on one rail.
fn reads_memberships(live: bool, rail: RailId) -> bool {
    live && rail == RailId::SolanaUsdc
}

fn product_of_index(view: &View<'_>, check: &Check<'_>) -> Option<Arc<AccessProduct>> {
    let owner = check.owner;
    match check.named {
        Named::External(id) => modes(check).find_map(|live| view.product_by_external_id(owner, live, id)),
        Named::Id(id) => view.product(owner, id).filter(|product| modes(check).any(|live| product.meta.livemode == live)),
    }
}

fn identities(customer: &Customer) -> impl Iterator<Item = (Kind, &str)> {
    let all =
        [(Kind::ExternalCustomerId, &customer.external_customer_id), (Kind::Wallet, &customer.wallet), (Kind::Email, &customer.email)];
    all.into_iter().filter_map(|(kind, value)| value.as_deref().map(|value| (kind, value)))
}

fn decide(product: Arc<AccessProduct>, rail: RailId, now: Timestamp, held: &Held) -> Checked {
    let entitlements: Vec<_> = held.entitlements.iter().map(entitlement).collect();
    let membership = latest(&held.memberships);
    let question = Question { rail, allowed_rails: &product.allowed_rails, now };
    let answer = entitlement_check::decide(&question, &entitlements, membership.as_ref());
    Checked { product, rail, answer }
}

fn entitlement(held: &HeldEntitlement) -> entitlement_check::Entitlement {
    let standing = match (held.status, held.window) {
        (EntitlementStatus::Pending, _) => Standing::Pending,
        (EntitlementStatus::Active | EntitlementStatus::Expired, Some((from, until))) => Standing::Active { from, until },
        (EntitlementStatus::Revoked, _) => Standing::Revoked,
        // Active without a window cannot be written; it grants nothing.
        (EntitlementStatus::Failed | EntitlementStatus::Active | EntitlementStatus::Expired, _) => Standing::Failed,
    };
    entitlement_check::Entitlement {
        rail_id: held.rail_id,
        payment_protocol: held.protocol.then_some(PaymentProtocol::X402),
        standing,
        payment_id: held.payment_id,
        receipt_id: held.receipt_id,
        sandbox: held.sandbox,
        clock: held.clock,
    }
}

/// The membership with the latest period; one that was taken away only if there is no other.
fn latest(held: &[HeldMembership]) -> Option<entitlement_check::Membership> {
    let mut latest: Option<&HeldMembership> = None;
    for one in held {
        if latest.is_none_or(|latest| (!latest.revoked, latest.until) < (!one.revoked, one.until)) {
            latest = Some(one);
        }
    }
    latest.map(|held| entitlement_check::Membership {
        from: held.from,
        until: held.until,
        grace_until: held.grace_until,
        revoked: held.revoked,
        payment_id: Some(held.payment_id),
        receipt_id: held.receipt_id,
    })
}
