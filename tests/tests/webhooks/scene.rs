//! A log with read models, a message bus and a receiver; shops that sell, and what became of their webhooks.

use events::{
    clock::{Clock, new_id},
    leader::Leases,
    log::{Append, Context, Expected, Log, LogOptions, NewEvent, StreamWrite},
    relay::{self, Relay, StreamConfig},
    unit::{self, Loaded, Unit},
    vault::{MasterKey, Vault},
    vocab::{
        bytes::{Hash32, Signature64, SolanaAddress, TxSignature},
        event::*,
        id::*,
        money::{FeeBps, Minor},
        personal::Personal,
        rail::RailId,
        stream::{Actor, Category, Fact, StreamId},
        time::Timestamp,
        words::{ProductStatus, ReceiptSource, WebhookEvent},
    },
};
use hilt_tests::{db::Database, receiver::Receiver, stack::nats_url};
use ledger::{
    rails::Rails,
    webhook_delivery::{RETRY_SECONDS, WebhookDelivery},
    webhook_endpoint::{self, WebhookEndpoint},
};
use projections::{
    Reader,
    access_events::Asked,
    runner::{Deps, Progress, Projections},
};
use sqlx::postgres::PgPoolOptions;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use workers::{
    WEBHOOK_EMITTER, Workers,
    platform::Platform,
    webhooks::{
        Feed, FeedPage, WebhookConfig,
        address::Targets,
        sign::{self, PURPOSE, Secret},
    },
};

/// How long anything may take that should happen soon.
const SOON: Duration = Duration::from_secs(20);

