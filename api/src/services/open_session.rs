//! Opening a live payment session: the payment, the session, its requirement and the pending entitlement in one append
//! (TR-31, INV-15).

use super::{products::Found, x402};
use crate::{
    http::{problem::Problem, rejection},
    routes::input::Customer,
    state::Settings,
};
use events::{
    clock::{new_id, random_bytes},
    unit::Unit,
    vocab::{
        bytes::SolanaAddress,
        event::{EntitlementOrigin, PaymentCreated, PaymentRequirementAuthored, PaymentSessionCreated},
        id::{EntitlementId, OwnerId, PaymentId, SessionId, SubjectId},
        personal::Personal,
        rail::RailId,
        stream::{Category, StreamId},
        time::Timestamp,
        words::{FeeSource, PaymentProtocol},
    },
};
use ledger::{
    Cited, entitlement,
    entitlement::Entitlement,
    fee::{self, Surface},
    payment::{self, Payment},
    payment_session::{self, PaymentSession},
    x402::{MAX_TIMEOUT_SECONDS, Terms},
};
use serde_json::Value;

/// How long a session waits for its payment.
pub const SESSION_SECONDS: i64 = 30 * 60;

/// What to open.
pub struct OpenSession<'a> {
    /// Whose product.
    pub owner: OwnerId,
    /// What is bought.
    pub found: &'a Found,
    /// Who buys.
    pub subject: SubjectId,
    /// As the caller named him.
    pub customer: &'a Customer,
    /// The amount, when it is not the product's price.
    pub amount: Option<u64>,
    /// The settlement rail, which has passed its gates.
    pub rail: RailId,
    /// The protocol around it; with x402, the facilitator's wallet that pays the network.
    pub x402: Option<SolanaAddress>,
    /// The caller's metadata.
    pub metadata: &'a Option<Value>,
    /// Now.
    pub now: Timestamp,
}

/// What was opened.
pub struct Opened {
    /// The session.
    pub session: PaymentSessionCreated,
    /// Its payment.
    pub payment: PaymentCreated,
    /// Its requirement.
    pub requirement: PaymentRequirementAuthored,
    /// What an x402 payment opens.
    pub resource: Option<String>,
    /// The pending entitlement.
    pub entitlement_id: EntitlementId,
    /// The hosted product's public name.
    pub slug: String,
}

/// Decides the four events of a new session in `unit`.
pub fn open(unit: &mut Unit, settings: &Settings, open: &OpenSession<'_>) -> Result<Opened, Problem> {
    let (session_id, payment_id, entitlement_id): (SessionId, PaymentId, EntitlementId) = (new_id(), new_id(), new_id());
    let product = &open.found.product;
    let expires_at = open.now.plus_seconds(SESSION_SECONDS);
    let amount = open.amount.unwrap_or(product.amount.units());
    let personal = Personal { metadata: open.metadata.as_ref().map(Value::to_string), ..open.customer.personal() };

    let terms = match open.x402 {
        Some(fee_payer) => {
            let resource = x402::resource(open.metadata, session_id, settings)?;
            Some(Terms { resource, fee_payer, max_timeout_seconds: MAX_TIMEOUT_SECONDS })
        }
        None => None,
    };
    let resource = terms.as_ref().map(|terms| terms.resource.clone());

    let mut session = unit.start::<PaymentSession>(StreamId::new(Category::PaymentSession, session_id));
    let create = payment_session::Create {
        session_id,
        app_id: product.app_id,
        access_product_id: product.access_product_id,
        product_id: product.product_id,
        payment_id,
        entitlement_id,
        subject_id: open.subject,
        wallet: open.customer.wallet.clone(),
        rail_id: open.rail,
        payment_protocol: open.x402.map(|_| PaymentProtocol::X402),
        amount,
        expires_at,
        personal,
    };
    let created = unit.decide(&mut session, payment_session::Command::Create(Box::new(create)), None);
    let session_event = first(created.map_err(|refused| rejection::decided(refused.code(), refused))?)?;
    let session_created = session.state.session().cloned().ok_or_else(inconsistent)?;

    let mut payment = unit.start::<Payment>(StreamId::new(Category::Payment, payment_id));
    let asked = payment_command(open, settings, &session_created);
    unit.decide(&mut payment, payment::Command::Create(Box::new(asked)), Some(session_event))
        .map_err(|refused| rejection::decided(refused.code(), refused))?;
    let facts = payment.state.facts().cloned().ok_or_else(inconsistent)?;

    let author = payment_session::Command::AuthorRequirement {
        owner_id: open.owner,
        session: Cited::new(session_event, session_created.clone()),
        payment: Box::new(facts.clone()),
        network: settings.solana_network.clone(),
        x402: terms,
    };
    let authored = unit.decide(&mut session, author, Some(session_event));
    let requirement_event = first(authored.map_err(|refused| rejection::decided(refused.code(), refused))?)?;
    let requirement = session.state.open().map(|open| open.requirement.clone()).ok_or_else(inconsistent)?;

    let mut entitlement = unit.start::<Entitlement>(StreamId::new(Category::Entitlement, entitlement_id));
    let pend = entitlement::Pend {
        entitlement_id,
        access_product_id: product.access_product_id,
        product_id: product.product_id,
        subject_id: open.subject,
        wallet: open.customer.wallet.clone(),
        rail_id: open.rail,
        origin: EntitlementOrigin::Session { session_id, payment_id },
        duration_days: product.entitlement_duration_days,
        personal: open.customer.personal(),
    };
    unit.decide(&mut entitlement, entitlement::Command::Pend(Box::new(pend)), Some(requirement_event))
        .map_err(|refused| rejection::decided(refused.code(), refused))?;
    Ok(Opened { session: session_created, payment: facts, requirement, resource, entitlement_id, slug: open.found.slug.clone() })
}

