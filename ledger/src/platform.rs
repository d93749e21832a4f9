//! The platform's policy: what staff say of rails, emergency stops, and settings (OBJ-15, OBJ-16, TR-29, RT-089, RT-101, RT-102).
//!
//! One stream for the whole deployment: its events are few, and whoever decides on a rail reads it whole (INV-31).

mod capability;

pub use capability::UpdateCapability;

use crate::{
    check::{filled, rejections},
    rails::{Gates, Rail},
};
use events::{
    decider::Decider,
    vocab::{
        event::{
            Event, KillSwitchCleared, KillSwitchTripped, RailCapabilityUpdated, RailLiveApplyGateChanged, RuntimeSettingChanged,
            SettingValue,
        },
        rail::RailId,
        stream::{Category, Fact, StreamId},
        words::SettingKey,
    },
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The longest reason that staff may give, in characters.
pub const LONGEST_REASON: usize = 500;

/// The stream that holds it.
pub fn stream() -> StreamId {
    StreamId::new(Category::Platform, Uuid::nil())
}

/// Everything that was said.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Platform {
    rails: BTreeMap<RailId, RailPolicy>,
    settings: BTreeMap<SettingKey, RuntimeSettingChanged>,
}

/// What was said of one rail.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RailPolicy {
    /// The last word on its capability.
    pub capability: Option<RailCapabilityUpdated>,
    /// The last word on its live-apply gate.
    pub live_apply: Option<RailLiveApplyGateChanged>,
    /// Its switches that are tripped: by chain, and `None` for the whole rail.
    pub tripped: BTreeMap<Option<String>, KillSwitchTripped>,
}

/// Who does it and why; kept in the event (INV-44).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// The member of staff, by an opaque id.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What is asked. Every command names the rail as it now stands, since what it may become follows from what it was built as.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Say what a rail is (RT-102).
    UpdateCapability(Box<UpdateCapability>),
    /// Open or close the gate between a settled payment and access.
    SetLiveApply {
        /// The rail.
        rail: Box<Rail>,
        /// Open or closed.
        open: bool,
        /// Who and why.
        said: Said,
    },
    /// Stop a rail, or one chain of it, or let it go on (RT-101).
    Switch {
        /// The rail.
        rail: Box<Rail>,
        /// CAIP-2; the whole rail when there is none.
        chain: Option<String>,
        /// Tripped or not.
        tripped: bool,
        /// Who and why.
        said: Said,
    },
    /// Set a setting (RT-089).
    ChangeSetting {
        /// Which.
        key: SettingKey,
        /// To what.
        value: SettingValue,
        /// Who and why.
        said: Said,
    },
}

rejections! {
    /// Why a word on the platform's policy is refused.
    pub enum Rejection {
        /// No reason was given.
        ReasonRequired = "reason_required", "reason: is required";
        /// A text is longer than it may be, or not one line.
        InvalidText {
            /// Which field.
            field: &'static str,
            /// Which rule.
            rule: &'static str,
        } = "validation_failed", "{field}: {rule}";
        /// Only rails on EVM chains have switches and allow-lists by chain.
        InvalidChain {
            /// The chain.
            chain: String,
            /// Which rule.
            rule: &'static str,
        } = "invalid_chain", "{chain}: {rule}";
        /// It is no reference, or holds what it should refer to.
        InvalidSecretReference = "invalid_secret_reference",
            "secret_references: env:NAME_OF_A_VARIABLE or secret:path/of/lower-case-words; never the secret itself";
        /// A rail that takes real payments is `production_available`, and no other is (INV-33).
        StatusConflict = "rail_status_conflict", "a rail is production_available exactly when it is or was production-enabled";
        /// No sandbox shape was built for the rail (INV-29).
        SandboxNotSupported = "sandbox_not_supported", "the rail has no sandbox shape";
        /// Gates of the live set do not hold for the rail (INV-21, INV-35).
        ProductionGatesClosed {
            /// Which.
            gates: Gates,
        } = "production_gates_closed", "the rail has not passed: {gates}";
    }
}

