//! A merchant's settings for one rail and mode (TR-26, RT-056, DIS-10).

mod review;

pub use review::{Review, reviewed};

use crate::{
    check::rejections,
    wallet::{self, Invalid},
};
use events::{
    decider::Decider,
    vocab::{
        event::{Event, FeeCollection, RailSettingAutoVerified, RailSettingReviewRequested, RailSettingSaved},
        id::RailSettingId,
        rail::{Mode, RailId},
        stream::Fact,
    },
};

/// A rail setting.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum RailSetting {
    /// Never saved.
    #[default]
    Absent,
    /// As last saved.
    Saved {
        /// The settings.
        setting: Box<RailSettingSaved>,
        /// What has been made of its payout and fee fields.
        status: Status,
        /// Whether the fee can be collected as they say.
        fees: FeeStatus,
    },
}

/// How far the payout and fee fields, as they now are, have come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Kept only: in the sandbox, or `solana_usdc` without a payout address.
    Saved,
    /// Waits for two people.
    PendingReview,
    /// May be used.
    Verified,
    /// May not be used.
    Rejected,
}

/// Whether Hilt's fee can be collected on an EVM rail (TR-28).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeStatus {
    /// Nothing was said, or no collector was named.
    NotConfigured,
    /// Hilt has not seen the allowance.
    PendingVerification,
    /// Hilt has seen it.
    Active,
    /// It is no longer there.
    Revoked,
}

impl FeeStatus {
    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            FeeStatus::NotConfigured => "not_configured",
            FeeStatus::PendingVerification => "pending_verification",
            FeeStatus::Active => "active",
            FeeStatus::Revoked => "revoked",
        }
    }

    /// Of fields that nobody has looked at.
    pub const fn unseen(fees: Option<&FeeCollection>) -> Self {
        match fees {
            Some(FeeCollection { collector_address: Some(_), .. }) => FeeStatus::PendingVerification,
            Some(_) | None => FeeStatus::NotConfigured,
        }
    }
}

impl Status {
    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Saved => "saved",
            Status::PendingReview => "pending_review",
            Status::Verified => "verified",
            Status::Rejected => "rejected",
        }
    }
}

/// What is asked of a rail setting.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Save it whole; saving the same again changes nothing.
    Save(Box<Save>),
    /// What staff make of it.
    Review(Box<Review>),
}

/// See [`Command::Save`].
#[derive(Clone, PartialEq, Debug)]
pub struct Save {
    /// Its id, derived from owner, mode and rail.
    pub setting_id: RailSettingId,
    /// The rail.
    pub rail_id: RailId,
    /// Whether it is for real money.
    pub mode: Mode,
    /// Whether the merchant wants it used.
    pub enabled: bool,
    /// Where payouts go, in the rail's notation.
    pub payout_address: Option<String>,
    /// The merchant's own words.
    pub label: Option<String>,
    /// How the fee is collected, on EVM rails.
    pub fee_collection: Option<FeeCollection>,
    /// The platform's `solana_usdc_two_person_review`.
    pub two_person_review: bool,
}

rejections! {
    /// Why a rail setting is refused.
    pub enum Rejection {
        /// `usdt` names a family (DIS-26).
        RailFamilyNotConfigurable = "rail_family_not_configurable",
            "usdt is a family of rails: configure solana_usdt, erc20_usdt or tron_usdt";
        /// The payout or a contract address cannot exist.
        InvalidWallet {
            /// Which field.
            field: &'static str,
            /// Which rule.
            rule: Invalid,
        } = "invalid_wallet", "{field}: {rule}";
        /// Fee collection on a rail that has none, or a transaction hash that is none.
        InvalidFeeCollection {
            /// Which field.
            field: &'static str,
            /// Which rule.
            rule: &'static str,
        } = "invalid_fee_collection", "{field}: {rule}";
        /// There is no such setting.
        NotFound = "rail_setting_not_found", "there is no such rail setting";
        /// Staff say why.
        ReasonRequired = "reason_required", "reason: is required";
        /// The reason is too long.
        ReasonTooLong = "text_too_long", "reason: has at most 500 characters";
        /// The rail has not passed the platform's gates (INV-35).
        PlatformNotProductionEnabled = "platform_rail_not_production_enabled", "the rail takes no real payments, so nothing on it can be verified for them";
        /// It does not wait for a review.
        NotPending {
            /// Where it is.
            status: &'static str,
        } = "rail_setting_not_pending", "the setting is {status}";
        /// What was approved is not what the setting says now.
        ApprovalStale = "approval_stale", "the setting has changed since the approval was asked for";
        /// Payouts have nowhere to go.
        PayoutAddressRequired = "payout_address_required", "the setting has no payout address";
        /// The fee is billed later, which is not allowed for buyers who sign once.
        FeeCollectionNotInstant = "merchant_fee_collection_not_instant", "deferred merchant billing is never activated";
        /// No collector is named.
        FeeCollectorAddressRequired = "fee_collector_address_required", "the setting names no fee collector";
        /// There is no fee collection to take back.
        FeeCollectionNotActive = "merchant_fee_collection_not_active", "the fee collection is not active";
    }
}

