//! What a webhook says (OPS-51): rendered once, when it is emitted, so that every attempt sends the same bytes.

use events::vocab::{
    event::{
        AccessProductCreated, DeliveryFailed, EntitlementActivated, EntitlementExpired, EntitlementOrigin, EntitlementPended,
        MembershipActivated, MembershipExpired, PaymentConfirmed, ReceiptCreated,
    },
    id::{EventId, SubjectId},
    personal::Personal,
    rail::RailId,
    time::Timestamp,
    words::WebhookEvent,
};
use ledger::rails::Rail;
use serde_json::{Map, Value, json};

/// The facts of one event that receivers are told.
pub struct Told<'a> {
    /// The event's id: the message's own.
    pub id: EventId,
    /// When the log accepted it.
    pub at: Timestamp,
    /// Whether it concerns real money.
    pub livemode: bool,
    /// Position in the log: orders what a receiver is told.
    pub sequence: u64,
    /// Position of what the owner was told of before it, in the same mode: lets a receiver see a gap.
    pub previous_sequence: Option<u64>,
    /// Version of the event's stream: lets a receiver reject the stale.
    pub subject_version: u64,
    /// What it is about.
    pub about: About<'a>,
    /// Who paid; nobody in a test.
    pub customer: Option<&'a Customer>,
    /// The access product and the rail as it stood then, for products of the Pay API.
    pub access: Option<(&'a Access, &'a Rail)>,
}

