//! Fees that merchants owe: one row a payment whose buyer sent no fee (OBJ-25).

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    event::{Event, EventType},
    id::{AccessProductId, ProductId, SessionId},
    money::{FeeBps, Minor},
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Fees;

/// A row of `fees`; its id is the payment's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fee {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The session that was paid.
    pub session_id: Option<SessionId>,
    /// The hosted product.
    pub product_id: ProductId,
    /// The access product.
    pub access_product_id: Option<AccessProductId>,
    /// What is owed, in the asset's minor unit.
    pub amount: Minor,
    /// The asset's symbol.
    pub asset_symbol: String,
    /// The asset's mint.
    pub asset_mint: SolanaAddress,
    /// Its decimals.
    pub asset_decimals: u8,
    /// The rate, in hundredths of a percent.
    pub fee_bps: FeeBps,
    /// Which rule gave the rate.
    pub fee_policy: String,
    /// The transaction that paid the merchant.
    pub tx_signature: TxSignature,
}

impl Row for Fee {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Fees {
    const NAME: &'static str = "fees";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Fee;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::FeeDue(e) => Keys::row(e.payment_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Fee>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::FeeDue(e) => rows.insert(
                event,
                Fee {
                    meta: event.meta(e.payment_id, None),
                    session_id: e.session_id,
                    product_id: e.product_id,
                    access_product_id: e.access_product_id,
                    amount: e.amount,
                    asset_symbol: e.asset.symbol.clone(),
                    asset_mint: e.asset.mint,
                    asset_decimals: e.asset.decimals,
                    fee_bps: e.fee_bps,
                    fee_policy: e.fee_policy.clone(),
                    tx_signature: e.tx_signature,
                },
            ),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}