impl Decider for Platform {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match command {
            Command::UpdateCapability(update) => update.decide(state),
            Command::SetLiveApply { rail, open, said } => {
                let Said { by, reason } = said.checked()?;
                let gates = rail.closed_gates();
                match rail.live_apply_open == open {
                    true => Ok(vec![]),
                    false if open && !gates.is_empty() => Err(Rejection::ProductionGatesClosed { gates }),
                    false => Ok(vec![RailLiveApplyGateChanged { rail_id: rail.rail_id, open, by, reason }.into()]),
                }
            }
            Command::Switch { rail, chain, tripped, said } => {
                let Said { by, reason } = said.checked()?;
                let rail_id = rail.rail_id;
                if let Some(chain) = &chain {
                    rail.knows_chain(chain).map_err(|rule| Rejection::InvalidChain { chain: chain.clone(), rule })?;
                }
                let is_tripped = state.rail(rail_id).is_some_and(|policy| policy.tripped.contains_key(&chain));
                Ok(match (is_tripped, tripped) {
                    (false, true) => vec![KillSwitchTripped { rail_id, chain, by, reason }.into()],
                    (true, false) => vec![KillSwitchCleared { rail_id, chain, by, reason }.into()],
                    (true, true) | (false, false) => vec![],
                })
            }
            Command::ChangeSetting { key, value, said } => {
                let Said { by, reason } = said.checked()?;
                match state.setting(key) == value {
                    true => Ok(vec![]),
                    false => Ok(vec![RuntimeSettingChanged { key, value, by, reason }.into()]),
                }
            }
        }
    }

    fn evolve(mut state: Self, event: &Event) -> Self {
        match event {
            Event::RailCapabilityUpdated(updated) => state.policy(updated.rail_id).capability = Some(updated.clone()),
            Event::RailLiveApplyGateChanged(changed) => state.policy(changed.rail_id).live_apply = Some(changed.clone()),
            Event::KillSwitchTripped(tripped) => {
                state.policy(tripped.rail_id).tripped.insert(tripped.chain.clone(), tripped.clone());
            }
            Event::KillSwitchCleared(cleared) => {
                state.policy(cleared.rail_id).tripped.remove(&cleared.chain);
            }
            Event::RuntimeSettingChanged(changed) => {
                state.settings.insert(changed.key, changed.clone());
            }
            _ => {}
        }
        state
    }
}

impl Platform {
    /// What was said of `rail`, if anything was.
    pub fn rail(&self, rail: RailId) -> Option<&RailPolicy> {
        self.rails.get(&rail)
    }

    /// What a setting is set to; what it is when nobody has set it.
    pub fn setting(&self, key: SettingKey) -> SettingValue {
        match (self.settings.get(&key), key) {
            (Some(changed), _) => changed.value.clone(),
            (None, SettingKey::SolanaUsdcTwoPersonReview | SettingKey::ApprovalSignaturesRequired) => SettingValue::Flag(false),
        }
    }

    /// Who set a setting last, and why.
    pub fn last_change(&self, key: SettingKey) -> Option<&RuntimeSettingChanged> {
        self.settings.get(&key)
    }

    /// Whether a live `solana_usdc` payout waits for two people (Q-1, DIS-10).
    pub fn solana_usdc_two_person_review(&self) -> bool {
        self.setting(SettingKey::SolanaUsdcTwoPersonReview) == SettingValue::Flag(true)
    }

    /// Whether approvals are asked for and given with operators' signatures only.
    pub fn approval_signatures_required(&self) -> bool {
        self.setting(SettingKey::ApprovalSignaturesRequired) == SettingValue::Flag(true)
    }

    fn policy(&mut self, rail: RailId) -> &mut RailPolicy {
        self.rails.entry(rail).or_default()
    }
}

impl Said {
    /// With a reason that says something and is not longer than it may be.
    pub fn checked(self) -> Result<Said, Rejection> {
        let reason = filled(&self.reason).ok_or(Rejection::ReasonRequired)?;
        match reason.chars().count() > LONGEST_REASON {
            true => Err(Rejection::InvalidText { field: "reason", rule: "has at most 500 characters" }),
            false => Ok(Said { reason, ..self }),
        }
    }
}
