//! Hosted products (OBJ-01): RT-001..003, and the product behind an access product.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    bytes::SolanaAddress,
    event::{Branding, Event, EventType, MembershipConfig, ProductChange, ProductCreated, ProductUpdated},
    id::{AccessProductId, EventId},
    money::Minor,
    time::Timestamp,
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
    /// A picture of it.
    pub image_url: Option<String>,
    /// Price in minor units; zero for a tip jar.
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
    /// The event that seals the delivery value, when there is one: the value itself is never here.
    pub delivery_value_event: Option<EventId>,
    /// Amounts that a tip jar's page offers, in minor units.
    pub tip_presets: Vec<Minor>,
    /// How many payments it may have.
    pub max_payments: Option<u32>,
    /// How its page looks.
    pub branding: Branding,
    /// How its memberships run, when it sells any.
    pub membership: Option<MembershipConfig>,
    /// The access product that it backs.
    pub access_product_id: Option<AccessProductId>,
    /// ACTIVE or ARCHIVED.
    pub status: String,
    /// Confirmed payments.
    pub payment_count: u64,
    /// When the merchant changed it last.
    pub changed_at: Timestamp,
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
    const VERSION: i32 = 2;
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
            Event::ProductUpdated(e) => Keys::row(e.product_id),
            Event::ProductArchived(e) => Keys::row(e.product_id),
            Event::PaymentConfirmed(e) => Keys::row(e.product_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Product>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::ProductCreated(e) => rows.insert(event, created(event, e)),
            Event::ProductUpdated(e) => rows.update(event, e.product_id, |row| {
                row.changed_at = event.recorded_at();
                change(row, e, event.event_id());
            }),
            Event::ProductArchived(e) => rows.update(event, e.product_id, |row| {
                row.changed_at = event.recorded_at();
                row.status = "ARCHIVED".to_owned();
            }),
            Event::PaymentConfirmed(e) => rows.update(event, e.product_id, |row| row.payment_count += 1),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

fn created(event: &Applied<'_>, e: &ProductCreated) -> Product {
    Product {
        meta: event.meta(e.product_id, None),
        slug: e.slug.clone(),
        product_type: e.product_type,
        title: e.title.clone(),
        description: e.description.clone(),
        image_url: e.image_url.clone(),
        amount: e.amount,
        asset_symbol: e.asset.symbol.clone(),
        asset_decimals: e.asset.decimals,
        asset_mint: e.asset.mint,
        merchant_wallet: e.merchant_wallet,
        delivery_type: e.delivery_type,
        delivery_value_event: e.subject_id.map(|_| event.event_id()),
        tip_presets: e.tip_presets.clone(),
        max_payments: e.max_payments,
        branding: e.branding.clone(),
        membership: e.membership.clone(),
        access_product_id: e.access_product_id,
        status: "ACTIVE".to_owned(),
        payment_count: 0,
        changed_at: event.recorded_at(),
    }
}

fn change(row: &mut Product, e: &ProductUpdated, event_id: EventId) {
    for change in &e.changes {
        match change {
            ProductChange::Title(title) => row.title.clone_from(title),
            ProductChange::Description(description) => row.description.clone_from(description),
            ProductChange::ImageUrl(url) => row.image_url.clone_from(url),
            ProductChange::Amount(amount) => row.amount = *amount,
            ProductChange::Asset(asset) => {
                row.asset_symbol.clone_from(&asset.symbol);
                row.asset_decimals = asset.decimals;
                row.asset_mint = asset.mint;
            }
            ProductChange::MerchantWallet(wallet) => row.merchant_wallet = *wallet,
            ProductChange::DeliveryType(delivery) => row.delivery_type = *delivery,
            ProductChange::DeliveryValue(there) => row.delivery_value_event = there.then_some(event_id),
            ProductChange::TipPresets(presets) => row.tip_presets.clone_from(presets),
            ProductChange::MaxPayments(max) => row.max_payments = *max,
            ProductChange::Branding(branding) => row.branding.clone_from(branding),
            ProductChange::Membership(membership) => row.membership.clone_from(membership),
        }
    }
}
