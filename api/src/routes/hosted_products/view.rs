//! A product as its merchant sees it.

use crate::state::Settings;
use events::vocab::{
    event::{Asset, Branding, MembershipConfig, ProductCreated},
    id::{AccessProductId, ProductId},
    money::Minor,
    time::Timestamp,
    words::ProductType,
};
use projections::products::Product;
use serde::Serialize;
use utoipa::ToSchema;

/// A hosted product.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProductView {
    #[schema(value_type = String, format = Uuid)]
    id: ProductId,
    /// Its public name: the checkout page is `/p/{slug}`.
    slug: String,
    /// `PAYMENT_LINK` or `TIP_JAR`.
    product_type: &'static str,
    title: String,
    description: Option<String>,
    image_url: Option<String>,
    /// The price in the asset's minor unit; null for a tip jar.
    #[schema(value_type = Option<u64>)]
    amount_minor_units: Option<Minor>,
    /// The same under its older name.
    #[schema(value_type = Option<u64>)]
    fixed_amount_lamports: Option<Minor>,
    /// USDC's mint; for SOL itself the mint of wrapped SOL.
    token_mint: String,
    asset_symbol: String,
    asset_decimals: u8,
    merchant_wallet: String,
    /// `REDIRECT`, `DISCORD_INVITE` or `TELEGRAM_INVITE`.
    delivery_type: Option<&'static str>,
    /// What buyers get. Only its merchant sees it here.
    delivery_value: Option<String>,
    #[schema(value_type = Vec<u64>)]
    tip_presets_lamports: Vec<Minor>,
    max_payments: Option<u32>,
    membership_config: Option<MembershipView>,
    branding: BrandingView,
    /// The access product that it backs.
    #[schema(value_type = Option<String>, format = Uuid)]
    access_product_id: Option<AccessProductId>,
    /// `ACTIVE` or `ARCHIVED`.
    status: String,
    /// Confirmed payments.
    payment_count: u64,
    /// Where buyers pay.
    checkout_url: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its merchant changed it last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// How its memberships run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MembershipView {
    enabled: bool,
    platform: Option<&'static str>,
    access_mode: Option<&'static str>,
    identity_type: Option<&'static str>,
    identity_label: Option<String>,
    identity_required: bool,
    billing_interval_days: u32,
    grace_period_days: u32,
    renewal_reminder_offsets_days: Vec<u32>,
    platform_target_label: Option<String>,
    platform_target_id: Option<String>,
    platform_role_id: Option<String>,
    platform_channel_id: Option<String>,
}

/// How its page looks.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct BrandingView {
    /// Who sells.
    pub merchant_name: Option<String>,
    /// His logo.
    pub logo_url: Option<String>,
    /// A large picture.
    pub hero_image_url: Option<String>,
    /// The button after payment.
    pub success_button_label: Option<String>,
    /// `#rrggbb`.
    pub accent_hex: Option<String>,
}

/// What a product's facts do not say.
pub struct Beside<'a> {
    /// `ACTIVE` or `ARCHIVED`.
    pub status: &'a str,
    /// What buyers get.
    pub delivery_value: Option<String>,
    /// Confirmed payments.
    pub payment_count: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its merchant changed it last.
    pub updated_at: Timestamp,
}

impl ProductView {
    /// A product as its stream has it.
    pub fn new(facts: ProductCreated, settings: &Settings, beside: Beside<'_>) -> Self {
        let amount = (facts.product_type == ProductType::PaymentLink).then_some(facts.amount);
        ProductView {
            id: facts.product_id,
            checkout_url: settings.checkout_url(&facts.slug),
            slug: facts.slug,
            product_type: facts.product_type.as_str(),
            title: facts.title,
            description: facts.description,
            image_url: facts.image_url,
            amount_minor_units: amount,
            fixed_amount_lamports: amount,
            token_mint: facts.asset.mint.to_string(),
            asset_symbol: facts.asset.symbol,
            asset_decimals: facts.asset.decimals,
            merchant_wallet: facts.merchant_wallet.to_string(),
            delivery_type: facts.delivery_type.map(|delivery| delivery.as_str()),
            delivery_value: beside.delivery_value,
            tip_presets_lamports: facts.tip_presets,
            max_payments: facts.max_payments,
            membership_config: facts.membership.map(MembershipView::from),
            branding: facts.branding.into(),
            access_product_id: facts.access_product_id,
            status: beside.status.to_owned(),
            payment_count: beside.payment_count,
            created_at: beside.created_at,
            updated_at: beside.updated_at,
        }
    }

    /// A product as the read model has it.
    pub fn of_row(row: Product, delivery_value: Option<String>, settings: &Settings) -> Self {
        let status = row.status;
        let beside = Beside {
            status: &status,
            delivery_value,
            payment_count: row.payment_count,
            created_at: row.meta.created_at,
            updated_at: row.changed_at,
        };
        let facts = ProductCreated {
            product_id: ProductId(row.meta.id),
            slug: row.slug,
            product_type: row.product_type,
            title: row.title,
            description: row.description,
            image_url: row.image_url,
            amount: row.amount,
            asset: Asset { symbol: row.asset_symbol, decimals: row.asset_decimals, mint: row.asset_mint },
            merchant_wallet: row.merchant_wallet,
            delivery_type: row.delivery_type,
            tip_presets: row.tip_presets,
            max_payments: row.max_payments,
            branding: row.branding,
            membership: row.membership,
            access_product_id: row.access_product_id,
            subject_id: None,
            quote: None,
        };
        ProductView::new(facts, settings, beside)
    }
}

impl From<MembershipConfig> for MembershipView {
    fn from(config: MembershipConfig) -> Self {
        MembershipView {
            enabled: config.enabled,
            platform: config.platform.map(|platform| platform.as_str()),
            access_mode: config.access_mode.map(|mode| mode.as_str()),
            identity_type: config.identity_type.map(|kind| kind.as_str()),
            identity_label: config.identity_label,
            identity_required: config.identity_required,
            billing_interval_days: config.terms.billing_interval_days,
            grace_period_days: config.terms.grace_period_days,
            renewal_reminder_offsets_days: config.terms.renewal_reminder_offsets_days,
            platform_target_label: config.platform_target_label,
            platform_target_id: config.platform_target_id,
            platform_role_id: config.platform_role_id,
            platform_channel_id: config.platform_channel_id,
        }
    }
}

impl From<Branding> for BrandingView {
    fn from(branding: Branding) -> Self {
        BrandingView {
            merchant_name: branding.merchant_name,
            logo_url: branding.logo_url,
            hero_image_url: branding.hero_image_url,
            success_button_label: branding.success_button_label,
            accent_hex: branding.accent_hex,
        }
    }
}
