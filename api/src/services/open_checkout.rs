//! Opening a payment of a hosted product (TR-4, RT-010): the price, the fee, the buyer, and a place among the payments that the
//! product may have.

use super::{buyer::Identity, hosted::Hosted, open_session::SESSION_SECONDS, phantom};
use crate::{
    http::{
        fresh::OwnWrites,
        problem::{Code, Problem},
        rejection,
    },
    state::{Settings, State},
};
use axum::extract::FromRef;
use events::{
    claims::ClaimScope,
    clock::{Clock, new_id, random_bytes},
    log::{AppendError, Context, Log},
    unit::{Unit, is_conflict},
    vault::Vault,
    vocab::{
        bytes::SolanaAddress,
        event::{Asset, PaymentCreated, Place, PriceQuote},
        id::{PaymentId, SubjectId},
        money::FeeBps,
        personal::Personal,
        rail::RailId,
        stream::{Actor, Category, StreamId},
        words::{ActorKind, FeeSource, ProductType},
    },
};
use ledger::{
    fee::{self, Surface},
    payment::{self, Payment},
    product::free_place,
    rails::{KillSwitch, Rails},
};
use rails::{phantom::DappKey, price::PriceSource, solana::programs::NATIVE_MINT};
use std::sync::Arc;
use workers::platform::Platform;

/// Every attempt but the last loses its place to somebody else's payment, so a product with places left is sold long before.
const ATTEMPTS: usize = 200;

/// What a buyer asks for.
pub struct Ask<'a> {
    /// The product, which sells.
    pub hosted: &'a Hosted,
    /// The wallet that will pay; `None` when the buyer shows it later, as with Solana Pay.
    pub payer: Option<SolanaAddress>,
    /// The amount that he chose; a product with a price accepts only that.
    pub amount: Option<u64>,
    /// Who he says he is.
    pub identity: Option<&'a Identity>,
    /// Whether he may go to Phantom by deep links.
    pub deep_links: bool,
    /// The HTTP request.
    pub request_id: &'a str,
}

/// A payment to make.
pub struct Opened {
    /// What must be paid.
    pub payment: PaymentCreated,
    /// The service's key towards Phantom, if the buyer may go there.
    pub phantom: Option<DappKey>,
    /// Position of the last event.
    pub position: u64,
}

/// Opens payments of hosted products.
#[derive(Clone)]
pub struct Checkout {
    log: Log,
    vault: Vault,
    clock: Clock,
    prices: PriceSource,
    settings: Arc<Settings>,
    own_writes: OwnWrites,
    platform: Platform,
}

impl FromRef<State> for Checkout {
    fn from_ref(state: &State) -> Self {
        Checkout {
            log: state.log.clone(),
            vault: state.vault.clone(),
            clock: state.clock.clone(),
            prices: state.prices.clone(),
            settings: state.settings.clone(),
            own_writes: state.own_writes.clone(),
            platform: state.platform.clone(),
        }
    }
}

impl Checkout {
    /// Asks for a payment.
    pub async fn open(&self, ask: &Ask<'_>) -> Result<Opened, Problem> {
        offered(&self.settings)?;
        let amount = amount(ask)?;
        self.check_payer(ask)?;
        let quote = quote(&self.prices, &ask.hosted.product.asset, &self.clock).await?;
        let subject = self.subject(ask).await?;
        let payment_id: PaymentId = new_id();
        let mut key = None;
        for _ in 0..ATTEMPTS {
            let place = self.place(ask.hosted).await?;
            if ask.deep_links && key.is_none() {
                key = Some(phantom::new_key(&self.vault, payment_id).await.map_err(|error| rejection::read(&error))?);
            }
            let context = Context {
                owner_id: Some(ask.hosted.owner),
                livemode: true,
                actor: Actor { kind: ActorKind::Public, id: None },
                request_id: Some(ask.request_id.to_owned()),
                correlation_id: payment_id.0,
            };
            let mut unit = Unit::new(&self.log, context);
            let standing = self.platform.standing().await.map_err(|error| rejection::read(&error))?;
            unit.rely_on(&standing.policy);
            running(&standing.rails)?;
            let mut payment = unit.start::<Payment>(StreamId::new(Category::Payment, payment_id));
            let create = self.create(ask, payment_id, subject, amount, place, quote.clone());
            unit.decide(&mut payment, payment::Command::Create(Box::new(create)), ask.hosted.loaded.last_event)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let facts = payment.state.facts().cloned().ok_or_else(|| Problem::of(Code::Internal))?;
            if let Some(key) = &key {
                phantom::open(&mut unit, &facts, key)?;
            }
            match unit.commit().await {
                Ok(appended) => {
                    self.own_writes.wrote(ask.hosted.owner, appended.last_position);
                    return Ok(Opened { payment: facts, phantom: key, position: appended.last_position });
                }
                // Somebody was faster; another place may be free, and if none is, the next look says so.
                Err(AppendError::ClaimTaken { claim, .. }) if claim.scope == ClaimScope::Place => {}
                // The platform's policy was changed meanwhile; the next look finds what it says now.
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(rejection::append(error)),
            }
        }
        Err(Problem::of(Code::Conflict).retry_after(1))
    }

