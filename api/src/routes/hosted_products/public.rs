//! RT-009: what anyone sees of a product: everything that a checkout page needs, and never the delivery value.

use super::view::BrandingView;
use crate::{
    http::{
        answers,
        fresh::{Fresh, MinPosition},
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    services::open_checkout,
    state::{Settings, State},
};
use axum::{Json, extract::State as Part, http::header};
use events::{
    log::Log,
    vocab::{
        id::ProductId,
        money::Minor,
        words::{IdentityType, ProductType},
    },
};
use ledger::workspace::Profile;
use projections::{
    Reader,
    products::{self, Product},
    workspaces,
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(get))
}

/// A product, as buyers see it.
#[derive(Serialize, ToSchema)]
struct PublicProduct {
    #[schema(value_type = String, format = Uuid)]
    id: ProductId,
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
    /// Amounts that a tip jar offers; only a tip jar has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<u64>>)]
    tip_presets_lamports: Option<Vec<Minor>>,
    token_mint: String,
    asset_symbol: String,
    asset_decimals: u8,
    merchant_wallet: String,
    delivery_type: Option<&'static str>,
    /// `false` while the rail is stopped, so that no payment can be begun; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepts_payments: Option<bool>,
    /// Confirmed payments.
    payment_count: u64,
    /// Whether a payment settles only with a verified identity.
    identity_required: bool,
    identity_type: Option<&'static str>,
    identity_label: Option<String>,
    checkout_config: CheckoutConfig,
}

/// What a checkout page shows.
#[derive(Serialize, ToSchema)]
struct CheckoutConfig {
    /// `phantom`.
    default_route: &'static str,
    /// `USDC` or `SOL`.
    payment_asset: String,
    /// `SOLANA`.
    payment_chain: &'static str,
    branding: BrandingView,
    identity_connect: IdentityConnect,
}

/// How a buyer shows who he is.
#[derive(Serialize, ToSchema)]
struct IdentityConnect {
    telegram_bot_username: Option<String>,
    discord_connect_url: String,
}

impl PublicProduct {
    fn new(row: Product, profile: &Profile, settings: &Settings, accepts_payments: Option<bool>) -> Self {
        let (jar, link) = (row.product_type == ProductType::TipJar, row.product_type == ProductType::PaymentLink);
        let identity_connect = IdentityConnect {
            telegram_bot_username: settings.telegram_bot_username.clone(),
            discord_connect_url: format!("{}/v1/products/p/{}/discord-connect/start", settings.public_api_url, row.slug),
        };
        let membership = row.membership;
        PublicProduct {
            id: ProductId(row.meta.id),
            slug: row.slug,
            product_type: row.product_type.as_str(),
            title: row.title,
            description: row.description,
            image_url: row.image_url,
            amount_minor_units: link.then_some(row.amount),
            fixed_amount_lamports: link.then_some(row.amount),
            tip_presets_lamports: jar.then_some(row.tip_presets),
            token_mint: row.asset_mint.to_string(),
            asset_symbol: row.asset_symbol.clone(),
            asset_decimals: row.asset_decimals,
            merchant_wallet: row.merchant_wallet.to_string(),
            delivery_type: row.delivery_type.map(|delivery| delivery.as_str()),
            accepts_payments,
            payment_count: row.payment_count,
            identity_required: membership.as_ref().is_some_and(|config| config.identity_required),
            identity_type: membership.as_ref().and_then(|config| config.identity_type).map(IdentityType::as_str),
            identity_label: membership.and_then(|config| config.identity_label),
            checkout_config: CheckoutConfig {
                default_route: "phantom",
                payment_asset: row.asset_symbol,
                payment_chain: "SOLANA",
                branding: branding(row.branding.into(), profile),
                identity_connect,
            },
        }
    }
}

/// The product's own look, completed from the workspace's profile.
fn branding(own: BrandingView, profile: &Profile) -> BrandingView {
    BrandingView {
        merchant_name: own.merchant_name.or_else(|| profile.merchant_name.clone()),
        logo_url: own.logo_url.or_else(|| profile.logo_url.clone()),
        accent_hex: own.accent_hex.or_else(|| profile.accent_hex.clone()),
        ..own
    }
}

/// What buyers see of a product
#[utoipa::path(get, path = "/v1/products/p/{slug}", tag = "checkout", operation_id = "get_public_product", params(("slug" = String, Path)),
    responses(
        (status = 200, description = "The product's public fields", body = PublicProduct),
        (status = 410, description = "`product_archived`", body = Problem),
        answers::Public,
    ))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(settings): Part<Arc<Settings>>,
    Part(platform): Part<Platform>,
    min: MinPosition,
    Segment(slug): Segment,
) -> Result<([(header::HeaderName, &'static str); 1], Json<PublicProduct>), Problem> {
    let min = min.or_head(&log);
    for name in ["products", "workspaces"] {
        fresh.wait(name, None, min).await?;
    }
    let product = products::find_by_slug(&reader, &slug).await.map_err(rejection::query)?;
    let product = product.filter(|product| product.meta.livemode).ok_or_else(|| Problem::of(Code::ProductNotFound))?;
    if product.status != "ACTIVE" {
        return Err(Problem::of(Code::ProductArchived));
    }
    let workspace = match product.meta.owner_id {
        Some(owner) => workspaces::find(&reader, owner).await.map_err(rejection::query)?,
        None => None,
    };
    let profile = workspace.and_then(|workspace| workspace.profile).and_then(|json| serde_json::from_value(json).ok());
    // Pages may show it for some seconds more; what must be paid is told by the payment itself.
    let cache = [(header::CACHE_CONTROL, "public, max-age=5")];
    let rails = platform.shown().await.map_err(|error| rejection::read(&error))?;
    let accepts_payments = open_checkout::running(&rails).is_err().then_some(false);
    Ok((cache, Json(PublicProduct::new(product, &profile.unwrap_or_default(), &settings, accepts_payments))))
}