/// Returns once `holds` does.
pub async fn eventually<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    let deadline = Instant::now() + SOON;
    while !holds().await {
        assert!(Instant::now() < deadline, "it did not happen in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Everything but the workers.
pub struct Scene {
    pub log: Log,
    pub clock: Clock,
    pub receiver: Receiver,
    vault: Vault,
    database: Database,
    projections: Projections,
    deps: Deps,
}

/// A merchant with one access product.
pub struct Shop {
    pub owner: OwnerId,
    pub product: ProductId,
    pub access_product: AccessProductId,
    livemode: bool,
}

/// One payment's events: confirmed, its receipt, its membership.
pub struct Sale {
    pub events: [EventId; 3],
}

/// A registered receiver.
pub struct Hook {
    pub id: EndpointId,
    pub secret: String,
}

impl Hook {
    pub fn stream(&self) -> StreamId {
        StreamId::new(Category::WebhookEndpoint, self.id)
    }
}

impl Shop {
    /// The same merchant's sandbox.
    pub fn sandbox(&self) -> Shop {
        Shop { livemode: false, ..*self }
    }
}

async fn deps(database: &Database, clock: &Clock, stream: StreamConfig) -> Deps {
    let pool = PgPoolOptions::new().max_connections(16).connect(database.service_url()).await.unwrap();
    let vault = Vault::new(pool.clone(), MasterKey::from_bytes([7; 32]), clock.clone());
    let log = Log::open(pool.clone(), vault.clone(), clock.clone(), LogOptions::default()).await.unwrap();
    let nats = Some(events::nats::connect(&nats_url()).await.unwrap());
    Deps { leases: Leases::new(pool.clone()), pool, log, vault, nats, stream }
}

impl Scene {
    pub async fn start() -> Self {
        let clock = Clock::adjustable();
        let database = Database::fresh().await;
        // What a stream may hold is set aside for it at once, and tests run side by side.
        let prefix = format!("t{}", new_id::<uuid::Uuid>().simple());
        let stream = StreamConfig { prefix, max_bytes: 8 << 20, ..StreamConfig::default() };
        let deps = deps(&database, &clock, stream).await;
        let (log, vault) = (deps.log.clone(), deps.vault.clone());
        let client = deps.nats.clone().unwrap();
        let relay = Relay::new(deps.pool.clone(), log.clone(), client, deps.leases.clone(), deps.stream.clone());
        tokio::spawn(relay::run(relay, CancellationToken::new()));
        let projections = Projections::start(deps.clone(), CancellationToken::new());
        Scene { log, clock, receiver: Receiver::start().await, vault, database, projections, deps }
    }

    /// Workers in this process, which may call the receiver.
    pub fn workers(&self) -> Workers {
        self.workers_of(self.deps.clone(), true)
    }
    /// Workers as a deployment on the public Internet has them.
    pub fn workers_for_the_public_internet(&self) -> Workers {
        self.workers_of(self.deps.clone(), false)
    }
    /// Workers with a log, connections and roles of their own.
    pub async fn other_process(&self) -> Workers {
        self.workers_of(deps(&self.database, &self.clock, self.deps.stream.clone()).await, true)
    }
    fn platform(&self) -> Platform {
        Platform::new(self.log.clone(), Rails::standard())
    }
    fn workers_of(&self, deps: Deps, allow_private: bool) -> Workers {
        let projections = Projections::new(deps.clone());
        let platform = self.platform();
        let mut workers = Workers::new(deps, CancellationToken::new());
        let config = WebhookConfig { targets: Targets { allow_private }, ..WebhookConfig::default() };
        workers.start_webhooks(&projections, &platform, &self.clock, config).unwrap();
        workers
    }

    pub async fn shop(&self, livemode: bool) -> Shop {
        let shop = Shop { owner: new_id(), product: new_id(), access_product: new_id(), livemode };
        let product = AccessProductCreated {
            access_product_id: shop.access_product,
            product_id: shop.product,
            app_id: new_id(),
            external_product_id: "pro-ai-api".to_owned(),
            title: "Pro".to_owned(),
            description: None,
            amount: amount(),
            merchant_wallet: SolanaAddress([1; 32]),
            entitlement_duration_days: 30,
            default_rail: RailId::SolanaUsdc,
            allowed_rails: vec![RailId::SolanaUsdc],
            status: ProductStatus::Active,
            live_mode_confirmed: true,
        };
        self.append(&self.log, &shop, vec![(Category::AccessProduct, shop.access_product.0, vec![product.into()])]).await;
        shop
    }

    pub async fn endpoint(&self, shop: &Shop, path: &str, events: &[WebhookEvent], products: &[uuid::Uuid]) -> Hook {
        let (id, secret): (EndpointId, _) = (new_id(), Secret::generate());
        self.vault.put_secret(id.0, PURPOSE, secret.reveal().as_bytes()).await.unwrap();
        let mut unit = Unit::new(&self.log, context(shop));
        let mut endpoint = unit.start::<WebhookEndpoint>(StreamId::new(Category::WebhookEndpoint, id));
        let create = webhook_endpoint::Create {
            endpoint_id: id,
            label: None,
            url: self.receiver.url(path),
            subscribed_events: events.to_vec(),
            product_ids: products.to_vec(),
            secret_hash: secret.hash(),
            https_only: false,
        };
        unit.decide(&mut endpoint, webhook_endpoint::Command::Create(Box::new(create)), None).unwrap();
        unit.commit().await.unwrap();
        Hook { id, secret: secret.reveal() }
    }

    /// Changes a receiver as its merchant would.
    pub async fn command(&self, shop: &Shop, hook: &Hook, command: webhook_endpoint::Command) {
        let mut unit = Unit::new(&self.log, context(shop));
        let mut endpoint = unit.load::<WebhookEndpoint>(hook.stream()).await.unwrap();
        unit.decide(&mut endpoint, command, None).unwrap();
        unit.commit().await.unwrap();
    }
    /// A new signing secret, beside the one before it for so many seconds.
    pub async fn rotate(&self, shop: &Shop, hook: &Hook, overlap_seconds: u32) -> String {
        let secret = Secret::generate();
        self.vault.put_secret(sign::rotated(hook.id, secret.hash()), PURPOSE, secret.reveal().as_bytes()).await.unwrap();
        let now = self.clock.now();
        let command = webhook_endpoint::Command::RotateSecret { secret_hash: secret.hash(), overlap_seconds, now };
        self.command(shop, hook, command).await;
        secret.reveal()
    }
    pub async fn endpoint_state(&self, hook: &Hook) -> WebhookEndpoint {
        unit::load::<WebhookEndpoint>(&self.log, hook.stream()).await.unwrap().state
    }
    /// What the merchant is told, page by page, up to the head of the log.
    pub async fn feed(&self, shop: &Shop, limit: u32) -> Vec<serde_json::Value> {
        self.projections.wait_for("access_events", self.log.known_head() - 1, SOON).await.unwrap();
        let mut told = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(shop, after, limit).await;
            told.extend(page.messages.iter().map(|message| serde_json::from_str(message).unwrap()));
            if page.read_to == page.head {
                return told;
            }
            assert!(page.read_to > after, "a page leads on");
            after = page.read_to;
        }
    }
    pub async fn page(&self, shop: &Shop, after: Option<u64>, limit: u32) -> FeedPage {
        let feed = Feed::new(self.log.clone(), self.vault.clone(), self.platform(), Reader::new(self.deps.pool.clone()));
        let asked = Asked { owner: shop.owner, livemode: shop.livemode, after, event: None, product: None, limit };
        feed.page(asked).await.unwrap()
    }
    /// A log with a writer and connections of its own, as another process has it.
    pub async fn other_log(&self) -> Log {
        deps(&self.database, &self.clock, self.deps.stream.clone()).await.log
    }

    /// A payment by `customer`, from creation to membership.
    pub async fn sale(&self, shop: &Shop, customer: &str) -> Sale {
        self.sale_through(&self.log, shop, customer).await
    }
    /// The same through another process's log.
    pub async fn sale_through(&self, log: &Log, shop: &Shop, customer: &str) -> Sale {
        let subject = self.vault.resolve_subject(shop.owner, &[("external_customer_id", customer)]).await.unwrap();
        let (payment, receipt): (PaymentId, ReceiptId) = (new_id(), new_id());
        let membership = MembershipId::of(shop.product, subject);
        let tx = TxSignature(*bytes(payment.0, 64).first_chunk().unwrap());
        let personal = Personal { external_customer_id: Some(customer.to_owned()), ..Personal::default() };
        let ids = self
            .append(
                log,
                shop,
                vec![
                    (
                        Category::Payment,
                        payment.0,
                        vec![Fact::sealed(created(shop, payment, subject), subject, personal), confirmed(shop, payment, tx).into()],
                    ),
                    (Category::Receipt, receipt.0, vec![receipt_of(shop, payment, receipt, tx).into()]),
                    (Category::Membership, membership.0, vec![member(shop, payment, membership, subject, tx).into()]),
                ],
            )
            .await;
        Sale { events: [ids[1], ids[2], ids[3]] }
    }

    async fn append(&self, log: &Log, shop: &Shop, streams: Vec<(Category, uuid::Uuid, Vec<Fact>)>) -> Vec<EventId> {
        let mut ids = Vec::new();
        let mut writes = Vec::new();
        for (category, id, facts) in streams {
            let mut events = Vec::new();
            for Fact { event, personal } in facts {
                ids.push(new_id());
                events.push(NewEvent { event_id: ids[ids.len() - 1], event, personal, causation_id: None });
            }
            writes.push(StreamWrite { stream: StreamId::new(category, id), expected: Expected::NoStream, events });
        }
        log.append(Append { context: context(shop), writes, idempotency: None }).await.unwrap();
        ids
    }

    pub async fn delivery(&self, source: EventId, endpoint: EndpointId) -> Loaded<WebhookDelivery> {
        unit::load(&self.log, delivery_stream(source, endpoint)).await.unwrap()
    }
    /// Returns once the receiver has it and the log knows.
    pub async fn delivered(&self, source: EventId, endpoint: EndpointId) {
        eventually(|| async { matches!(self.delivery(source, endpoint).await.state, WebhookDelivery::Delivered { .. }) }).await;
    }
    /// Returns once so many attempts are recorded.
    pub async fn attempted(&self, source: EventId, endpoint: EndpointId, count: u32) -> Loaded<WebhookDelivery> {
        let made = |state: &WebhookDelivery| match state {
            WebhookDelivery::Absent => 0,
            WebhookDelivery::Due { attempts, .. }
            | WebhookDelivery::Delivered { attempts, .. }
            | WebhookDelivery::DeadLettered { attempts, .. } => *attempts,
        };
        eventually(|| async { made(&self.delivery(source, endpoint).await.state) >= count }).await;
        let delivery = self.delivery(source, endpoint).await;
        assert_eq!(made(&delivery.state), count);
        delivery
    }
    /// Lets the schedule of these deliveries pass, with every attempt at them.
    pub async fn attempt_all(&self, sources: &[EventId], hook: &Hook) {
        for (attempt, wait) in (1..).zip(RETRY_SECONDS.into_iter().chain([0])) {
            for source in sources {
                self.attempted(*source, hook.id, attempt).await;
            }
            // The jitter is a quarter at most.
            self.clock.advance_seconds(wait * 5 / 4 + 1);
        }
    }
    /// How many of the delivery's events are such.
    pub async fn recorded(&self, source: EventId, endpoint: EndpointId, such: impl Fn(&Event) -> bool) -> usize {
        let events = self.log.read_stream(delivery_stream(source, endpoint), 0).await.unwrap();
        events.iter().filter(|event| such(&event.decode().unwrap())).count()
    }
    /// Returns once emission is past `event`.
    pub async fn emitter_passed(&self, event: EventId) {
        let position = i64::try_from(self.log.event(event).await.unwrap().unwrap().position).unwrap();
        eventually(|| async {
            let query = sqlx::query_scalar(include_str!("sql/checkpoint.sql")).bind(WEBHOOK_EMITTER);
            query.fetch_optional(&self.deps.pool).await.unwrap().is_some_and(|checkpoint: i64| checkpoint >= position)
        })
        .await;
    }

    /// Read models, checkpoints of workers, and JetStream: gone.
    pub async fn lose_everything_derived(&self) {
        let context = async_nats::jetstream::new(self.deps.nats.clone().unwrap());
        // The relay makes it in its own time.
        eventually(|| async { context.delete_stream(self.deps.stream.name()).await.is_ok() }).await;
        self.as_admin(include_str!("sql/lose_slots.sql")).await;
        self.as_admin(include_str!("sql/lose_checkpoints.sql")).await;
    }
    pub async fn forget_what_was_emitted(&self) {
        self.as_admin(include_str!("sql/lose_checkpoints.sql")).await;
    }
    async fn as_admin(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&self.database.admin_pool().await).await.unwrap();
    }

    /// The live read models are what the log makes them.
    pub async fn rebuilt_equals_live(&self) {
        for name in ["webhook_endpoints", "webhook_deliveries", "access_events"] {
            self.projections.wait_for(name, self.log.known_head() - 1, SOON).await.unwrap();
            let comparison = self.projections.compare(name, Progress::silent()).await.unwrap();
            assert_eq!(comparison.differences, []);
            assert!(comparison.rows > 0);
        }
    }
}

