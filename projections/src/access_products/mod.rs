//! Access products (OBJ-14): RT-058 to RT-060.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    bytes::SolanaAddress,
    event::{AccessProductChange, Event, EventType},
    id::{AppId, ProductId},
    money::Minor,
    rail::RailId,
    words::ProductStatus,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct AccessProducts;

/// A row of `access_products`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccessProduct {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The hosted product behind it.
    pub product_id: ProductId,
    /// Its app.
    pub app_id: AppId,
    /// The merchant's own id of it.
    pub external_product_id: String,
    /// Shown to buyers.
    pub title: String,
    /// Shown to buyers.
    pub description: Option<String>,
    /// Price in minor units.
    pub amount: Minor,
    /// Where the money goes, base58.
    pub merchant_wallet: SolanaAddress,
    /// How long a payment gives access, in days of 24 hours.
    pub entitlement_duration_days: u32,
    /// Rail of sessions that name none.
    pub default_rail: RailId,
    /// Policy; what is shown to buyers is derived.
    pub allowed_rails: Vec<RailId>,
    /// active or paused.
    pub status: ProductStatus,
    /// Whether the owner confirmed that it takes real money.
    pub live_mode_confirmed: bool,
}

impl Row for AccessProduct {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for AccessProducts {
    const NAME: &'static str = "access_products";
    const VERSION: i32 = 2;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = AccessProduct;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::AccessProductCreated(e) => Keys::row(e.access_product_id),
            Event::AccessProductUpdated(e) => Keys::row(e.access_product_id),
            Event::AccessProductActivated(e) => Keys::row(e.access_product_id),
            Event::AccessProductPaused(e) => Keys::row(e.access_product_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<AccessProduct>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::AccessProductCreated(e) => rows.insert(
                event,
                AccessProduct {
                    meta: event.meta(e.access_product_id, None),
                    product_id: e.product_id,
                    app_id: e.app_id,
                    external_product_id: e.external_product_id.clone(),
                    title: e.title.clone(),
                    description: e.description.clone(),
                    amount: e.amount,
                    merchant_wallet: e.merchant_wallet,
                    entitlement_duration_days: e.entitlement_duration_days,
                    default_rail: e.default_rail,
                    allowed_rails: e.allowed_rails.clone(),
                    status: e.status,
                    live_mode_confirmed: e.live_mode_confirmed,
                },
            ),
            Event::AccessProductUpdated(e) => {
                rows.update(event, e.access_product_id, |row| e.changes.iter().for_each(|change| row.change(change)))
            }
            Event::AccessProductActivated(e) => rows.update(event, e.access_product_id, |row| {
                row.status = ProductStatus::Active;
                row.live_mode_confirmed = e.live_mode_confirmed;
            }),
            Event::AccessProductPaused(e) => rows.update(event, e.access_product_id, |row| row.status = ProductStatus::Paused),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

impl AccessProduct {
    fn change(&mut self, change: &AccessProductChange) {
        match change {
            AccessProductChange::Title(title) => self.title.clone_from(title),
            AccessProductChange::Description(description) => self.description.clone_from(description),
            AccessProductChange::Amount(amount) => self.amount = *amount,
            AccessProductChange::EntitlementDurationDays(days) => self.entitlement_duration_days = *days,
            AccessProductChange::DefaultRail(rail) => self.default_rail = *rail,
            AccessProductChange::AllowedRails(rails) => self.allowed_rails.clone_from(rails),
        }
    }
}