    /// Payments to oneself move nothing, so no chain could ever show them.
    fn check_payer(&self, ask: &Ask<'_>) -> Result<(), Problem> {
        let receives = [Some(ask.hosted.product.merchant_wallet), self.settings.fee_wallet];
        match ask.payer {
            Some(payer) if receives.contains(&Some(payer)) => {
                Err(Problem::field(Code::InvalidWallet, "payer_wallet", "is a wallet that this payment goes to"))
            }
            _ => Ok(()),
        }
    }

    /// A buyer is known by the identity that he names, or else by his wallet, never by both: nobody becomes another by naming his
    /// wallet beside an identity of his own.
    async fn subject(&self, ask: &Ask<'_>) -> Result<SubjectId, Problem> {
        let owner = ask.hosted.owner;
        match (ask.identity, ask.payer) {
            (Some(identity), _) => identity.subject(&self.vault, owner).await,
            (None, Some(payer)) => {
                let subject = self.vault.resolve_subject(owner, &[("wallet", &payer.to_string())]).await;
                subject.map_err(|error| rejection::read(&error))
            }
            (None, None) => self.vault.new_subject(owner).await.map_err(|error| rejection::read(&error)),
        }
    }

    async fn place(&self, hosted: &Hosted) -> Result<Place, Problem> {
        let product = &hosted.product;
        let taken = match product.max_payments {
            Some(_) => self.log.taken_places(product.product_id).await.map_err(|error| rejection::read(&error))?,
            None => Vec::new(),
        };
        let number = free_place(product.max_payments, &taken, u64::from_le_bytes(random_bytes()));
        let number = number.ok_or_else(|| {
            Problem::of(Code::MaxPaymentsReached).next_action("A place becomes free when an open payment expires or fails.")
        })?;
        Ok(Place { product_id: product.product_id, number })
    }

    fn create(
        &self,
        ask: &Ask<'_>,
        payment_id: PaymentId,
        subject_id: SubjectId,
        amount: u64,
        place: Place,
        quote: Option<PriceQuote>,
    ) -> payment::Create {
        let product = &ask.hosted.product;
        let rate = workspace_rate(&self.settings);
        let membership = product.membership.as_ref();
        payment::Create {
            payment_id,
            product_id: product.product_id,
            access_product_id: None,
            session_id: None,
            entitlement_id: None,
            subject_id,
            nonce: random_bytes(),
            asset: product.asset.clone(),
            amount,
            fee_bps: rate.0,
            fee_policy: rate.1,
            merchant_wallet: product.merchant_wallet,
            fee_wallet: self.settings.fee_wallet,
            payer_wallet: ask.payer,
            membership: membership.filter(|config| config.enabled).map(|config| config.terms.clone()),
            identity_required: membership.is_some_and(|config| config.identity_required),
            place: Some(place),
            quote,
            expires_at: self.clock.now().plus_seconds(SESSION_SECONDS),
            fee_source: FeeSource::BuyerTransfer,
            personal: ask.identity.map_or_else(Personal::default, Identity::personal),
        }
    }
}

/// The rail that a hosted checkout settles on runs: neither stopped nor taken out of production (INV-30).
pub fn running(rails: &Rails) -> Result<(), Problem> {
    let rail = rails.get(RailId::SolanaUsdc);
    match rail.kill_switch {
        KillSwitch::Tripped => Err(Problem::of(Code::RailKillSwitched).next_action("Try again when Hilt has ended the emergency stop.")),
        KillSwitch::NotTripped if !rail.production_enabled => Err(Problem::of(Code::RailDisabled)),
        KillSwitch::NotTripped => Ok(()),
    }
}

/// Refuses where the deployment offers no hosted products.
pub fn offered(settings: &Settings) -> Result<(), Problem> {
    match settings.hosted_products {
        true => Ok(()),
        false => Err(Problem::new(Code::FeatureDisabled, "this deployment offers no hosted products")),
    }
}

/// The price of `asset` now, where one is needed: a dollar is a dollar, SOL has a price (MON-9).
pub async fn quote(prices: &PriceSource, asset: &Asset, clock: &Clock) -> Result<Option<PriceQuote>, Problem> {
    match asset.mint == NATIVE_MINT {
        true => prices.quote(clock.now()).await.map(Some).map_err(rejection::pricing),
        false => Ok(None),
    }
}

fn workspace_rate(settings: &Settings) -> (FeeBps, String) {
    let rate = fee::rate(&fee::Rates { workspace: settings.workspace_fee_bps, ..fee::LAUNCH }, Surface::Workspace);
    (rate.bps, rate.policy)
}

/// What is to be paid: the product's price, or what the buyer of a tip jar chose (DIS-32).
fn amount(ask: &Ask<'_>) -> Result<u64, Problem> {
    let product = &ask.hosted.product;
    let refused = |rule: &str| Err(Problem::field(Code::ValidationFailed, "amount_minor_units", rule));
    match (product.product_type, ask.amount) {
        (ProductType::TipJar, Some(amount)) => Ok(amount),
        (ProductType::TipJar, None) => refused("is required: the buyer of a TIP_JAR chooses the amount"),
        (ProductType::PaymentLink, Some(amount)) if amount != product.amount.units() => {
            refused("is the product's price and cannot be chosen")
        }
        (ProductType::PaymentLink, _) => Ok(product.amount.units()),
    }
}