fn delivery_stream(source: EventId, endpoint: EndpointId) -> StreamId {
    StreamId::new(Category::WebhookDelivery, DeliveryId::of(source, endpoint))
}

fn context(shop: &Shop) -> Context {
    Context {
        owner_id: Some(shop.owner),
        livemode: shop.livemode,
        actor: Actor::system("test"),
        request_id: None,
        correlation_id: new_id(),
    }
}

fn amount() -> Minor {
    Minor::new(79_000_000).unwrap()
}

fn bytes(seed: uuid::Uuid, length: usize) -> Vec<u8> {
    seed.as_bytes().iter().copied().cycle().take(length).collect()
}

fn now() -> Timestamp {
    Clock::machine().now()
}

fn created(shop: &Shop, payment_id: PaymentId, subject_id: SubjectId) -> PaymentCreated {
    PaymentCreated {
        payment_id,
        product_id: shop.product,
        access_product_id: Some(shop.access_product),
        session_id: None,
        entitlement_id: None,
        subject_id,
        nonce: payment_id.0.simple().to_string(),
        asset: Asset { symbol: "USDC".to_owned(), decimals: 6, mint: SolanaAddress([2; 32]) },
        amount: amount(),
        merchant_amount: amount(),
        fee_amount: Minor::ZERO,
        fee_bps: FeeBps::new(0).unwrap(),
        fee_policy: "test".to_owned(),
        merchant_wallet: SolanaAddress([1; 32]),
        fee_wallet: None,
        payer_wallet: None,
        membership: None,
        identity_required: false,
        place: None,
        quote: None,
        expires_at: now().plus_days(1),
        fee_source: events::vocab::words::FeeSource::BuyerTransfer,
    }
}

