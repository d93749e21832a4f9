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
    time::Timestamp,
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
    /// saved, pending_review, verified or rejected.
    pub status: SettingStatus,
    /// Since when it waits for its review; null when it does not.
    pub review_since: Option<Timestamp>,
    /// Why it was rejected; null when it was not.
    pub rejected_because: Option<String>,
    /// not_configured, pending_verification, active or revoked.
    pub fee_status: FeeStatus,
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
    const VERSION: i32 = 2;
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
            Event::RailSettingVerified(e) => Keys::row(e.setting_id),
            Event::RailSettingRejected(e) => Keys::row(e.setting_id),
            Event::FeeCollectionActivated(e) => Keys::row(e.setting_id),
            Event::FeeCollectionRevoked(e) => Keys::row(e.setting_id),
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
                    review_since: None,
                    rejected_because: None,
                    fee_status: FeeStatus::unseen(e.fee_collection.as_ref()),
                };
                let again = saved.clone();
                let known = rows.update_if_present(event, e.setting_id, |row| row.save_again(again));
                if known { Ok(()) } else { rows.insert(event, saved) }
            }
            Event::RailSettingAutoVerified(e) => rows.update(event, e.setting_id, |row| row.reviewed(SettingStatus::Verified, None)),
            Event::RailSettingReviewRequested(e) => rows.update(event, e.setting_id, |row| {
                row.status = SettingStatus::PendingReview;
                row.review_since = Some(event.recorded.envelope.recorded_at);
            }),
            Event::RailSettingVerified(e) => rows.update(event, e.setting_id, |row| row.reviewed(SettingStatus::Verified, None)),
            Event::RailSettingRejected(e) => {
                rows.update(event, e.setting_id, |row| row.reviewed(SettingStatus::Rejected, Some(e.reason.clone())))
            }
            Event::FeeCollectionActivated(e) => rows.update(event, e.setting_id, |row| row.fee_status = FeeStatus::Active),
            Event::FeeCollectionRevoked(e) => rows.update(event, e.setting_id, |row| row.fee_status = FeeStatus::Revoked),
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
        /// Looked at and refused.
        Rejected = "rejected",
    }
}

words! {
    /// Whether the fee can be collected.
    pub enum FeeStatus {
        /// Nothing was said, or no collector was named.
        NotConfigured = "not_configured",
        /// Hilt has not seen the allowance.
        PendingVerification = "pending_verification",
        /// Hilt has seen it.
        Active = "active",
        /// It is no longer there.
        Revoked = "revoked",
    }
}

impl FeeStatus {
    fn unseen(fees: Option<&FeeCollection>) -> Self {
        match fees.is_some_and(|fees| fees.collector_address.is_some()) {
            true => FeeStatus::PendingVerification,
            false => FeeStatus::NotConfigured,
        }
    }
}

impl RailSetting {
    /// What was looked at keeps its standing; new payout or fee fields have been looked at by nobody.
    fn save_again(&mut self, saved: RailSetting) {
        let known = self.clone();
        let same = known.payout_address == saved.payout_address && known.fee_collection == saved.fee_collection;
        *self = RailSetting { meta: known.meta, ..saved };
        if same {
            self.status = known.status;
            self.review_since = known.review_since;
            self.rejected_because = known.rejected_because;
            self.fee_status = known.fee_status;
        }
    }

    fn reviewed(&mut self, status: SettingStatus, rejected_because: Option<String>) {
        self.status = status;
        self.review_since = None;
        self.rejected_because = rejected_because;
    }
}
