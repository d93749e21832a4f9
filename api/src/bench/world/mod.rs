//! A log of whole payments, made by the deciders that the service uses: each from its session to access, in one append.

mod stages;

use super::scratch::BenchError;
use events::{
    clock::new_id,
    log::{Context, Log},
    proof::Checkpointer,
    unit::Unit,
    vault::{KeyPurpose, Signer},
    vocab::{
        bytes::SolanaAddress,
        event::MembershipConfig,
        id::{AccessProductId, AppId, EndpointId, OwnerId, ProductId, SubjectId},
        rail::RailId,
        stream::{Actor, Category, StreamId},
        words::{ProductStatus, ProductType, WebhookEvent},
    },
};
use ledger::{
    access_product::{self, AccessProduct},
    product::{self, Product},
    webhook_endpoint::{self, WebhookEndpoint},
};
use stages::Stages;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use workers::webhooks::sign::{self, Secret};

/// Events of a registered receiver's that one payment is told as.
pub const TOLD: u64 = 2;
const PRICE: u64 = 25_000_000;
/// The name of the log in its checkpoints.
const ORIGIN: &str = "hilt.bench/log";
/// How many append at the same time.
const CLIENTS: usize = 64;
/// Buyers, each of many payments.
const BUYERS: u64 = 100;
/// Payments between two signed checkpoints.
const SIGNED_EVERY: u64 = 5_000;

/// What the payments have in common.
pub struct Shop {
    owner_id: OwnerId,
    app_id: AppId,
    products: Vec<Offer>,
    buyers: Vec<SubjectId>,
    signer: Signer,
    next: AtomicU64,
}

/// Something to sell.
#[derive(Clone, Copy)]
struct Offer {
    product: ProductId,
    access_product: AccessProductId,
}

/// One payment's part of the shop: no two buyers meet in it, so that no stream is read for it.
struct Sale {
    number: u64,
    offer: Offer,
    buyer: SubjectId,
}

impl Shop {
    /// A merchant of `log`, his buyers, and as many products that each of so many payments is the first of its product and buyer.
    pub async fn open(log: &Log, payments: u64) -> Result<Self, BenchError> {
        let owner_id = new_id();
        let mut buyers = Vec::new();
        for _ in 0..BUYERS {
            buyers.push(log.vault().new_subject(owner_id).await.map_err(told)?);
        }
        let signer = log.vault().signer(KeyPurpose::Receipt).await.map_err(told)?;
        let next = AtomicU64::new(0);
        let mut shop = Shop { owner_id, app_id: new_id(), products: Vec::new(), buyers, signer, next };
        for number in 0..payments.div_ceil(BUYERS).max(1) {
            let offer = shop.offer(log, number).await?;
            shop.products.push(offer);
        }
        Ok(shop)
    }

    async fn offer(&self, log: &Log, number: u64) -> Result<Offer, BenchError> {
        let offer = Offer { product: new_id(), access_product: new_id() };
        let (mut unit, wallet) = (Unit::new(log, self.context()), SolanaAddress([3; 32]));
        let mut product = unit.start::<Product>(StreamId::new(Category::Product, offer.product));
        let create = product::Create {
            product_id: offer.product,
            slug: format!("p-{}", offer.product),
            product_type: ProductType::PaymentLink,
            fields: product::Fields {
                title: Some("Pro AI API - 30 days".to_owned()),
                amount: Some(Some(PRICE)),
                asset: Some(stages::usdc()),
                merchant_wallet: Some(wallet),
                membership: Some(Some(MembershipConfig { terms: stages::terms(), ..product::plain_membership(30) }.into())),
                ..product::Fields::default()
            },
            access_product_id: Some(offer.access_product),
            merchant: None,
            quote: None,
        };
        let created =
            unit.decide(&mut product, product::Command::Create(Box::new(create)), None).map_err(|refused| told(refused.code()))?;
        let mut access = unit.start::<AccessProduct>(StreamId::new(Category::AccessProduct, offer.access_product));
        let create = access_product::Create {
            access_product_id: offer.access_product,
            product_id: offer.product,
            app_id: self.app_id,
            external_product_id: format!("pro-ai-api-{number}"),
            title: "Pro AI API - 30 days".to_owned(),
            description: None,
            amount: PRICE,
            merchant_wallet: wallet,
            entitlement_duration_days: 30,
            default_rail: RailId::SolanaUsdc,
            allowed_rails: vec![RailId::SolanaUsdc],
            status: ProductStatus::Active,
            livemode: true,
            live_mode_confirmed: true,
        };
        unit.decide(&mut access, access_product::Command::Create(Box::new(create)), created.first().copied())
            .map_err(|refused| told(refused.code()))?;
        unit.commit().await?;
        Ok(offer)
    }