fn confirmed(shop: &Shop, payment_id: PaymentId, tx_signature: TxSignature) -> PaymentConfirmed {
    PaymentConfirmed {
        payment_id,
        product_id: shop.product,
        access_product_id: Some(shop.access_product),
        session_id: None,
        amount: amount(),
        tx_signature,
        payer_wallet: SolanaAddress([3; 32]),
        slot: 1,
        identity_session_id: None,
        confirmed_at: now(),
        settlement_event: new_id(),
    }
}

fn receipt_of(shop: &Shop, payment_id: PaymentId, receipt_id: ReceiptId, tx_signature: TxSignature) -> ReceiptCreated {
    ReceiptCreated {
        receipt_id,
        source: ReceiptSource::Checkout,
        payment_id: Some(payment_id),
        product_id: Some(shop.product),
        access_product_id: Some(shop.access_product),
        subject_id: None,
        amount: amount(),
        tx_signature,
        wallet: SolanaAddress([3; 32]),
        chain_verified: true,
        receipt_json: "{}".to_owned(),
        receipt_hash: Hash32::of("{}"),
        ed25519_sig: Signature64([0; 64]),
        kid: "test".to_owned(),
        receipt_schema: "1.0".to_owned(),
        credits_burned: 0,
        created_at: now(),
        settlement_event: Some(new_id()),
    }
}

fn member(
    shop: &Shop,
    payment_id: PaymentId,
    membership_id: MembershipId,
    subject_id: SubjectId,
    tx_signature: TxSignature,
) -> MembershipActivated {
    MembershipActivated {
        membership_id,
        product_id: shop.product,
        access_product_id: Some(shop.access_product),
        subject_id,
        wallet: SolanaAddress([3; 32]),
        payment_id,
        tx_signature,
        period_start: now(),
        period_end: now().plus_days(30),
        grace_period_days: 0,
        renewal_reminder_offsets_days: Vec::new(),
        platform: None,
        payment_event: new_id(),
    }
}
