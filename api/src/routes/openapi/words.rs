//! The closed sets of words. A field of one name means the same thing in every body, so its set is said here once.

use events::vocab::{
    rail::{FeeCollectionMode, Mode, RailId},
    words::{
        AccessMode, AuthorType, BillingInterval, BillingPlan, DeliveryType, IdentityType, InvoiceStatus, PaymentProtocol, Platform,
        ProductStatus, ProductType, Scope, TicketCategory, WebhookEvent,
    },
};
use ledger::entitlement_check::{Reason, Source, Status};
use projections::payment_sessions::SessionStatus;
use serde_json::{Map, Value, json};

/// A set of words and the fields that hold one of them, or a list of them.
struct Words {
    /// Name of its schema.
    name: &'static str,
    description: &'static str,
    words: Vec<&'static str>,
    /// `field`, or `Schema.field` where the field means something else in other bodies.
    fields: &'static [&'static str],
}

macro_rules! words {
    ($( $name:literal $set:ident $description:literal [$( $field:literal ),* $(,)?] ),* $(,)?) => {
        vec![$( Words {
            name: $name,
            description: $description,
            words: $set::ALL.iter().map(|word| word.as_str()).collect(),
            fields: &[$( $field ),*],
        } ),*]
    };
}

fn all() -> Vec<Words> {
    words! {
        "RailId" RailId "A rail." [
            "rail_id", "rail", "default_rail", "settlement_rail", "auto_select_rail", "allowed_rails",
            "SessionView.settlement_rail_id", "OpenedSession.settlement_rail_id", "ProofOnRecord.settlement_rail_id",
            "RequirementBinding.settlement_rail_id", "PaymentRequirement.settlement_rail_id",
        ],
        "Permission" Scope "What a key may do." ["permissions"],
        "Mode" Mode "Whether it moves real money." [
            "ProductRails.mode", "RailSettingView.mode", "SaveRailSetting.mode", "Readiness.mode", "?mode",
        ],
        "PaymentProtocol" PaymentProtocol "The protocol around a settlement rail." ["payment_protocol"],
        "FeeCollectionMode" FeeCollectionMode "How the fee is collected on EVM rails." ["fee_collection_mode"],
        "WebhookEvent" WebhookEvent "What a webhook tells of." ["subscribed_events", "DeliveryView.event", "WebhookDelivery.event"],
        "ProductStatus" ProductStatus "Whether it sells." ["AccessProductView.status", "CreateAccessProduct.status"],
        "ProductType" ProductType "What a product sells." ["ProductFields.product_type", "ProductView.product_type", "PublicProduct.product_type"],
        "DeliveryType" DeliveryType "How access is handed over." ["delivery_type"],
        "IdentityType" IdentityType "What kind of identity a buyer has." ["identity_type"],
        "Platform" Platform "Where a member gets in." ["platform"],
        "AccessMode" AccessMode "How a member gets in." ["access_mode"],
        "TicketCategory" TicketCategory "What a ticket is about." ["category"],
        "AuthorType" AuthorType "Who wrote." ["author_type"],
        "CheckStatus" Status "The state that the answer rests on." ["CheckAnswer.status"],
        "CheckReason" Reason "Why there is access, or none." ["CheckAnswer.reason"],
        "CheckSource" Source "Where the answer comes from." ["CheckAnswer.source"],
        "BillingPlan" BillingPlan "A plan to subscribe to." ["StartStripeCheckout.plan", "BillingSummary.subscribed_plan"],
        "BillingInterval" BillingInterval "How often a subscription is paid for." ["StartStripeCheckout.interval", "BillingSummary.billing_interval"],
        "InvoiceStatus" InvoiceStatus "Where an invoice stands, in Stripe's words." ["StripeInvoice.status"],
        "SessionStatus" SessionStatus "What has become of a session." ["SessionView.status"],
    }
}

/// Names the set of every field that has one.
pub fn name(document: &mut Value) {
    let sets = all();
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    for (schema, body) in schemas.iter_mut() {
        let properties = body.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::iter_mut);
        for (field, property) in properties {
            if let Some(set) = set_of(&sets, &[field, &format!("{schema}.{field}")]) {
                refer(property, set);
            }
        }
    }
    for set in &sets {
        schemas.insert(set.name.into(), json!({"type": "string", "description": set.description, "enum": set.words}));
    }
    for (_, operation) in super::complete::operations(document) {
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            if let Some(set) = set_of(&sets, &[&name, &format!("?{name}")]) {
                refer(&mut parameter["schema"], set);
            }
        }
    }
}

fn set_of<'a>(sets: &'a [Words], names: &[&str]) -> Option<&'a Words> {
    sets.iter().find(|set| set.fields.iter().any(|field| names.contains(field)))
}

/// A string becomes a word of the set, a list of strings a list of its words; anything else of that name is not one.
fn refer(property: &mut Value, set: &Words) {
    let word = json!({"$ref": format!("#/components/schemas/{}", set.name)});
    let of = |kind: &Value| kind == "string" || *kind == json!(["string", "null"]);
    let is_list = property["type"] == "array" || property["type"] == json!(["array", "null"]);
    if is_list && property["items"]["type"] == "string" {
        property["items"] = word;
        return;
    }
    if !of(&property["type"]) || property.get("format").is_some() {
        return;
    }
    let may_be_null = property["type"].is_array();
    let mut described = Map::new();
    for member in ["description", "example"] {
        if let Some(value) = property.get(member) {
            described.insert(member.into(), value.clone());
        }
    }
    match may_be_null {
        true => described.insert("oneOf".into(), json!([{"type": "null"}, word])),
        false => described.insert("$ref".into(), word["$ref"].clone()),
    };
    *property = Value::Object(described);
}
