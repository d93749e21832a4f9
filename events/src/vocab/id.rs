//! Identifiers: one type for each thing that has one, so that they cannot be confused.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> { Uuid::parse_str(text).map($name) }
        }
        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self { $name(id) }
        }
        impl From<$name> for Uuid {
            fn from(id: $name) -> Self { id.0 }
        }
    )*};
}

ids! {
    /// One workspace (merchant). Every read and write is limited to the caller's owner (CV-9).
    OwnerId,
    /// One event, UUIDv7; also the NATS message id and, for emitted webhooks, `webhook-id`.
    EventId,
    /// A person whose personal data is sealed with a key of their own.
    SubjectId,
    /// A hosted product (OBJ-01).
    ProductId,
    /// An access app (OBJ-13).
    AppId,
    /// An access product (OBJ-14), backed by a [`ProductId`].
    AccessProductId,
    /// A checkout payment (OBJ-02).
    PaymentId,
    /// A live payment session (OBJ-19).
    SessionId,
    /// A sandbox session (OBJ-27).
    SandboxSessionId,
    /// A clock of the sandbox.
    TestClockId,
    /// An entitlement (OBJ-26).
    EntitlementId,
    /// A membership (OBJ-06).
    MembershipId,
    /// A payment proof (OBJ-21).
    ProofId,
    /// A signed receipt (OBJ-09).
    ReceiptId,
    /// A message in a support ticket.
    MessageId,
    /// A support ticket's stream; its public name is `hilt_ticket_…`.
    TicketId,
    /// An API key (OBJ-12).
    ApiKeyId,
    /// A second person's approval (RT-105).
    ApprovalId,
    /// Hilt's wallet on one rail (OBJ-34).
    TreasuryId,
    /// A merchant rail setting (OBJ-18).
    RailSettingId,
    /// A webhook endpoint (OBJ-28).
    EndpointId,
    /// A webhook delivery (OBJ-29), one per event and endpoint.
    DeliveryId,
    /// A proof that a wallet belongs to an identity (OBJ-03).
    IdentitySessionId,
    /// A signed buyer handoff (OBJ-04).
    HandoffId,
    /// A Phantom deep-link session (OBJ-05).
    PhantomSessionId,
    /// The handing over of what a payment bought (OBJ-07), one per payment.
    AccessDeliveryId,
    /// A mail.
    MailId,
    /// An agent's setup intent (OBJ-30); also the id of the sandbox workspace that is made for it.
    SetupIntentId,
    /// A message of a provider of chain data.
    ProviderWebhookId,
    /// What the read models came to at one position.
    AttestationId,
    /// A recovery that an operator has certified.
    RecoveryId,
    /// A statement of a chain or of Stripe.
    StatementId,
    /// One transaction of a statement.
    StatementEntryId,
    /// What one side received in one payment, or an invoice.
    MovementId,
    /// A member of staff, as the holder of keys of his own.
    OperatorId,
}

impl AttestationId {
    /// The one attestation of that root at that position: whoever comes to the same says nothing new.
    pub fn of(at_position: u64, root: &super::bytes::Hash32) -> Self {
        AttestationId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("state/{at_position}/{root}").as_bytes()))
    }
}

impl StatementId {
    /// The one statement that a file is for an account and an asset, in one mode: bringing it again says nothing new.
    pub fn of(source: super::words::StatementSource, account: &str, asset: &str, livemode: bool, digest: &super::bytes::Hash32) -> Self {
        // The unit separator is in none of them.
        let name = format!("statement/{source}\u{1f}{account}\u{1f}{asset}\u{1f}{livemode}\u{1f}{digest}");
        StatementId(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
    }
    /// The entry of that reference.
    pub fn entry(self, reference: &str) -> StatementEntryId {
        StatementEntryId(Uuid::new_v5(&self.0, reference.as_bytes()))
    }
}

impl MovementId {
    /// What that side receives in a payment.
    pub fn of_payment(payment: PaymentId, role: super::words::MovementRole) -> Self {
        MovementId(Uuid::new_v5(&payment.0, format!("movement/{role}").as_bytes()))
    }
    /// An invoice of a workspace.
    pub fn of_invoice(owner: OwnerId, invoice_id: &str) -> Self {
        MovementId(Uuid::new_v5(&owner.0, format!("movement/invoice/{invoice_id}").as_bytes()))
    }
}

impl OperatorId {
    /// The one operator of that opaque id.
    pub fn of(operator: &str) -> Self {
        OperatorId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("operator/{operator}").as_bytes()))
    }
}

impl SetupIntentId {
    /// The sandbox workspace made for the intent. It is nobody's but the agent's, and stays apart from the owner's who approves.
    pub fn workspace(self) -> OwnerId {
        OwnerId(self.0)
    }
    /// The intent that the workspace would have been made for.
    pub fn of_workspace(owner: OwnerId) -> Self {
        SetupIntentId(owner.0)
    }
}

impl ProviderWebhookId {
    /// The one stream of a provider's message: a repeat is the same one.
    pub fn of(provider: &str, message_ref: &str) -> Self {
        ProviderWebhookId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("provider_webhook/{provider}/{message_ref}").as_bytes()))
    }
}

impl PhantomSessionId {
    /// The one Phantom session of a payment.
    pub fn of(payment: PaymentId) -> Self {
        PhantomSessionId(Uuid::new_v5(&payment.0, b"phantom"))
    }
}

impl AccessDeliveryId {
    /// The one delivery of a payment.
    pub fn of(payment: PaymentId) -> Self {
        AccessDeliveryId(Uuid::new_v5(&payment.0, b"delivery"))
    }
}

impl DeliveryId {
    /// The delivery of `event` to `endpoint`: derived, so that emitting it twice is one stream and one claim (OPS-54).
    pub fn of(event: EventId, endpoint: EndpointId) -> Self {
        DeliveryId(Uuid::new_v5(&event.0, endpoint.0.as_bytes()))
    }
}

impl RailSettingId {
    /// The one setting of an owner for a rail and mode.
    pub fn of(owner: OwnerId, mode: crate::vocab::rail::Mode, rail: crate::vocab::rail::RailId) -> Self {
        RailSettingId(Uuid::new_v5(&owner.0, format!("rail_setting/{mode}/{rail}").as_bytes()))
    }
}

impl TreasuryId {
    /// The one wallet that Hilt has on a rail.
    pub fn of(rail: crate::vocab::rail::RailId) -> Self {
        TreasuryId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("treasury/{rail}").as_bytes()))
    }
}

impl MembershipId {
    /// The one membership of a person in a product, so that a second payment renews it.
    pub fn of(product: ProductId, subject: SubjectId) -> Self {
        MembershipId(Uuid::new_v5(&product.0, subject.0.as_bytes()))
    }
}

impl TicketId {
    /// The stream of the ticket with that public id.
    pub fn of(owner: OwnerId, public_id: &str) -> Self {
        TicketId(Uuid::new_v5(&owner.0, public_id.as_bytes()))
    }
}

impl EventId {
    /// The id of a worker's outcome: the same outcome of the same cause is the same event, so a repeat appends nothing.
    pub fn derived(cause: EventId, name: &str) -> Self {
        EventId(Uuid::new_v5(&cause.0, name.as_bytes()))
    }
}
