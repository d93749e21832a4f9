//! Histories written the way the service writes them, through deciders and the unit of work, without a chain: what a chain would
//! show is made up here.

mod force;
mod live;
mod sandbox;
mod shop;

pub use force::{first, force};
pub use live::{prove, session, session_of, settle};
pub use sandbox::sandbox;
pub use shop::shop;

use events::{
    clock::random_bytes,
    log::{Context, Log},
    proof::Checkpointer,
    unit::Unit,
    vocab::{
        bytes::{SolanaAddress, TxSignature},
        event::{Asset, EntitlementOrigin, Event, MembershipTerms},
        id::*,
        personal::Personal,
        rail::RailId,
        stream::{Actor, Category, StreamId},
        time::Timestamp,
    },
};
use ledger::{
    entitlement::{self, Entitlement},
    evidence::Evidence,
};
use uuid::Uuid;

/// The network that made-up payments are on.
pub const NETWORK: &str = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";
/// The name of the log in checkpoints signed here.
pub const ORIGIN: &str = "hilt.test/log";

/// A merchant with an app and an access product of 25 USDC.
#[derive(Clone, Copy, Debug)]
pub struct Shop {
    /// The workspace.
    pub owner_id: OwnerId,
    /// The app.
    pub app_id: AppId,
    /// The hosted product.
    pub product_id: ProductId,
    /// The access product.
    pub access_product_id: AccessProductId,
}

/// A session that waits for its payment.
#[derive(Clone, Copy, Debug)]
pub struct OpenSession {
    /// The business transaction.
    pub correlation_id: Uuid,
    /// The session.
    pub session_id: SessionId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// What it will activate.
    pub entitlement_id: EntitlementId,
    /// Who buys.
    pub subject_id: SubjectId,
}

/// A session that was paid for.
#[derive(Clone, Copy, Debug)]
pub struct Paid {
    /// The session.
    pub session: OpenSession,
    /// The proof.
    pub proof_id: ProofId,
    /// The receipt.
    pub receipt_id: ReceiptId,
    /// The membership.
    pub membership_id: MembershipId,
    /// The transaction.
    pub tx: TxSignature,
}

const ASSET_DECIMALS: u8 = 6;
const PRICE: u64 = 25_000_000;
/// A complete payment: session, proof, settlement, receipt, membership, access.
pub async fn paid(log: &Log, shop: &Shop) -> Paid {
    let open = session(log, shop).await;
    let (proof_id, tx) = prove(log, shop, &open).await;
    settle(log, shop, &open, proof_id, tx).await
}

/// A further payment of the same person.
pub async fn paid_again(log: &Log, shop: &Shop, before: &Paid) -> Paid {
    let open = session_of(log, shop, before.session.subject_id).await;
    let (proof_id, tx) = prove(log, shop, &open).await;
    settle(log, shop, &open, proof_id, tx).await
}

/// Signs the log as it stands, as the service does, and returns the note.
pub async fn sign_checkpoint(log: &Log) -> String {
    Checkpointer::new(log.clone(), ORIGIN).sign().await.unwrap().note
}

/// The verifier key of checkpoints signed here.
pub async fn log_vkey(log: &Log) -> String {
    Checkpointer::new(log.clone(), ORIGIN).vkey().await.unwrap().to_string()
}

/// The stream of `id`.
pub fn stream(category: Category, id: impl Into<Uuid>) -> StreamId {
    StreamId::new(category, id)
}

fn terms() -> MembershipTerms {
    MembershipTerms { billing_interval_days: 30, grace_period_days: 3, renewal_reminder_offsets_days: vec![7, 2, 1] }
}

fn asset() -> Asset {
    Asset { symbol: "USDC".to_owned(), decimals: ASSET_DECIMALS, mint: rails::solana::programs::USDC_MINT }
}

fn address() -> SolanaAddress {
    SolanaAddress(random_bytes())
}

fn context(owner: OwnerId, livemode: bool, correlation_id: Uuid) -> Context {
    Context { owner_id: Some(owner), livemode, actor: Actor::system("test"), request_id: Some("req_test".to_owned()), correlation_id }
}

fn customer() -> Personal {
    Personal {
        email: Some("buyer@example.com".to_owned()),
        external_customer_id: Some("customer-1".to_owned()),
        identity_type: Some("TELEGRAM_USER_ID".to_owned()),
        identity_value: Some("7710".to_owned()),
        identity_display: Some("@crzypeas".to_owned()),
        ..Personal::default()
    }
}

/// The event that `unit` decided with that id.
fn decided(unit: &Unit<'_>, id: EventId) -> Event {
    unit.events().find(|(decided, _, _)| *decided == id).map(|(_, _, event)| event.clone()).unwrap()
}

fn pend(shop: &Shop, entitlement_id: EntitlementId, subject_id: SubjectId, origin: EntitlementOrigin) -> entitlement::Command {
    entitlement::Command::Pend(Box::new(entitlement::Pend {
        entitlement_id,
        access_product_id: shop.access_product_id,
        product_id: shop.product_id,
        subject_id,
        wallet: None,
        rail_id: RailId::SolanaUsdc,
        origin,
        duration_days: 30,
        personal: customer(),
    }))
}

/// Activates at `now`, after the end of the access that the customer has, if he has any.
async fn activate(
    unit: &mut Unit<'_>,
    shop: &Shop,
    id: EntitlementId,
    evidence: Evidence,
    cause: EventId,
    (now, current_end): (Timestamp, Option<Timestamp>),
) -> EventId {
    let livemode = matches!(evidence, Evidence::Receipt(_));
    let mut entitlement = unit.load::<Entitlement>(stream(Category::Entitlement, id)).await.unwrap();
    let activate = entitlement::Activate { owner_id: shop.owner_id, livemode, evidence, current_end, now };
    unit.decide(&mut entitlement, entitlement::Command::Activate(Box::new(activate)), Some(cause)).unwrap()[0]
}
