//! Identity sessions (OBJ-03): where settlement looks for a proof of who pays, and the sweep for those that nobody signed.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    bytes::SolanaAddress,
    event::{Event, EventType},
    id::{PaymentId, ProductId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct IdentitySessions;

/// A row of `identity_sessions`. It holds no identity.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IdentitySession {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The product that will be bought.
    pub product_id: ProductId,
    /// The wallet that signs.
    pub wallet: SolanaAddress,
    /// pending, verified, consumed or expired.
    pub status: IdentityStatus,
    /// When the time for signing is over.
    pub expires_at: Timestamp,
    /// When the wallet signed.
    pub verified_at: Option<Timestamp>,
    /// The payment that used it up.
    pub payment_id: Option<PaymentId>,
}

impl Row for IdentitySession {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for IdentitySessions {
    const NAME: &'static str = "identity_sessions";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = IdentitySession;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::IdentitySessionStarted(e) => Keys::row(e.session_id),
            Event::IdentitySessionVerified(e) => Keys::row(e.session_id),
            Event::IdentitySessionExpired(e) => Keys::row(e.session_id),
            Event::IdentitySessionConsumed(e) => Keys::row(e.session_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<IdentitySession>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::IdentitySessionStarted(e) => rows.insert(
                event,
                IdentitySession {
                    meta: event.meta(e.session_id, Some(e.subject_id)),
                    product_id: e.product_id,
                    wallet: e.wallet,
                    status: IdentityStatus::Pending,
                    expires_at: e.expires_at,
                    verified_at: None,
                    payment_id: None,
                },
            ),
            Event::IdentitySessionVerified(e) => rows.update(event, e.session_id, |row| {
                row.status = IdentityStatus::Verified;
                row.verified_at = Some(e.verified_at);
            }),
            Event::IdentitySessionExpired(e) => rows.update(event, e.session_id, |row| row.status = IdentityStatus::Expired),
            Event::IdentitySessionConsumed(e) => rows.update(event, e.session_id, |row| {
                row.status = IdentityStatus::Consumed;
                row.payment_id = Some(e.payment_id);
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// How far a proof of identity has come.
    pub enum IdentityStatus {
        /// Waits for the signature.
        Pending = "pending",
        /// The wallet signed.
        Verified = "verified",
        /// A payment used it up.
        Consumed = "consumed",
        /// Nobody signed in time.
        Expired = "expired",
    }
}
