//! Hosted products (OBJ-01): RT-001..003, and the product behind an access product.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    bytes::SolanaAddress,
    event::{Event, EventType},
    id::AccessProductId,
    money::Minor,
    words::{DeliveryType, ProductType},
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Products;

/// A row of `products`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Product {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Its public name, unique everywhere.
    pub slug: String,
    /// What it sells.
    pub product_type: ProductType,
    /// Shown to buyers.
    pub title: String,
    /// Shown to buyers.
    pub description: Option<String>,
    /// Price in minor units.
    pub amount: Minor,
    /// What is paid with.
    pub asset_symbol: String,
    /// Decimals of its minor unit.
    pub asset_decimals: u8,
    /// Its mint, base58.
    pub asset_mint: SolanaAddress,
    /// Where the money goes, base58.
    pub merchant_wallet: SolanaAddress,
    /// How access is handed over.
    pub delivery_type: Option<DeliveryType>,
    /// Length of a membership period in days, when it sells memberships.
    pub billing_interval_days: Option<u32>,
    /// Days of grace after a period, when it sells memberships.
    pub grace_period_days: Option<u32>,
    /// The access product that it backs.
    pub access_product_id: Option<AccessProductId>,
    /// ACTIVE.
    pub status: String,
}

impl Row for Product {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Products {
    const NAME: &'static str = "products";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Product;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::ProductCreated(e) => Keys::row(e.product_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Product>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::ProductCreated(e) => rows.insert(
                event,
                Product {
                    meta: event.meta(e.product_id, None),
                    slug: e.slug.clone(),
                    product_type: e.product_type,
                    title: e.title.clone(),
                    description: e.description.clone(),
                    amount: e.amount,
                    asset_symbol: e.asset.symbol.clone(),
                    asset_decimals: e.asset.decimals,
                    asset_mint: e.asset.mint,
                    merchant_wallet: e.merchant_wallet,
                    delivery_type: e.delivery_type,
                    billing_interval_days: e.membership.as_ref().map(|config| config.terms.billing_interval_days),
                    grace_period_days: e.membership.as_ref().map(|config| config.terms.grace_period_days),
                    access_product_id: e.access_product_id,
                    status: "ACTIVE".to_owned(),
                },
            ),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}
