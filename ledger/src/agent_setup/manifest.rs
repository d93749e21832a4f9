//! A manifest: what an agent says that it is going to build (RT-074). It is checked and brought into one form, and never applied.

use super::Rejection;
use crate::check::{LONGEST_DAYS, filled, price};
use events::vocab::{
    bytes::SolanaAddress,
    rail::RailId,
    words::{PaymentProtocol, WebhookEvent},
};
use serde::{Deserialize, Serialize};
use url::Url;

/// A manifest as an agent wrote it, its rails and events already known words.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Asked {
    /// The app.
    pub app: AskedApp,
    /// The product.
    pub product: AskedProduct,
    /// The protocol around the payment.
    pub payment_protocol: Option<PaymentProtocol>,
    /// The rail that settles.
    pub settlement_rail: Option<RailId>,
    /// What is protected.
    pub protected_resource: Option<AskedResource>,
    /// Who is told.
    pub webhook: Option<AskedWebhook>,
}

/// The app of a manifest.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AskedApp {
    /// Shown in the dashboard.
    pub name: String,
    /// The merchant's own id of it.
    pub external_app_id: String,
}

/// The product of a manifest.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AskedProduct {
    /// The merchant's own id of it.
    pub external_product_id: String,
    /// Shown to buyers.
    pub title: String,
    /// Shown to buyers.
    pub description: Option<String>,
    /// The price in minor units.
    pub amount_minor_units: u64,
    /// Where payouts go.
    pub merchant_wallet: Option<SolanaAddress>,
    /// How long a payment gives access.
    pub entitlement_duration_days: Option<u32>,
    /// The rail used when none is named.
    pub default_rail: Option<RailId>,
    /// Policy, `"all"` already expanded.
    pub allowed_rails: Option<Vec<RailId>>,
}

/// What a manifest protects.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AskedResource {
    /// Where it is.
    pub url: String,
    /// How it is asked for.
    pub method: Option<String>,
    /// How its customers are told apart.
    pub customer_identity: Option<String>,
}

/// Whom a manifest wants told.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AskedWebhook {
    /// Where.
    pub url: String,
    /// Of what.
    pub subscribed_events: Vec<WebhookEvent>,
}

/// A manifest in its one form.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The app.
    pub app: AskedApp,
    /// The product.
    pub product: Product,
    /// The protocol around the payment.
    pub payment_protocol: Option<PaymentProtocol>,
    /// The rail that settles.
    pub settlement_rail: RailId,
    /// What is protected.
    pub protected_resource: Option<AskedResource>,
    /// Who is told.
    pub webhook: Option<AskedWebhook>,
}

/// The product of a manifest in its one form.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Product {
    /// The merchant's own id of it.
    pub external_product_id: String,
    /// Shown to buyers.
    pub title: String,
    /// Shown to buyers.
    pub description: Option<String>,
    /// The price in minor units.
    pub amount_minor_units: u64,
    /// Where payouts go; null until somebody says.
    pub merchant_wallet: Option<SolanaAddress>,
    /// How long a payment gives access; null until somebody says.
    pub entitlement_duration_days: Option<u32>,
    /// The rail used when none is named.
    pub default_rail: RailId,
    /// Policy.
    pub allowed_rails: Vec<RailId>,
}

impl Asked {
    /// The manifest in its one form, every rule checked.
    pub fn normalised(self) -> Result<Manifest, Rejection> {
        let app = AskedApp {
            name: required("manifest.app.name", &self.app.name)?,
            external_app_id: required("manifest.app.external_app_id", &self.app.external_app_id)?,
        };
        let product = self.product.normalised()?;
        let settlement_rail = self.settlement_rail.unwrap_or(match product.default_rail {
            // x402 settles over another rail (DIS-8).
            RailId::X402 => RailId::SolanaUsdc,
            rail => rail,
        });
        if settlement_rail == RailId::X402 {
            return Err(invalid("manifest.settlement_rail", "is the rail that settles; x402 is a protocol around it"));
        }
        Ok(Manifest {
            app,
            product,
            payment_protocol: self.payment_protocol,
            settlement_rail,
            protected_resource: self.protected_resource.map(AskedResource::normalised).transpose()?,
            webhook: self.webhook.map(AskedWebhook::normalised).transpose()?,
        })
    }
}

