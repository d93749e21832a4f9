//! Handing over what a payment bought (OBJ-07, OPS-60): a product's own value at settlement, and access that a bot makes and takes back.
//!
//! [`Handover`] makes attempts and tells what came of them; [`rescue`] makes those that are due. Neither touches a payment.

mod attempt;
mod diagnose;
mod discord;
mod handed;
mod offer;
pub mod rescue;
mod telegram;
mod withdraw;

pub use attempt::static_outcome;
pub use diagnose::{Action, Check, Diagnosis, ProviderState};
pub use discord::Discord;
pub use handed::Handed;
pub use offer::Offer;
pub use telegram::Telegram;

use events::{
    clock::Clock,
    codec::CodecError,
    log::{AppendError, Log, ReadError},
    unit::load,
    vault::{Vault, VaultError},
    vocab::{
        event::DeliveryRequested,
        id::{MembershipId, PaymentId, ProductId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    delivery::Automation,
    membership::{Member, Membership, Standing},
};
use offer::Person;
use std::sync::Arc;

/// Hands over.
#[derive(Clone)]
pub struct Handover(Arc<Parts>);

struct Parts {
    log: Log,
    vault: Vault,
    clock: Clock,
    telegram: Option<Telegram>,
    discord: Option<Discord>,
}

/// Why an attempt could not go on for the moment.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The log did not answer.
    #[error("the log: {0}")]
    Read(#[from] ReadError),
    /// The log did not take it.
    #[error("the log: {0}")]
    Append(#[from] AppendError),
    /// The vault did not answer.
    #[error("the vault: {0}")]
    Vault(#[from] VaultError),
    /// A read model did not answer.
    #[error("the read models: {0}")]
    Query(#[from] projections::QueryError),
    /// A read model is behind the log.
    #[error(transparent)]
    Behind(#[from] projections::runner::Behind),
    /// An event does not decode.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A rule refuses what should always be allowed.
    #[error("the ledger refuses: {0}")]
    Refused(&'static str),
}

impl Handover {
    /// Hands over what payments of `log` bought, by the bots that the deployment has.
    pub fn new(log: Log, vault: Vault, clock: Clock, telegram: Option<Telegram>, discord: Option<Discord>) -> Self {
        Handover(Arc::new(Parts { log, vault, clock, telegram, discord }))
    }

    /// Which providers this deployment can ask.
    pub fn automation(&self) -> Automation {
        Automation { telegram: self.0.telegram.is_some(), discord: self.0.discord.is_some() }
    }

    /// What the product hands over now.
    pub async fn offer(&self, product: ProductId) -> Result<Offer, DeliverError> {
        offer::offer(&self.0.log, &self.0.vault, product).await
    }

    /// Whether the access that was bought still runs; what has no membership runs for ever.
    pub async fn access_runs(&self, membership: Option<MembershipId>) -> Result<bool, DeliverError> {
        let Some(id) = membership else { return Ok(true) };
        let membership = load::<Membership>(&self.0.log, StreamId::new(Category::Membership, id)).await?;
        let now = self.0.clock.now();
        let runs = |member: &Member| member.standing != Standing::Revoked && now < member.grace_end();
        Ok(membership.state.member().is_some_and(runs))
    }

    async fn person(&self, requested: &DeliveryRequested) -> Result<Person, DeliverError> {
        self.person_of(requested.membership_id, requested.payment_id).await
    }

    async fn person_of(&self, membership: Option<MembershipId>, payment: PaymentId) -> Result<Person, DeliverError> {
        offer::person(&self.0.log, &self.0.vault, membership, payment).await
    }
}
