//! How payloads of older schema versions are read as today's. Stored bytes are never rewritten.

use crate::vocab::event::EventType;
use rmpv::Value;

/// Rewrites a payload of one schema version as the next.
pub struct Upcaster {
    /// Which event.
    pub event_type: EventType,
    /// The version it reads; it yields `from + 1`.
    pub from: u16,
    /// The change.
    pub upcast: fn(Value) -> Value,
}

/// Every upcaster there is.
pub const UPCASTERS: &[Upcaster] = &[
    first(EventType::ProductCreated, |product| {
        let product = change(product, "membership", membership_config);
        let branding = absent(&["merchant_name", "logo_url", "hero_image_url", "success_button_label", "accent_hex"]);
        let product = add(product, &[("tip_presets", Value::Array(Vec::new())), ("branding", branding)]);
        add_absent(product, &["image_url", "max_payments", "subject_id", "quote"])
    }),
    first(EventType::PaymentCreated, |payment| {
        let payment = change(payment, "membership", terms);
        add_absent(add(payment, &[("identity_required", Value::Boolean(false))]), &["place", "quote"])
    }),
    // Until then the fee was always a transfer of the buyer's.
    Upcaster {
        event_type: EventType::PaymentCreated,
        from: 2,
        upcast: |payment| add(payment, &[("fee_source", Value::from("buyer_transfer"))]),
    },
    first(EventType::PaymentRequirementAuthored, |requirement| add_absent(requirement, &["x402"])),
    // There was always a transaction then, and one that is there is written as it was.
    first(EventType::ProofFingerprinted, |proof| add_absent(proof, &["x402"])),
    first(EventType::ProofReplayRejected, |rejected| rejected),
    first(EventType::PaymentConfirmed, |payment| add_absent(payment, &["identity_session_id"])),
    first(EventType::PaymentFailed, |payment| add_absent(payment, &["place"])),
    first(EventType::PaymentExpired, |payment| add_absent(payment, &["place"])),
    // Only settlements made receipts then.
    first(EventType::ReceiptCreated, |receipt| {
        add_absent(add(receipt, &[("source", Value::from("checkout")), ("chain_verified", Value::Boolean(true))]), &["subject_id"])
    }),
    first(EventType::MembershipActivated, membership),
    first(EventType::MembershipRenewed, membership),
    first(EventType::WebhookDeliveryAttempted, |attempt| add_absent(attempt, &["url", "signatures"])),
    first(EventType::TicketOpened, |ticket| add_absent(ticket, &["delivery_case_of"])),
    first(EventType::EntitlementPended, |pended| change(pended, "origin", sandbox_origin)),
    first(EventType::SandboxSessionCreated, |session| add_absent(session, &["test_clock_id"])),
    // Operators had no keys of their own then.
    first(EventType::ApprovalRequested, |requested| add_absent(requested, &["signed"])),
    first(EventType::ApprovalApproved, |approved| add_absent(approved, &["signed"])),
    first(EventType::SubjectErased, |erased| add_absent(erased, &["approval"])),
    first(EventType::ApiKeyIssued, |key| add_absent(key, &["expires_at", "rotated_from"])),
];

const fn first(event_type: EventType, upcast: fn(Value) -> Value) -> Upcaster {
    Upcaster { event_type, from: 1, upcast }
}

/// No product had grace or reminders then.
fn membership(membership: Value) -> Value {
    let added = [("grace_period_days", Value::from(0)), ("renewal_reminder_offsets_days", Value::Array(Vec::new()))];
    add_absent(add(membership, &added), &["platform"])
}

/// The sandbox had no clocks of its own then.
fn sandbox_origin(origin: Value) -> Value {
    change(origin, "sandbox", |sandbox| add_absent(sandbox, &["test_clock_id"]))
}

fn terms(terms: Value) -> Value {
    add(terms, &[("renewal_reminder_offsets_days", Value::Array(Vec::new()))])
}

fn membership_config(then: Value) -> Value {
    let config = absent(&[
        "platform",
        "access_mode",
        "identity_type",
        "identity_label",
        "platform_target_label",
        "platform_target_id",
        "platform_role_id",
        "platform_channel_id",
    ]);
    add(config, &[("enabled", Value::Boolean(true)), ("identity_required", Value::Boolean(false)), ("terms", terms(then))])
}

/// A map in which every one of `names` is absent.
fn absent(names: &[&str]) -> Value {
    add_absent(Value::Map(Vec::new()), names)
}

fn add_absent(value: Value, names: &[&str]) -> Value {
    add(value, &names.iter().map(|name| (*name, Value::Nil)).collect::<Vec<_>>())
}

/// `value` with further fields. What is no map is left for the decoder to refuse.
fn add(value: Value, fields: &[(&str, Value)]) -> Value {
    match value {
        Value::Map(mut map) => {
            map.extend(fields.iter().map(|(name, value)| (Value::from(*name), value.clone())));
            Value::Map(map)
        }
        other => other,
    }
}

/// `value` with the field `name` changed, unless it is absent.
fn change(value: Value, name: &str, with: fn(Value) -> Value) -> Value {
    let Value::Map(fields) = value else { return value };
    let changed = fields.into_iter().map(|(key, field)| match key.as_str() == Some(name) && !field.is_nil() {
        true => (key, with(field)),
        false => (key, field),
    });
    Value::Map(changed.collect())
}