/// The event told of.
pub enum About<'a> {
    /// A payment.
    Payment(&'a PaymentConfirmed),
    /// A receipt.
    Receipt(&'a ReceiptCreated),
    /// A membership that begins.
    Membership(&'a MembershipActivated),
    /// What was not handed over.
    Delivery(&'a DeliveryFailed),
    /// A membership that is over.
    Ended(&'a MembershipExpired),
    /// Access in the sandbox begins: told like a membership, so that an integration can be tried there. Nothing was paid.
    SandboxBegun {
        /// What began.
        activated: &'a EntitlementActivated,
        /// What it waited as.
        pended: &'a EntitlementPended,
    },
    /// It is over.
    SandboxEnded {
        /// What ended.
        ended: &'a EntitlementExpired,
        /// What it had waited as.
        pended: &'a EntitlementPended,
        /// When it was to end.
        period_end: Option<Timestamp>,
    },
    /// Nothing happened: the merchant wants to see a message.
    Test,
}

/// Who paid, as the merchant knows him.
#[derive(Clone)]
pub struct Customer {
    /// The person whose key seals the body.
    pub subject: SubjectId,
    /// What the payment, or its session, says of him.
    pub personal: Personal,
}

/// The access product and the rail of a session.
#[derive(Clone)]
pub struct Access {
    /// The product.
    pub product: AccessProductCreated,
    /// The rail that was paid over.
    pub rail_id: RailId,
}

impl Told<'_> {
    /// The body.
    pub fn body(&self) -> String {
        let mut data = Map::new();
        let (name, mut object) = self.about.object();
        if let Some(Customer { personal, .. }) = self.customer {
            object["external_customer_id"] = json!(personal.external_customer_id);
            object["email"] = json!(personal.email);
        }
        data.insert(name.to_owned(), object);
        if let About::SandboxBegun { pended, .. } | About::SandboxEnded { pended, .. } = self.about {
            data.insert("sandbox".to_owned(), sandbox_object(pended));
        }
        if let Some((access, rail)) = self.access {
            data.insert("access".to_owned(), access.object(rail));
        }
        json!({
            "id": self.id,
            "type": self.about.event(),
            "created_at": self.at,
            "livemode": self.livemode,
            "sequence": self.sequence,
            "previous_sequence": self.previous_sequence,
            "subject_version": self.subject_version,
            "data": data,
        })
        .to_string()
    }
}

impl About<'_> {
    /// What subscribers call it.
    pub fn event(&self) -> WebhookEvent {
        match self {
            About::Payment(_) => WebhookEvent::PaymentConfirmed,
            About::Receipt(_) => WebhookEvent::ReceiptCreated,
            About::Membership(_) | About::SandboxBegun { .. } => WebhookEvent::MembershipActivated,
            About::Delivery(_) => WebhookEvent::DeliveryFailed,
            About::Ended(_) | About::SandboxEnded { .. } => WebhookEvent::MembershipExpired,
            About::Test => WebhookEvent::Test,
        }
    }

    fn object(&self) -> (&'static str, Value) {
        match self {
            About::Payment(payment) => ("payment", payment_object(payment)),
            About::Receipt(receipt) => ("receipt", receipt_object(receipt)),
            About::Membership(membership) => ("membership", membership_object(membership)),
            About::Delivery(failed) => ("delivery", delivery_object(failed)),
            About::Ended(membership) => ("membership", ended_object(membership)),
            About::SandboxBegun { activated, pended } => ("membership", sandbox_begun_object(activated, pended)),
            About::SandboxEnded { ended, pended, period_end } => ("membership", sandbox_ended_object(ended, pended, *period_end)),
            About::Test => ("test", json!({ "message": "This is a test. Nothing was paid, and nobody has access by it." })),
        }
    }
}

fn payment_object(payment: &PaymentConfirmed) -> Value {
    json!({
        "id": payment.payment_id,
        "product_id": payment.product_id,
        "payment_session_id": payment.session_id,
        "status": "CONFIRMED",
        "amount_minor_units": payment.amount,
        "tx_signature": payment.tx_signature,
        "wallet": payment.payer_wallet,
        "slot": payment.slot,
        "confirmed_at": payment.confirmed_at,
    })
}

fn receipt_object(receipt: &ReceiptCreated) -> Value {
    json!({
        "id": receipt.receipt_id,
        "payment_id": receipt.payment_id,
        "product_id": receipt.product_id,
        "amount_minor_units": receipt.amount,
        "tx_signature": receipt.tx_signature,
        "wallet": receipt.wallet,
        "receipt_json": receipt.receipt_json,
        "receipt_hash": receipt.receipt_hash,
        "ed25519_sig": receipt.ed25519_sig,
        "kid": receipt.kid,
        "schema_version": receipt.receipt_schema,
        "created_at": receipt.created_at,
    })
}

fn membership_object(membership: &MembershipActivated) -> Value {
    json!({
        "id": membership.membership_id,
        "product_id": membership.product_id,
        "status": "ACTIVE",
        "wallet": membership.wallet,
        "payment_id": membership.payment_id,
        "tx_signature": membership.tx_signature,
        "current_period_start_at": membership.period_start,
        "current_period_end_at": membership.period_end,
    })
}

fn delivery_object(failed: &DeliveryFailed) -> Value {
    json!({
        "id": failed.delivery_id,
        "payment_id": failed.payment_id,
        "product_id": failed.product_id,
        "membership_id": failed.membership_id,
        "status": "FAILED",
        "mode": failed.mode,
        "attempt": failed.attempt,
        "reason": failed.reason,
        "failed_at": failed.failed_at,
    })
}

fn ended_object(membership: &MembershipExpired) -> Value {
    json!({
        "id": membership.membership_id,
        "product_id": membership.product_id,
        "status": "EXPIRED",
        "payment_id": membership.payment_id,
        "current_period_end_at": membership.period_end,
        "expired_at": membership.expired_at,
    })
}

/// The members of [`membership_object`]; its id is the entitlement's, since there is no membership in the sandbox.
fn sandbox_begun_object(activated: &EntitlementActivated, pended: &EntitlementPended) -> Value {
    json!({
        "id": activated.entitlement_id,
        "product_id": pended.product_id,
        "status": "ACTIVE",
        "wallet": pended.wallet,
        "payment_id": null,
        "tx_signature": null,
        "current_period_start_at": activated.active_from,
        "current_period_end_at": activated.expires_at,
    })
}

fn sandbox_ended_object(ended: &EntitlementExpired, pended: &EntitlementPended, period_end: Option<Timestamp>) -> Value {
    json!({
        "id": ended.entitlement_id,
        "product_id": pended.product_id,
        "status": "EXPIRED",
        "payment_id": null,
        "current_period_end_at": period_end,
        "expired_at": ended.expired_at,
    })
}

/// Says that nothing was paid.
fn sandbox_object(pended: &EntitlementPended) -> Value {
    let session = match pended.origin {
        EntitlementOrigin::Sandbox { sandbox_session_id, .. } => Some(sandbox_session_id),
        EntitlementOrigin::Session { .. } => None,
    };
    json!({ "entitlement_id": pended.entitlement_id, "sandbox_session_id": session })
}

impl Access {
    fn object(&self, rail: &Rail) -> Value {
        json!({
            "access_product": { "id": self.product.access_product_id, "external_product_id": self.product.external_product_id },
            "rail_id": self.rail_id,
            "rail": {
                "id": rail.rail_id,
                "rail_id": rail.rail_id,
                "status": rail.status.as_str(),
                "network": rail.network,
                "settlement_asset": rail.settlement_asset,
                "supports_sandbox": rail.supports_sandbox,
                "supports_live": rail.supports_live,
                "requires_review": rail.requires_review,
                "production_enabled": rail.production_enabled,
                "sandbox_enabled": rail.sandbox_enabled,
                "settlement_verification_status": rail.settlement_verification_status,
                "entitlement_activation_support": rail.entitlement_activation_support,
                "kill_switch_state": rail.kill_switch.as_str(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::vocab::{bytes::SolanaAddress, bytes::TxSignature, money::Minor, words::ProductStatus};
    use uuid::Uuid;

    fn id<T: From<Uuid>>(n: u128) -> T {
        Uuid::from_u128(n).into()
    }

    fn access() -> Access {
        let product = AccessProductCreated {
            access_product_id: id(7),
            product_id: id(2),
            app_id: id(8),
            external_product_id: "pro-ai-api".to_owned(),
            title: "Pro".to_owned(),
            description: None,
            amount: Minor::new(79_000_000).unwrap(),
            merchant_wallet: SolanaAddress([1; 32]),
            entitlement_duration_days: 30,
            default_rail: RailId::SolanaUsdc,
            allowed_rails: vec![RailId::SolanaUsdc],
            status: ProductStatus::Active,
            live_mode_confirmed: true,
        };
        Access { product, rail_id: RailId::SolanaUsdc }
    }

    /// AC-68.
    #[test]
    fn a_confirmed_payment_says_which_product_and_which_rail() {
        let payment = PaymentConfirmed {
            payment_id: id(1),
            product_id: id(2),
            access_product_id: Some(id(7)),
            session_id: Some(id(3)),
            amount: Minor::new(79_000_000).unwrap(),
            tx_signature: TxSignature([2; 64]),
            payer_wallet: SolanaAddress([3; 32]),
            identity_session_id: None,
            slot: 5,
            confirmed_at: Timestamp::from_micros(1_000_000),
            settlement_event: id(9),
        };
        let customer = Customer {
            subject: SubjectId(id(4)),
            personal: Personal { external_customer_id: Some("user_1".to_owned()), ..Personal::default() },
        };
        let rails = ledger::rails::Rails::standard();
        let told = Told {
            id: id(10),
            at: Timestamp::from_micros(2_000_000),
            livemode: true,
            sequence: 41,
            previous_sequence: Some(17),
            subject_version: 3,
            about: About::Payment(&payment),
            customer: Some(&customer),
            access: Some((&access(), rails.get(RailId::SolanaUsdc))),
        };
        let body: Value = serde_json::from_str(&told.body()).unwrap();
        assert_eq!(body["type"], "payment.confirmed");
        assert_eq!((&body["sequence"], &body["subject_version"], &body["livemode"]), (&json!(41), &json!(3), &json!(true)));
        assert_eq!(body["previous_sequence"], 17);
        assert_eq!(body["created_at"], "1970-01-01T00:00:02Z");
        assert_eq!(body["data"]["payment"]["external_customer_id"], "user_1");
        assert_eq!(body["data"]["payment"]["amount_minor_units"], 79_000_000);
        let expected = json!({
            "access_product": { "id": "00000000-0000-0000-0000-000000000007", "external_product_id": "pro-ai-api" },
            "rail_id": "solana_usdc",
            "rail": {
                "id": "solana_usdc", "rail_id": "solana_usdc", "status": "production_available", "network": "solana:mainnet",
                "settlement_asset": "USDC", "supports_sandbox": true, "supports_live": true, "requires_review": false,
                "production_enabled": true, "sandbox_enabled": true, "settlement_verification_status": "verified_current",
                "entitlement_activation_support": "production_after_verified_payment_receipt_or_membership_state",
                "kill_switch_state": "not_tripped",
            },
        });
        assert_eq!(body["data"]["access"], expected);
    }
}
