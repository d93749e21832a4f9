//! The sale behind an event: who paid for what, over which rail; in the sandbox, who would have.

use super::{
    message::{Access, Customer},
    problem::WorkError,
};
use events::{
    log::Log,
    vault::Vault,
    vocab::{
        event::{AccessProductCreated, ActivationEvidence, EntitlementOrigin, EntitlementPended, Event, PaymentCreated},
        id::{AccessProductId, EntitlementId, PaymentId, ProductId},
        personal::Personal,
        rail::RailId,
        stream::{Category, StreamId},
    },
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, RwLock},
};

/// More products than this are not kept in memory at a time.
const KEPT: usize = 10_000;

/// What an event goes back to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Root {
    /// A payment.
    Payment(PaymentId),
    /// Access in the sandbox, which nobody paid for.
    Sandbox(EntitlementId),
}

/// What it goes back to, as the log has it.
pub(super) struct Origin {
    /// The hosted product.
    pub product: ProductId,
    /// Who paid.
    pub customer: Customer,
    /// The access product, for products of the Pay API.
    pub access: Option<Access>,
    /// What waited for the sandbox's proof.
    pub sandbox: Option<EntitlementPended>,
}

/// What `event` goes back to, if an owner could be told of it.
pub(super) fn root(event: &Event) -> Option<Root> {
    match event {
        Event::PaymentConfirmed(e) => Some(Root::Payment(e.payment_id)),
        Event::ReceiptCreated(e) => e.payment_id.map(Root::Payment),
        Event::MembershipActivated(e) => Some(Root::Payment(e.payment_id)),
        Event::MembershipExpired(e) => Some(Root::Payment(e.payment_id)),
        Event::DeliveryFailed(e) => Some(Root::Payment(e.payment_id)),
        Event::EntitlementActivated(e) => match e.evidence {
            ActivationEvidence::Sandbox { .. } => Some(Root::Sandbox(e.entitlement_id)),
            ActivationEvidence::Receipt { .. } | ActivationEvidence::Membership { .. } => None,
        },
        Event::EntitlementExpired(e) => Some(Root::Sandbox(e.entitlement_id)),
        _ => None,
    }
}

/// Reads origins.
#[derive(Clone)]
pub(super) struct Origins {
    log: Log,
    vault: Vault,
    products: Arc<RwLock<HashMap<AccessProductId, Arc<AccessProductCreated>>>>,
}

/// Events that began streams, with what was sealed beside them.
type Firsts = HashMap<StreamId, (Event, Personal)>;

impl Origins {
    pub fn new(log: Log, vault: Vault) -> Self {
        Origins { log, vault, products: Arc::default() }
    }

    /// The origins of `roots`. One that the log does not hold is left out.
    pub async fn of(&self, roots: &BTreeSet<Root>) -> Result<HashMap<Root, Origin>, WorkError> {
        let begun = self.firsts(roots.iter().map(|root| root.stream()).collect()).await?;
        let sessions = self.firsts(begun.values().filter_map(|(event, _)| session_of(event)).collect()).await?;
        let products: BTreeSet<AccessProductId> = begun.values().filter_map(|(event, _)| product_of(event)).collect();
        let products = self.products(&products).await?;
        let origin = |root: &Root| {
            let (event, personal) = begun.get(&root.stream())?;
            let session = session_of(event).and_then(|stream| sessions.get(&stream));
            let product = product_of(event).and_then(|id| products.get(&id)).map(|product| (**product).clone());
            Some((*root, origin(event, personal.clone(), session, product)?))
        };
        Ok(roots.iter().filter_map(origin).collect())
    }

    /// The events that began `streams`.
    async fn firsts(&self, streams: Vec<StreamId>) -> Result<Firsts, WorkError> {
        if streams.is_empty() {
            return Ok(Firsts::new());
        }
        let events = self.log.first_events(&streams).await?;
        let opened = self.vault.open_all(&events).await?;
        let first = |(recorded, personal): (&events::vocab::stream::Recorded, Option<Personal>)| {
            Ok((recorded.envelope.stream, (recorded.decode()?, personal.unwrap_or_default())))
        };
        events.iter().zip(opened).map(first).collect()
    }

    async fn products(&self, wanted: &BTreeSet<AccessProductId>) -> Result<HashMap<AccessProductId, Arc<AccessProductCreated>>, WorkError> {
        let known = self.products.read().map(|known| wanted.iter().filter_map(|id| Some((*id, known.get(id)?.clone()))).collect());
        let mut found: HashMap<_, _> = known.unwrap_or_default();
        let missing = wanted.iter().filter(|id| !found.contains_key(id));
        let read = self.firsts(missing.map(|id| StreamId::new(Category::AccessProduct, *id)).collect()).await?;
        for (event, _) in read.into_values() {
            if let Event::AccessProductCreated(product) = event {
                found.insert(product.access_product_id, Arc::new(product));
            }
        }
        if let Ok(mut known) = self.products.write() {
            if known.len() >= KEPT {
                known.clear();
            }
            known.extend(found.iter().map(|(id, product)| (*id, product.clone())));
        }
        Ok(found)
    }
}

impl Root {
    fn stream(self) -> StreamId {
        match self {
            Root::Payment(id) => StreamId::new(Category::Payment, id),
            Root::Sandbox(id) => StreamId::new(Category::Entitlement, id),
        }
    }
}

/// The session that a payment or an entitlement came from.
fn session_of(event: &Event) -> Option<StreamId> {
    match event {
        Event::PaymentCreated(payment) => payment.session_id.map(|id| StreamId::new(Category::PaymentSession, id)),
        Event::EntitlementPended(pended) => match pended.origin {
            EntitlementOrigin::Sandbox { sandbox_session_id, .. } => Some(StreamId::new(Category::SandboxSession, sandbox_session_id)),
            EntitlementOrigin::Session { .. } => None,
        },
        _ => None,
    }
}

fn product_of(event: &Event) -> Option<AccessProductId> {
    match event {
        Event::PaymentCreated(payment) => payment.access_product_id,
        Event::EntitlementPended(pended) => Some(pended.access_product_id),
        _ => None,
    }
}

/// What the session says of the customer counts where the payment says nothing.
fn origin(
    event: &Event,
    mut personal: Personal,
    session: Option<&(Event, Personal)>,
    product: Option<AccessProductCreated>,
) -> Option<Origin> {
    if let Some((_, of_session)) = session {
        personal.external_customer_id = personal.external_customer_id.or_else(|| of_session.external_customer_id.clone());
        personal.email = personal.email.or_else(|| of_session.email.clone());
    }
    let of = |product_id, subject, rail: Option<RailId>, sandbox| Origin {
        product: product_id,
        customer: Customer { subject, personal },
        access: product.map(|product| Access { rail_id: rail.unwrap_or(product.default_rail), product }),
        sandbox,
    };
    match event {
        Event::PaymentCreated(PaymentCreated { product_id, subject_id, .. }) => {
            let rail = session.and_then(|(event, _)| match event {
                Event::PaymentSessionCreated(session) => Some(session.rail_id),
                _ => None,
            });
            Some(of(*product_id, *subject_id, rail, None))
        }
        Event::EntitlementPended(pended) if matches!(pended.origin, EntitlementOrigin::Sandbox { .. }) => {
            Some(of(pended.product_id, pended.subject_id, Some(pended.rail_id), Some(pended.clone())))
        }
        _ => None,
    }
}
