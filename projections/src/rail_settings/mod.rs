//! Merchant rail settings (OBJ-18): RT-056, RT-057.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    event::{Event, EventType, FeeCollection},
    rail::{Mode, RailId},
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct RailSettings;

/// A row of `rail_settings`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RailSetting {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The rail.
    pub rail_id: RailId,
    /// live or sandbox.
    pub mode: Mode,
    /// Whether the merchant wants it.
    pub enabled: bool,
    /// Where money goes, in the rail's notation.
    pub payout_address: Option<String>,
    /// The merchant's words for it.
    pub label: Option<String>,
    /// How the fee is collected on EVM rails.
    pub fee_collection: Option<FeeCollection>,
    /// saved, pending_review or verified.
    pub status: SettingStatus,
}

impl Row for RailSetting {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for RailSettings {
    const NAME: &'static str = "rail_settings";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = RailSetting;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::RailSettingSaved(e) => Keys::row(e.setting_id),
            Event::RailSettingAutoVerified(e) => Keys::row(e.setting_id),
            Event::RailSettingReviewRequested(e) => Keys::row(e.setting_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<RailSetting>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            // The settings whole: a first save makes the row, a later one replaces it.
            Event::RailSettingSaved(e) => {
                let saved = RailSetting {
                    meta: event.meta(e.setting_id, None),
                    rail_id: e.rail_id,
                    mode: e.mode,
                    enabled: e.enabled,
                    payout_address: e.payout_address.clone(),
                    label: e.label.clone(),
                    fee_collection: e.fee_collection.clone(),
                    status: SettingStatus::Saved,
                };
                let again = saved.clone();
                let known = rows.update_if_present(event, e.setting_id, |row| *row = RailSetting { meta: row.meta.clone(), ..again });
                if known { Ok(()) } else { rows.insert(event, saved) }
            }
            Event::RailSettingAutoVerified(e) => rows.update(event, e.setting_id, |row| row.status = SettingStatus::Verified),
            Event::RailSettingReviewRequested(e) => rows.update(event, e.setting_id, |row| row.status = SettingStatus::PendingReview),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// Where a setting stands.
    pub enum SettingStatus {
        /// Saved, and nothing asked of it yet.
        Saved = "saved",
        /// Waits for two people.
        PendingReview = "pending_review",
        /// Good for its mode.
        Verified = "verified",
    }
}
