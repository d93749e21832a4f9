//! Hosted products and the workspace that sells them.

use crate::vocab::{bytes::SolanaAddress, id::*, money::Minor, time::Timestamp, words::*};
use serde::{Deserialize, Serialize};

/// A hosted product exists (TR-1). Sealed beside it, with the merchant's key: the delivery value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProductCreated {
    pub product_id: ProductId,
    pub slug: String,
    pub product_type: ProductType,
    pub title: String,
    pub description: Option<String>,
    pub image_url: Option<String>,
    /// Zero for a tip jar.
    pub amount: Minor,
    pub asset: Asset,
    pub merchant_wallet: SolanaAddress,
    pub delivery_type: Option<DeliveryType>,
    pub tip_presets: Vec<Minor>,
    pub max_payments: Option<u32>,
    pub branding: Branding,
    pub membership: Option<MembershipConfig>,
    /// The access product that it backs, when it was made for one.
    pub access_product_id: Option<AccessProductId>,
    /// The merchant: whose key seals the delivery value.
    pub subject_id: Option<SubjectId>,
    /// The price of the asset when the product was made, where one was needed.
    pub quote: Option<PriceQuote>,
}

/// What is paid with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Asset {
    pub symbol: String,
    pub decimals: u8,
    /// The mint; for SOL itself, which has none, the address of wrapped SOL.
    pub mint: SolanaAddress,
}

/// What an asset was worth, from a source outside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PriceQuote {
    /// Millionths of a US dollar for one whole unit: 1 SOL, not 1 lamport.
    pub usd_micros_per_unit: u64,
    /// The source's name.
    pub source: String,
    /// When the source saw this price.
    pub observed_at: Timestamp,
}

/// How a product's checkout page looks; what is absent comes from the workspace's profile.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Branding {
    pub merchant_name: Option<String>,
    pub logo_url: Option<String>,
    pub hero_image_url: Option<String>,
    pub success_button_label: Option<String>,
    /// `#rrggbb`.
    pub accent_hex: Option<String>,
}

/// How memberships of a product run, and what is asked of its buyers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MembershipConfig {
    pub enabled: bool,
    pub platform: Option<Platform>,
    pub access_mode: Option<AccessMode>,
    pub identity_type: Option<IdentityType>,
    /// What the checkout page calls the identity.
    pub identity_label: Option<String>,
    pub identity_required: bool,
    pub terms: MembershipTerms,
    /// What the checkout page calls the place.
    pub platform_target_label: Option<String>,
    /// The Telegram chat or Discord guild that the bot lets members into; without it the delivery value is handed over as it is.
    pub platform_target_id: Option<String>,
    /// The Discord role of a member.
    pub platform_role_id: Option<String>,
    /// The Discord channel that an invite leads to.
    pub platform_channel_id: Option<String>,
}

/// How long a payment lasts, and what comes after.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MembershipTerms {
    pub billing_interval_days: u32,
    pub grace_period_days: u32,
    /// Days before the end at which a member is reminded, each smaller than the interval.
    pub renewal_reminder_offsets_days: Vec<u32>,
}

/// A product changed (TR-2): only what changed. Sealed beside it: a new delivery value, if that is among the changes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProductUpdated {
    pub product_id: ProductId,
    pub changes: Vec<ProductChange>,
    /// The merchant: whose key seals the delivery value.
    pub subject_id: Option<SubjectId>,
    /// The price of the asset at the change, where one was needed.
    pub quote: Option<PriceQuote>,
}

/// One field's new value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductChange {
    Title(String),
    Description(Option<String>),
    ImageUrl(Option<String>),
    Amount(Minor),
    Asset(Asset),
    MerchantWallet(SolanaAddress),
    DeliveryType(Option<DeliveryType>),
    /// The value itself is sealed; `false` means that there is none any more.
    DeliveryValue(bool),
    TipPresets(Vec<Minor>),
    MaxPayments(Option<u32>),
    Branding(Branding),
    Membership(Option<MembershipConfig>),
}

/// A product sells no more (TR-3); what it sold stays.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProductArchived {
    pub product_id: ProductId,
}

/// How a workspace shows itself to buyers, whole, as saved. Sealed beside it: the profile as JSON, since a merchant may be a person.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WorkspaceProfileSaved {
    /// The merchant.
    pub subject_id: SubjectId,
}
