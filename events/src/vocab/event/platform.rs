//! The platform's own policy: rails, emergency stops, settings. Set by staff, for the whole deployment.

use crate::vocab::{
    rail::{CapabilityStatus, RailId},
    words::SettingKey,
};
use serde::{Deserialize, Serialize};

/// What the platform says of a rail, whole, as set (RT-102). It names where secrets are kept, and never holds one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RailCapabilityUpdated {
    pub rail_id: RailId,
    pub status: CapabilityStatus,
    pub production_enabled: bool,
    pub sandbox_enabled: bool,
    pub provider_policy: Option<String>,
    pub webhook_policy: Option<String>,
    pub token_policy: Option<String>,
    pub finality_policy: Option<String>,
    /// CAIP-2, in order.
    pub allowlisted_chains: Vec<String>,
    /// Such as `env:HILT_EVM_RPC_URLS`, in order.
    pub secret_references: Vec<String>,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// Whether settled payments of a rail become access.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RailLiveApplyGateChanged {
    pub rail_id: RailId,
    pub open: bool,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// The emergency stop of a rail, or of one chain of it (TR-29).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KillSwitchTripped {
    pub rail_id: RailId,
    /// CAIP-2; the whole rail when there is none.
    pub chain: Option<String>,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// The end of an emergency stop.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KillSwitchCleared {
    pub rail_id: RailId,
    /// CAIP-2; the whole rail when there is none.
    pub chain: Option<String>,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// A setting of the deployment that staff change while it runs (RT-089).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RuntimeSettingChanged {
    pub key: SettingKey,
    pub value: SettingValue,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// What a setting is set to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingValue {
    /// On or off.
    Flag(bool),
}
