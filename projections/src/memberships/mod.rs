//! Memberships (OBJ-06): RT-025..027.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::id::EventId;
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    event::{Event, EventType},
    id::{AccessProductId, PaymentId, ProductId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Memberships;

/// A row of `memberships`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Membership {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Of which product.
    pub product_id: ProductId,
    /// Of which access product.
    pub access_product_id: Option<AccessProductId>,
    /// Who paid last, base58.
    pub wallet: SolanaAddress,
    /// The payment of the current period.
    pub latest_payment_id: PaymentId,
    /// Its transaction, base58.
    pub latest_tx_signature: TxSignature,
    /// Start of the current period.
    pub current_period_start_at: Timestamp,
    /// End of the current period; grace comes after it.
    pub current_period_end_at: Timestamp,
    /// Every period, in order.
    pub history: Vec<Period>,
}

impl Row for Membership {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Memberships {
    const NAME: &'static str = "memberships";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Membership;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::MembershipActivated(e) => Keys::row(e.membership_id),
            Event::MembershipRenewed(e) => Keys::row(e.membership_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Membership>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::MembershipActivated(e) => {
                let period = Period {
                    event_id: event.event_id(),
                    payment_id: e.payment_id,
                    tx_signature: e.tx_signature,
                    wallet: e.wallet,
                    start_at: e.period_start,
                    end_at: e.period_end,
                    at: event.recorded_at(),
                };
                rows.insert(
                    event,
                    Membership {
                        meta: event.meta(e.membership_id, Some(e.subject_id)),
                        product_id: e.product_id,
                        access_product_id: e.access_product_id,
                        wallet: e.wallet,
                        latest_payment_id: e.payment_id,
                        latest_tx_signature: e.tx_signature,
                        current_period_start_at: e.period_start,
                        current_period_end_at: e.period_end,
                        history: vec![period],
                    },
                )
            }
            Event::MembershipRenewed(e) => rows.update(event, e.membership_id, |row| {
                row.wallet = e.wallet;
                row.latest_payment_id = e.payment_id;
                row.latest_tx_signature = e.tx_signature;
                row.current_period_start_at = e.period_start;
                row.current_period_end_at = e.period_end;
                row.history.push(Period {
                    event_id: event.event_id(),
                    payment_id: e.payment_id,
                    tx_signature: e.tx_signature,
                    wallet: e.wallet,
                    start_at: e.period_start,
                    end_at: e.period_end,
                    at: event.recorded_at(),
                });
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

/// One paid period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Period {
    /// The event that began it.
    pub event_id: EventId,
    /// The payment that bought it.
    pub payment_id: PaymentId,
    /// Its transaction.
    pub tx_signature: TxSignature,
    /// Who paid.
    pub wallet: SolanaAddress,
    /// Its start.
    pub start_at: Timestamp,
    /// Its end.
    pub end_at: Timestamp,
    /// When it was recorded.
    pub at: Timestamp,
}