    /// The next sale, of those that the shop was opened for.
    fn sale(&self) -> Result<Sale, BenchError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        match (self.products.get(at(number / BUYERS)), self.buyers.get(at(number % BUYERS))) {
            (Some(&offer), Some(&buyer)) => Ok(Sale { number, offer, buyer }),
            _ => Err(told("the shop was opened for fewer payments")),
        }
    }

    /// One payment, in one append. Returns the position of its last event.
    pub async fn pay(&self, log: &Log) -> Result<u64, BenchError> {
        let mut stages = Stages::begin(Unit::new(log, self.context()), self, self.sale()?, log.clock().now());
        stages.all()?;
        Ok(stages.unit.commit().await?.last_position)
    }

    /// A receiver of webhooks about this merchant's payments, at `url`.
    pub async fn register(&self, log: &Log, url: String) -> Result<EndpointId, BenchError> {
        let (endpoint_id, secret): (EndpointId, Secret) = (new_id(), Secret::generate());
        let mut unit = Unit::new(log, self.context());
        let mut endpoint = unit.start::<WebhookEndpoint>(StreamId::new(Category::WebhookEndpoint, endpoint_id));
        let create = webhook_endpoint::Create {
            endpoint_id,
            label: None,
            url,
            subscribed_events: vec![WebhookEvent::PaymentConfirmed, WebhookEvent::ReceiptCreated],
            product_ids: Vec::new(),
            secret_hash: secret.hash(),
            https_only: false,
        };
        unit.decide(&mut endpoint, webhook_endpoint::Command::Create(Box::new(create)), None).map_err(|refused| told(refused.code()))?;
        log.vault().put_secret(endpoint_id.0, sign::PURPOSE, secret.reveal().as_bytes()).await.map_err(told)?;
        unit.commit().await?;
        Ok(endpoint_id)
    }

    /// One payment as it goes by itself: its session, then its settlement once the chain shows it, then one webhook and what came of
    /// it, each an append of its own on streams that are read for it. Returns the position after each append.
    pub async fn live(&self, log: &Log, endpoint: EndpointId) -> Result<[u64; 4], BenchError> {
        let context = self.context();
        let mut stages = Stages::begin(Unit::new(log, context.clone()), self, self.sale()?, log.clock().now());
        stages.open()?;
        let opened = stages.commit(log, &context).await?;
        let open = stages.reopen().await?;
        stages.settle(open)?;
        let settled = stages.commit(log, &context).await?;
        let delivery = stages.emit(endpoint, settled - 1)?;
        let emitted = stages.commit(log, &context).await?;
        stages.deliver(delivery).await?;
        let delivered = stages.commit(log, &context).await?;
        Ok([opened, settled, emitted, delivered])
    }

    fn context(&self) -> Context {
        Context {
            owner_id: Some(self.owner_id),
            livemode: true,
            actor: Actor::system("bench"),
            request_id: Some("req_0123456789abcdef".to_owned()),
            correlation_id: new_id(),
        }
    }
}

/// Events of one payment, about; a shop is opened for as many payments as that gives.
const LEAST_EACH: u64 = 10;

/// Fills `log` with payments, until it has `events` events at least; signs it now and then, and at its end. Returns the verifier key.
pub async fn fill(log: &Log, events: u64) -> Result<String, BenchError> {
    let shop = Arc::new(Shop::open(log, events / LEAST_EACH + 1).await?);
    let checkpointer = Checkpointer::new(log.clone(), ORIGIN);
    let before = log.head().await?.next_position;
    let each = shop.pay(log).await? + 1 - before;
    pay_many(log, &shop, events.div_ceil(each.max(1)), Some(&checkpointer)).await?;
    checkpointer.sign().await.map_err(told)?;
    Ok(checkpointer.vkey().await.map_err(told)?.to_string())
}

/// Makes so many payments as fast as it goes.
pub async fn pay_many(log: &Log, shop: &Arc<Shop>, payments: u64, checkpointer: Option<&Checkpointer>) -> Result<(), BenchError> {
    let next = Arc::new(AtomicU64::new(1));
    let clients = (0..CLIENTS).map(|_| {
        let (log, shop, next, checkpointer) = (log.clone(), shop.clone(), next.clone(), checkpointer.cloned());
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number > payments {
                    return Ok::<_, BenchError>(());
                }
                shop.pay(&log).await?;
                if let Some(checkpointer) = checkpointer.as_ref().filter(|_| number.is_multiple_of(SIGNED_EVERY)) {
                    checkpointer.sign().await.map_err(told)?;
                }
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.map_err(told)??;
    }
    Ok(())
}

fn told(error: impl std::fmt::Display) -> BenchError {
    BenchError::Client(error.to_string())
}