impl AskedProduct {
    fn normalised(self) -> Result<Product, Rejection> {
        let amount = price(self.amount_minor_units);
        amount.ok_or(invalid("manifest.product.amount_minor_units", "is an integer from 1 to 9007199254740991"))?;
        if self.entitlement_duration_days.is_some_and(|days| !(1..=LONGEST_DAYS).contains(&days)) {
            return Err(invalid("manifest.product.entitlement_duration_days", "is an integer from 1 to 36500"));
        }
        let default_rail = self.default_rail.unwrap_or(RailId::SolanaUsdc);
        let allowed = self.allowed_rails.unwrap_or_else(|| vec![default_rail]);
        if !allowed.contains(&default_rail) {
            return Err(invalid("manifest.product.default_rail", "is one of allowed_rails"));
        }
        Ok(Product {
            external_product_id: required("manifest.product.external_product_id", &self.external_product_id)?,
            title: required("manifest.product.title", &self.title)?,
            description: self.description.as_deref().and_then(filled),
            amount_minor_units: self.amount_minor_units,
            merchant_wallet: self.merchant_wallet,
            entitlement_duration_days: self.entitlement_duration_days,
            default_rail,
            allowed_rails: RailId::ALL.iter().copied().filter(|rail| allowed.contains(rail)).collect(),
        })
    }
}

/// How customers of a resource may be told apart (INV-20).
const IDENTITIES: [&str; 3] = ["external_customer_id", "wallet", "email"];
/// How a resource may be asked for.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

impl AskedResource {
    fn normalised(self) -> Result<Self, Rejection> {
        let method = self.method.as_deref().and_then(filled).map_or_else(|| "POST".to_owned(), |method| method.to_ascii_uppercase());
        if !METHODS.contains(&method.as_str()) {
            return Err(invalid("manifest.protected_resource.method", "is GET, POST, PUT, PATCH or DELETE"));
        }
        let identity = self.customer_identity.as_deref().and_then(filled).unwrap_or_else(|| IDENTITIES[0].to_owned());
        if !IDENTITIES.contains(&identity.as_str()) {
            return Err(invalid("manifest.protected_resource.customer_identity", "is external_customer_id, wallet or email"));
        }
        let url = called("manifest.protected_resource.url", &self.url)?;
        Ok(AskedResource { url, method: Some(method), customer_identity: Some(identity) })
    }
}

impl AskedWebhook {
    fn normalised(self) -> Result<Self, Rejection> {
        if self.subscribed_events.is_empty() {
            return Err(invalid("manifest.webhook.subscribed_events", "names at least one event"));
        }
        let events = WebhookEvent::ALL.iter().copied().filter(|event| self.subscribed_events.contains(event)).collect();
        Ok(AskedWebhook { url: called("manifest.webhook.url", &self.url)?, subscribed_events: events })
    }
}

fn invalid(field: &'static str, rule: &'static str) -> Rejection {
    Rejection::InvalidField { field, rule }
}

/// Characters of a name or an id at most.
const LONGEST: usize = 200;

fn required(field: &'static str, said: &str) -> Result<String, Rejection> {
    match filled(said) {
        None => Err(invalid(field, "is required")),
        Some(text) if text.chars().count() > LONGEST => Err(invalid(field, "is at most 200 characters")),
        Some(text) => Ok(text),
    }
}

fn called(field: &'static str, said: &str) -> Result<String, Rejection> {
    let url = Url::parse(said.trim()).map_err(|_| invalid(field, "is not a URL"))?;
    match url.scheme() {
        "http" | "https" if url.as_str().len() > 2_048 => Err(invalid(field, "is longer than 2048 bytes")),
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
            Err(invalid(field, "has a user name or a password in it"))
        }
        "http" | "https" => Ok(url.into()),
        _ => Err(invalid(field, "is an http:// or https:// URL")),
    }
}