impl Decider for RailSetting {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let save = match command {
            Command::Save(save) => save,
            Command::Review(review) => return review.decide(state),
        };
        save.check()?;
        let two_person_review = save.two_person_review;
        let saved = save.event();
        let before = match state {
            RailSetting::Saved { setting, .. } if **setting == saved => return Ok(vec![]),
            _ => state.clone(),
        };
        let after = RailSetting::evolve(before, &Event::RailSettingSaved(saved.clone()));
        let verdict = match after.status() {
            Some(Status::Saved) => verdict(&saved, two_person_review),
            _ => None,
        };
        Ok([saved.into()].into_iter().chain(verdict).collect())
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (state, Event::RailSettingSaved(saved)) => {
                let (status, fees) = state.standing_after(saved);
                RailSetting::Saved { setting: Box::new(saved.clone()), status, fees }
            }
            (RailSetting::Saved { setting, fees, .. }, Event::RailSettingAutoVerified(_) | Event::RailSettingVerified(_)) => {
                RailSetting::Saved { setting, status: Status::Verified, fees }
            }
            (RailSetting::Saved { setting, fees, .. }, Event::RailSettingReviewRequested(_)) => {
                RailSetting::Saved { setting, status: Status::PendingReview, fees }
            }
            (RailSetting::Saved { setting, fees, .. }, Event::RailSettingRejected(_)) => {
                RailSetting::Saved { setting, status: Status::Rejected, fees }
            }
            (RailSetting::Saved { setting, status, .. }, Event::FeeCollectionActivated(_)) => {
                RailSetting::Saved { setting, status, fees: FeeStatus::Active }
            }
            (RailSetting::Saved { setting, status, .. }, Event::FeeCollectionRevoked(_)) => {
                RailSetting::Saved { setting, status, fees: FeeStatus::Revoked }
            }
            (state, _) => state,
        }
    }
}

impl RailSetting {
    /// What has been made of the setting, once there is one.
    pub fn status(&self) -> Option<Status> {
        match self {
            RailSetting::Absent => None,
            RailSetting::Saved { status, .. } => Some(*status),
        }
    }

    /// A label or a switch may change freely; new payout or fee fields have been looked at by nobody.
    fn standing_after(&self, saved: &RailSettingSaved) -> (Status, FeeStatus) {
        match self {
            RailSetting::Saved { setting, status, fees }
                if setting.payout_address == saved.payout_address && setting.fee_collection == saved.fee_collection =>
            {
                (*status, *fees)
            }
            _ => (Status::Saved, FeeStatus::unseen(saved.fee_collection.as_ref())),
        }
    }
}

/// Who must look at a newly saved setting, if anyone (DIS-10).
fn verdict(saved: &RailSettingSaved, two_person_review: bool) -> Option<Fact> {
    let (setting_id, rail_id) = (saved.setting_id, saved.rail_id);
    match (saved.mode, rail_id, &saved.payout_address) {
        (Mode::Sandbox, _, _) | (Mode::Live, RailId::SolanaUsdc, None) => None,
        (Mode::Live, RailId::SolanaUsdc, Some(payout_address)) if !two_person_review => {
            Some(RailSettingAutoVerified { setting_id, rail_id, payout_address: payout_address.clone() }.into())
        }
        (Mode::Live, _, _) => Some(RailSettingReviewRequested { setting_id, rail_id }.into()),
    }
}

impl Save {
    fn check(&self) -> Result<(), Rejection> {
        if self.rail_id == RailId::Usdt {
            return Err(Rejection::RailFamilyNotConfigurable);
        }
        if let Some(address) = &self.payout_address {
            wallet::check(self.rail_id, address).map_err(|rule| Rejection::InvalidWallet { field: "payout_address", rule })?;
        }
        let Some(fees) = &self.fee_collection else { return Ok(()) };
        if !matches!(self.rail_id, RailId::BaseUsdc | RailId::EvmUsdc | RailId::Erc20Usdt) {
            return Err(Rejection::InvalidFeeCollection { field: "fee_collection_mode", rule: "only EVM rails collect the fee apart" });
        }
        let contracts = [("fee_collector_address", &fees.collector_address), ("fee_allowance_token_contract", &fees.token_contract)];
        for (field, address) in contracts {
            if let Some(address) = address {
                wallet::evm(address).map_err(|rule| Rejection::InvalidWallet { field, rule })?;
            }
        }
        match fees.allowance_tx_hash.as_deref() {
            Some(hash) if !is_tx_hash(hash) => Err(Rejection::InvalidFeeCollection {
                field: "fee_allowance_tx_hash",
                rule: "a transaction hash is 0x and 64 hexadecimal digits",
            }),
            _ => Ok(()),
        }
    }

    fn event(self) -> RailSettingSaved {
        RailSettingSaved {
            setting_id: self.setting_id,
            rail_id: self.rail_id,
            mode: self.mode,
            enabled: self.enabled,
            payout_address: self.payout_address,
            label: self.label,
            fee_collection: self.fee_collection,
        }
    }
}

fn is_tx_hash(text: &str) -> bool {
    text.strip_prefix("0x").is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}