fn payment_command(open: &OpenSession<'_>, settings: &Settings, session: &PaymentSessionCreated) -> payment::Create {
    let rate = fee::rate(&fee::Rates { no_plan: settings.access_fee_bps, ..fee::LAUNCH }, Surface::Access(None));
    let product = &open.found.product;
    payment::Create {
        payment_id: session.payment_id,
        product_id: session.product_id,
        access_product_id: Some(session.access_product_id),
        session_id: Some(session.session_id),
        entitlement_id: Some(session.entitlement_id),
        subject_id: session.subject_id,
        nonce: random_bytes(),
        asset: settings.usdc(),
        amount: session.amount.units(),
        fee_bps: rate.bps,
        fee_policy: rate.policy,
        merchant_wallet: product.merchant_wallet,
        fee_wallet: settings.fee_wallet,
        // A customer identified by his wallet pays with it (INV-66).
        payer_wallet: open.customer.wallet.as_deref().and_then(|wallet| wallet.parse().ok()),
        membership: Some(ledger::product::plain_membership(product.entitlement_duration_days).terms),
        identity_required: false,
        place: None,
        quote: None,
        expires_at: session.expires_at,
        fee_source: open.x402.map_or(FeeSource::BuyerTransfer, |_| FeeSource::MerchantReceivable),
        // The session has sealed who the customer is.
        personal: Personal::default(),
    }
}

fn first(ids: Vec<events::vocab::id::EventId>) -> Result<events::vocab::id::EventId, Problem> {
    ids.first().copied().ok_or_else(inconsistent)
}

/// A fresh stream yields its first event or a rejection; anything else is our own fault.
fn inconsistent() -> Problem {
    tracing::error!("a fresh stream yielded no event");
    Problem::of(crate::http::problem::Code::Internal)
}

/// The public form of a requirement (RT-063); `resource` is what is sealed beside it in an x402 session.
pub fn requirement_view(requirement: &PaymentRequirementAuthored, resource: Option<&str>, settings: &Settings) -> Value {
    let mut view = plain_view(requirement);
    let part = resource.and_then(|resource| x402::requirement_part(requirement, resource, settings));
    if let (Value::Object(view), Some(Value::Object(part))) = (&mut view, part) {
        view.extend(part);
    }
    view
}

fn plain_view(requirement: &PaymentRequirementAuthored) -> Value {
    let transfers: Vec<Value> = requirement
        .required_transfers
        .iter()
        .map(|leg| serde_json::json!({"role": leg.role, "pay_to": leg.pay_to, "amount_minor_units": leg.amount}))
        .collect();
    serde_json::json!({
        "rail_id": requirement.rail_id,
        "network": requirement.network,
        "asset": requirement.asset,
        "memo": requirement.memo,
        "gross_amount_minor_units": requirement.gross,
        "merchant_amount_minor_units": requirement.merchant_amount,
        "hilt_fee_minor_units": requirement.fee_amount,
        "fee_bps": requirement.fee_bps,
        "fee_policy": requirement.fee_policy,
        "required_transfers": transfers,
        "expires_at": requirement.expires_at,
        "requirement_hash": requirement.requirement_hash,
    })
}
