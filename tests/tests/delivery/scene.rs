//! A shop whose product hands something over, and buyers who pay for it on a real chain.

use crate::shop::{Shop, legs, memo};
use events::{
    clock::new_id,
    log::{Append, Context, Expected, NewEvent, StreamWrite},
    vocab::{
        event::{Event, MembershipConfig, MembershipProfileUpdated, ProductChange, ProductUpdated},
        id::{MembershipId, PaymentId, ProductId, SubjectId},
        personal::Personal,
        stream::{Actor, Category, StreamId},
        words::{DeliveryStatus, DeliveryType, IdentityType},
    },
};
use hilt_tests::{
    app::{Answer, SOON, TestApp},
    chain::{LocalSolana, PayRequest},
    solana_tx::Keypair,
};
use projections::deliveries::{self, Delivery};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A product that hands something over.
pub struct Scene {
    pub app: TestApp,
    pub product: ProductId,
    shop: Shop,
    chain: LocalSolana,
    buyer: Keypair,
}

/// A payment that its buyer has sent.
pub struct Sale {
    pub payment: PaymentId,
    confirm: Value,
}

impl Scene {
    /// Opens the shop; `settings` configure the bots.
    pub async fn open(settings: &[(&str, &str)]) -> Self {
        let chain = LocalSolana::start().await;
        let app = TestApp::start(&[&[("HILT_SOLANA_RPC_URL", chain.rpc_url.as_str())], settings].concat()).await;
        let shop = Shop::open(&app).await;
        let listed = app.get(&app.live_key, "/v1/access/products").await.ok();
        let session = shop.session(&app, "probe").await;
        let payment: PaymentId = text(&session["payment_session"]["payment_id"]).parse().unwrap();
        let public = app.get_public(&format!("/v1/payments/{payment}")).await.ok();
        let product = text(&public["product_id"]).parse().unwrap_or_else(|_| panic!("{listed}"));
        let buyer = Keypair::generate();
        chain.airdrop(&buyer.address()).await;
        chain.fund(&buyer.address(), 500_000_000).await;
        Scene { app, product, shop, chain, buyer }
    }

    /// The product hands this over from now on.
    pub async fn hands_over(&self, delivery_type: DeliveryType, value: Option<&str>, config: MembershipConfig) {
        set(&self.app, self.product, delivery_type, value, config).await;
    }

    /// `customer` sends his payment, final on chain.
    pub async fn pay(&self, customer: &str) -> Sale {
        let session = self.shop.session(&self.app, customer).await;
        let requirement = &session["payment_session"]["payment_requirement"];
        let tx = self.chain.pay(PayRequest::usdc(&self.buyer, &legs(requirement), memo(requirement))).await;
        self.chain.wait_finalized(&tx).await;
        let payment = &session["payment_session"]["payment_id"];
        let confirm = json!({"payment_id": payment, "tx_signature": tx.to_string(), "payer_wallet": self.buyer.address().to_string()});
        Sale { payment: text(payment).parse().unwrap(), confirm }
    }

    /// He asks for what he bought.
    pub async fn confirm(&self, sale: &Sale) -> Value {
        self.app.send(self.app.request(Method::POST, "/v1/pay/confirm").json(&sale.confirm)).await.ok()
    }

    /// What anyone sees of a payment.
    pub async fn payment(&self, sale: &Sale) -> Value {
        self.app.get_public(&format!("/v1/payments/{}", sale.payment)).await.ok()
    }

    /// Presses "retry".
    pub async fn retry(&self, membership: &str) -> Answer {
        self.app.post(&self.app.live_key, &format!("/v1/memberships/{membership}/retry-delivery"), json!({})).await
    }

    /// What the product's analytics say of deliveries that failed.
    pub async fn failed_deliveries(&self) -> Value {
        let analytics = self.app.get(&self.app.live_key, &format!("/v1/products/{}/analytics", self.product)).await.ok();
        analytics["delivery_failed_count"].clone()
    }

