//! What is asked about: one merchant, one product, and a customer for each entitlement.

use super::super::scratch::BenchError;
use crate::services::keys::{self, Issue};
use events::{
    clock::{Clock, new_id, random_bytes},
    leader::Leases,
    log::{Append, Context, Expected, Log, LogOptions, NewEvent, StreamWrite},
    relay::StreamConfig,
    vault::{MasterKey, Vault},
    vocab::{
        bytes::SolanaAddress,
        event::{AccessProductCreated, Event},
        id::{AccessProductId, EntitlementId, OwnerId, ProductId},
        money::Minor,
        rail::RailId,
        stream::{Actor, Category, StreamId},
        words::{ActorKind, ProductStatus, Scope},
    },
};
use projections::runner::{Deps, Projections};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long the read models may take to be there.
const BUILT: Duration = Duration::from_secs(60);
/// Customers whose access is taken away in the course of it, one in so many.
const REVOCABLE: u64 = 10;

/// What is asked about.
pub struct World {
    log: Log,
    owner: OwnerId,
    key: String,
    master_key: [u8; 32],
    entitlements: u64,
    /// Entitlements of the first customers, to take away.
    revocable: Vec<EntitlementId>,
}

impl World {
    /// Fills the database at `url`, which is migrated.
    pub async fn make(url: &str, entitlements: u64) -> Result<Self, BenchError> {
        let pool = PgPoolOptions::new().max_connections(8).connect(url).await?;
        let master_key: [u8; 32] = random_bytes();
        let vault = Vault::new(pool.clone(), MasterKey::from_bytes(master_key), Clock::machine());
        let log = Log::open(pool.clone(), vault.clone(), Clock::machine(), LogOptions::default()).await?;
        let owner: OwnerId = new_id();
        let (product, access_product): (ProductId, AccessProductId) = (new_id(), new_id());
        let actor = Actor { kind: ActorKind::Operator, id: Some("bench".into()) };
        let issued = keys::issue(&log, &Clock::machine(), owner, true, Issue::new("bench", Scope::ALL), actor).await;
        let key = issued.map_err(|error| BenchError::Client(error.to_string()))?.key;
        let created = created(product, access_product);
        let mut world = World { log, owner, key, master_key, entitlements, revocable: Vec::new() };
        let position = world.append(StreamId::new(Category::AccessProduct, access_product), created).await?;
        build_models(&pool, &world.log, vault, position).await?;
        world.revocable = fill(&pool, owner, access_product, product, entitlements).await?;
        Ok(world)
    }

    /// Numbers of the customers whose access stays, from and up to.
    pub fn askable(&self) -> (u64, u64) {
        (self.revocable.len() as u64 + 1, self.entitlements + 1)
    }

    /// The entitlements to take away, of the customers 1, 2, 3 …
    pub fn revocable(&self) -> &[EntitlementId] {
        &self.revocable
    }

    /// The master key, in hexadecimal digits.
    pub fn master_key_hex(&self) -> String {
        hex::encode(self.master_key)
    }

    /// The whole HTTP request that asks about the customer of that number.
    pub fn question(&self, customer: u64) -> Vec<u8> {
        let body = format!(r#"{{"external_product_id":"pro-ai-api","rail":"solana_usdc","external_customer_id":"cust_{customer}"}}"#);
        let (key, length) = (&self.key, body.len());
        format!(
            "POST /v1/access/entitlements/check HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Hilt-Key: {key}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Appends one event of the merchant's.
    pub async fn append(&self, stream: StreamId, event: impl Into<Event>) -> Result<u64, BenchError> {
        let events = vec![NewEvent { event_id: new_id(), event: event.into(), personal: None, causation_id: None }];
        let context = Context {
            owner_id: Some(self.owner),
            livemode: true,
            actor: Actor::system("bench"),
            request_id: None,
            correlation_id: stream.id,
        };
        let append = Append { context, writes: vec![StreamWrite { stream, expected: Expected::Any, events }], idempotency: None };
        Ok(self.log.append(append).await?.last_position)
    }
}

fn created(product_id: ProductId, access_product_id: AccessProductId) -> AccessProductCreated {
    AccessProductCreated {
        access_product_id,
        product_id,
        app_id: new_id(),
        external_product_id: "pro-ai-api".to_owned(),
        title: "Pro AI API - 30 days".to_owned(),
        description: None,
        amount: Minor::MAX,
        merchant_wallet: SolanaAddress([3; 32]),
        entitlement_duration_days: 30,
        default_rail: RailId::SolanaUsdc,
        allowed_rails: vec![RailId::SolanaUsdc],
        status: ProductStatus::Active,
        live_mode_confirmed: true,
    }
}

/// Builds the read models from the short log.
async fn build_models(pool: &PgPool, log: &Log, vault: Vault, position: u64) -> Result<(), BenchError> {
    let (log, leases) = (log.clone(), Leases::new(pool.clone()));
    let deps = Deps { pool: pool.clone(), log, vault, nats: None, stream: StreamConfig::default(), leases };
    let stop = CancellationToken::new();
    let projections = Projections::start(deps, stop.clone());
    let names = projections.names();
    let built = projections.wait_for_all(&names, position, BUILT).await;
    stop.cancel();
    projections.stopped().await;
    built.map_err(|error| BenchError::Client(error.to_string()))
}

/// Puts a row for each customer into the read model: making a million payments would measure something else.
async fn fill(
    pool: &PgPool,
    owner: OwnerId,
    access_product: AccessProductId,
    product: ProductId,
    entitlements: u64,
) -> Result<Vec<EntitlementId>, BenchError> {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut transaction = pool.begin().await?;
    sqlx::query(include_str!("../sql/enter_entitlements.sql")).execute(&mut *transaction).await?;
    let customers = sqlx::query(include_str!("../sql/fill_entitlements.sql")).bind(owner.0).bind(access_product.0).bind(product.0);
    customers.bind(count(entitlements)).execute(&mut *transaction).await?;
    let ids: Vec<Uuid> = sqlx::query_scalar(include_str!("../sql/entitlement_ids.sql"))
        .bind(owner.0)
        .bind(access_product.0)
        .bind(count(entitlements / REVOCABLE).min(20_000))
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(ids.into_iter().map(EntitlementId).collect())
}