    /// What the diagnostics say.
    pub async fn diagnose(&self, membership: &str) -> Value {
        self.app.get(&self.app.live_key, &format!("/v1/memberships/{membership}/delivery-diagnostics")).await.ok()
    }
}

/// The product hands this over from now on.
pub async fn set(app: &TestApp, product: ProductId, delivery_type: DeliveryType, value: Option<&str>, config: MembershipConfig) {
    let subject = app.state.vault.new_subject(app.owner).await.unwrap();
    let changes = vec![
        ProductChange::DeliveryType(Some(delivery_type)),
        ProductChange::DeliveryValue(value.is_some()),
        ProductChange::Membership(Some(config)),
    ];
    let updated = ProductUpdated { product_id: product, changes, subject_id: Some(subject), quote: None };
    let personal = value.map(|value| (subject, Personal { text: Some(value.to_owned()), ..Personal::default() }));
    append(app, StreamId::new(Category::Product, product), updated.into(), personal).await;
}

/// The member's platform identity becomes known.
pub async fn identify(app: &TestApp, membership: &str, kind: IdentityType, value: &str) {
    let membership_id: MembershipId = membership.parse().unwrap();
    let subject = app.state.vault.new_subject(app.owner).await.unwrap();
    let personal =
        Personal { identity_type: Some(kind.as_str().to_owned()), identity_value: Some(value.to_owned()), ..Personal::default() };
    let stream = StreamId::new(Category::Membership, membership_id);
    append(app, stream, MembershipProfileUpdated { membership_id }.into(), Some((subject, personal))).await;
}

async fn append(app: &TestApp, stream: StreamId, event: Event, personal: Option<(SubjectId, Personal)>) {
    let events = vec![NewEvent { event_id: new_id(), event, personal, causation_id: None }];
    let context =
        Context { owner_id: Some(app.owner), livemode: true, actor: Actor::system("test"), request_id: None, correlation_id: new_id() };
    let writes = vec![StreamWrite { stream, expected: Expected::Any, events }];
    app.state.log.append(Append { context, writes, idempotency: None }).await.unwrap();
}

/// Waits until the delivery of `payment` is as it should be.
pub async fn until(app: &TestApp, payment: PaymentId, holds: impl Fn(&Delivery) -> bool) -> Delivery {
    let deadline = Instant::now() + SOON;
    loop {
        let delivery = deliveries::find_public(&app.state.reader, payment).await.unwrap();
        match delivery {
            Some(delivery) if holds(&delivery) => return delivery,
            other => assert!(Instant::now() < deadline, "the delivery never came to it: {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until that many attempts were made.
pub async fn until_attempt(app: &TestApp, payment: PaymentId, attempts: u32) -> Delivery {
    // An attempt, its outcome and what follows are events of their own: the read model may hold the first without the others for a moment.
    let over = |delivery: &Delivery| {
        let tried = delivery.history.iter().find(|tried| tried.attempt == attempts);
        let failed = tried.is_some_and(|tried| tried.error.is_some()) && delivery.status != DeliveryStatus::Failed;
        failed || delivery.status == DeliveryStatus::Sent
    };
    until(app, payment, |delivery| delivery.attempts == attempts && over(delivery)).await
}

/// Settings of a membership of 30 days on a platform.
pub fn config(target: Option<&str>, role: Option<&str>, channel: Option<&str>) -> MembershipConfig {
    MembershipConfig {
        platform_target_id: target.map(str::to_owned),
        platform_role_id: role.map(str::to_owned),
        platform_channel_id: channel.map(str::to_owned),
        ..ledger::product::plain_membership(30)
    }
}

/// The status of one check of a diagnosis.
pub fn check<'a>(found: &'a Value, id: &str) -> &'a str {
    let checks = found["checks"].as_array().unwrap();
    text(&checks.iter().find(|check| check["id"] == json!(id)).unwrap_or_else(|| panic!("{id} is missing in {found}"))["status"])
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
