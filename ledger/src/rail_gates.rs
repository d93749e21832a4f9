//! Which rails a product can be paid on (§3.1): available, blocked, and able to create a session are three different things
//! (INV-24), and buyers are shown only the last (INV-22).

use crate::rails::{KillSwitch, Rail, Rails};
use events::vocab::{
    money::FeeBps,
    rail::{FeeCollectionMode, Mode, RailId},
};

/// Everything the gates look at.
#[derive(Clone, Copy, Debug)]
pub struct GateInput<'a> {
    /// Live or sandbox.
    pub mode: Mode,
    /// The product's policy.
    pub allowed_rails: &'a [RailId],
    /// Payout wallet of the backing product; payouts of Solana rails must equal it.
    pub backing_wallet: &'a str,
    /// The fee that would apply; 0 needs no fee collection.
    pub fee_bps: FeeBps,
    /// The platform's rails as they now stand.
    pub rails: &'a Rails,
    /// The merchant's settings of this mode; a rail without one is not configured.
    pub settings: &'a [RailSetting],
}

/// A merchant's setting, as the gates see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RailSetting {
    /// Which rail.
    pub rail_id: RailId,
    /// Whether the merchant wants it.
    pub enabled: bool,
    /// Where payouts go.
    pub payout_address: Option<String>,
    /// How far its review has come.
    pub review: Review,
    /// How the fee is collected, where it was said.
    pub fee_collection: Option<FeeCollectionState>,
}

/// The review of a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Review {
    /// May be used.
    Verified,
    /// Waits for two people, or for a payout to look at.
    Pending,
    /// Refused.
    Rejected,
}

/// Fee collection on EVM rails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeeCollectionState {
    /// The model the merchant chose.
    pub model: FeeCollectionMode,
    /// Whether a collector was named.
    pub has_collector: bool,
    /// Whether Hilt verified the allowance.
    pub active: bool,
}

macro_rules! blockers {
    ($( $variant:ident = $code:literal $next:literal ),* $(,)?) => {
        /// Why a rail is blocked, or creates no session (§3.2).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Blocker { $( #[doc = $next] $variant ),* }
        impl Blocker {
            /// Every blocker.
            pub const ALL: &'static [Blocker] = &[$( Blocker::$variant ),*];
            /// The contract's code.
            pub const fn code(self) -> &'static str { match self { $( Blocker::$variant => $code ),* } }
            /// What to do about it.
            pub const fn next_action(self) -> &'static str { match self { $( Blocker::$variant => $next ),* } }
        }
    };
}

blockers! {
    PlatformNotProductionEnabled = "platform_rail_not_production_enabled" "Use a rail whose production_enabled is true.",
    Disabled = "rail_disabled" "Use a rail whose sandbox_enabled is true.",
    KillSwitched = "rail_kill_switched" "Do not retry as live: wait for Hilt to clear the incident, or use another effective rail.",
    NotAllowedForProduct = "rail_not_allowed_for_product" "Allow the rail in the product's allowed_rails.",
    SettingDisabled = "rail_setting_disabled" "Enable the rail setting.",
    PayoutAddressRequired = "payout_address_required" "Configure the rail's payout address before creating live sessions.",
    SettingPendingReview = "rail_setting_pending_review" "Wait for Hilt's review of the rail setting.",
    SettingRejected = "rail_setting_rejected" "Save a payout address that passes Hilt's review.",
    BackingProductWalletMismatch = "backing_product_wallet_mismatch" "Stop live sessions for this product and reconcile the payout address with the product's merchant_wallet.",
    NotEffective = "rail_not_effective" "Fix the blockers of the rail first.",
    FeeCollectionNotActive = "merchant_fee_collection_not_active" "Complete and verify the merchant allowance and collector setup before creating buyer sessions.",
    FeeCollectionNotInstant = "merchant_fee_collection_not_instant" "Switch the rail setting to merchant_allowance_pull and complete the fee collector approval.",
    FeeCollectorAddressRequired = "fee_collector_address_required" "Add the reviewed Hilt fee collector address to the rail setting.",
    AdapterNotImplemented = "payment_session_adapter_not_implemented" "Do not show the rail in checkout: this deployment cannot create live sessions on it.",
}

impl Blocker {
    /// The code a session is refused with when a rail with this blocker is asked for (RT-063, DIS-7).
    pub const fn session_code(self) -> &'static str {
        match self {
            Blocker::KillSwitched => "rail_kill_switched",
            Blocker::Disabled | Blocker::SettingDisabled => "rail_disabled",
            Blocker::PayoutAddressRequired => "payout_address_required",
            Blocker::BackingProductWalletMismatch => "backing_product_wallet_mismatch",
            Blocker::FeeCollectionNotActive => "merchant_fee_collection_not_active",
            Blocker::FeeCollectionNotInstant => "merchant_fee_collection_not_instant",
            Blocker::FeeCollectorAddressRequired => "fee_collector_address_required",
            Blocker::AdapterNotImplemented => "rail_session_adapter_not_implemented",
            Blocker::PlatformNotProductionEnabled
            | Blocker::NotAllowedForProduct
            | Blocker::SettingPendingReview
            | Blocker::SettingRejected
            | Blocker::NotEffective => "rail_not_effective",
        }
    }
}

/// What the gates say of every rail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RailOptions {
    /// Every rail of the registry, in its order.
    pub rails: Vec<Verdict>,
}

/// What the gates say of one rail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The rail.
    pub rail: Rail,
    /// Why it is not available; empty when it is.
    pub blockers: Vec<Blocker>,
    /// Why it creates no session; `None` when it does.
    pub session_blocker: Option<Blocker>,
}

impl Verdict {
    /// Allowed, configured and through the platform's gates.
    pub fn available(&self) -> bool {
        self.blockers.is_empty()
    }
    /// Able to create a session.
    pub fn creatable(&self) -> bool {
        self.session_blocker.is_none()
    }
}

/// Why no rail could be chosen for a session.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// The contract's code.
    pub code: &'static str,
    /// What is wrong.
    pub detail: String,
    /// The blockers of the rail asked for, by code.
    pub blockers: Vec<&'static str>,
    /// What to do next.
    pub next_action: &'static str,
}

impl RailOptions {
    /// Rails that can create a session, the only ones that buyers see.
    pub fn creatable(&self) -> impl Iterator<Item = &Verdict> {
        self.rails.iter().filter(|verdict| verdict.creatable())
    }
    /// Whether the caller must name a rail (INV-25).
    pub fn rail_required(&self) -> bool {
        self.creatable().count() > 1
    }
    /// The rail that is taken when none is named, if exactly one creates sessions.
    pub fn auto_select(&self) -> Option<RailId> {
        match self.rail_required() {
            true => None,
            false => self.creatable().next().map(|verdict| verdict.rail.rail_id),
        }
    }
    /// What the gates say of `rail`.
    pub fn verdict(&self, rail: RailId) -> Option<&Verdict> {
        self.rails.iter().find(|verdict| verdict.rail.rail_id == rail)
    }
    /// The rail of a new session: the one asked for, or the only one there is.
    pub fn choose(&self, asked: Option<RailId>) -> Result<RailId, Refused> {
        match asked {
            Some(rail) => self.check(rail),
            None if self.rail_required() => Err(Refused {
                code: "rail_required",
                detail: "more than one rail can create a session".to_owned(),
                blockers: self.creatable().map(|verdict| verdict.rail.rail_id.as_str()).collect(),
                next_action: "Pass rail: one of payment_session_options.session_creatable_rails.",
            }),
            None => self.auto_select().ok_or_else(|| self.none()),
        }
    }

    fn check(&self, rail: RailId) -> Result<RailId, Refused> {
        let verdict = self.verdict(rail);
        let Some(session_blocker) = verdict.map_or(Some(Blocker::NotEffective), |verdict| verdict.session_blocker) else { return Ok(rail) };
        let blockers = verdict.map(|verdict| verdict.blockers.as_slice()).unwrap_or_default();
        // The first blocker says more than "not effective" does.
        let first = blockers.first().copied().filter(|_| session_blocker == Blocker::NotEffective).unwrap_or(session_blocker);
        Err(Refused {
            code: first.session_code(),
            detail: format!("{rail} cannot create a session: {}", first.code()),
            blockers: blockers.iter().map(|blocker| blocker.code()).collect(),
            next_action: first.next_action(),
        })
    }

    fn none(&self) -> Refused {
        match self.rails.iter().any(Verdict::available) {
            true => Refused {
                code: "no_session_creatable_rails",
                detail: "rails are available, but none can create a session in this deployment".to_owned(),
                blockers: self.rails.iter().filter(|v| v.available()).filter_map(|v| v.session_blocker).map(Blocker::code).collect(),
                next_action: "Do not create a session; ask Hilt's support.",
            },
            false => Refused {
                code: "no_available_rails",
                detail: "no rail is allowed, configured and enabled".to_owned(),
                blockers: self.first_blockers(),
                next_action: "Read GET /v1/access/products/available-rails and fix the first blocker of blocked_rails.",
            },
        }
    }

    /// The blockers of the rails that the product allows and the platform runs: those that the merchant can do something about.
    fn first_blockers(&self) -> Vec<&'static str> {
        let beyond = [Blocker::PlatformNotProductionEnabled, Blocker::NotAllowedForProduct];
        let mut codes = Vec::new();
        for blocker in self.rails.iter().filter_map(|verdict| verdict.blockers.first()).filter(|blocker| !beyond.contains(blocker)) {
            if !codes.contains(&blocker.code()) {
                codes.push(blocker.code());
            }
        }
        codes
    }
}

/// Puts every rail of the registry through the gates, in the order of the contract.
pub fn evaluate(input: &GateInput<'_>) -> RailOptions {
    let verdict = |rail: &Rail| {
        let blockers = blockers(input, rail);
        let session_blocker = session_blocker(input, rail, &blockers);
        Verdict { rail: rail.clone(), blockers, session_blocker }
    };
    RailOptions { rails: input.rails.iter().map(verdict).collect() }
}

fn blockers(input: &GateInput<'_>, rail: &Rail) -> Vec<Blocker> {
    // The platform's own gate comes first and ends the matter: nothing that a merchant does can open it.
    match input.mode {
        Mode::Live if !rail.production_enabled => return vec![Blocker::PlatformNotProductionEnabled],
        Mode::Sandbox if !rail.sandbox_enabled || rail.kill_switch == KillSwitch::Tripped => return vec![Blocker::Disabled],
        Mode::Live | Mode::Sandbox => {}
    }
    let mut blockers = Vec::new();
    if rail.kill_switch == KillSwitch::Tripped {
        blockers.push(Blocker::KillSwitched);
    }
    if !input.allowed_rails.contains(&rail.rail_id) {
        blockers.push(Blocker::NotAllowedForProduct);
    }
    // No money moves in the sandbox, so nothing needs a payout there.
    if input.mode == Mode::Live {
        blockers.extend(setting_blockers(input, rail));
    }
    blockers
}

fn setting_blockers(input: &GateInput<'_>, rail: &Rail) -> Vec<Blocker> {
    let Some(setting) = setting(input, rail) else { return vec![Blocker::PayoutAddressRequired] };
    let mut blockers = Vec::new();
    if !setting.enabled {
        blockers.push(Blocker::SettingDisabled);
    }
    let Some(payout) = &setting.payout_address else {
        blockers.push(Blocker::PayoutAddressRequired);
        return blockers;
    };
    match setting.review {
        Review::Verified => {}
        Review::Pending => blockers.push(Blocker::SettingPendingReview),
        Review::Rejected => blockers.push(Blocker::SettingRejected),
    }
    if matches!(rail.rail_id, RailId::SolanaUsdc | RailId::SolanaUsdt) && payout != input.backing_wallet {
        blockers.push(Blocker::BackingProductWalletMismatch);
    }
    blockers
}

fn session_blocker(input: &GateInput<'_>, rail: &Rail, blockers: &[Blocker]) -> Option<Blocker> {
    let complete = rail.adapter.as_ref().is_some_and(|adapter| adapter.missing_parts().is_empty());
    let protocol_only = rail.adapter.as_ref().is_some_and(|adapter| !adapter.settles_itself(rail.rail_id));
    match input.mode {
        Mode::Live if protocol_only => Some(Blocker::AdapterNotImplemented),
        _ if !blockers.is_empty() => Some(Blocker::NotEffective),
        Mode::Live if !complete => Some(Blocker::AdapterNotImplemented),
        Mode::Live => fee_blocker(input, rail),
        Mode::Sandbox => None,
    }
}

/// On EVM rails the fee is collected apart from the payment, so its collection must stand before a buyer pays (INV-27).
fn fee_blocker(input: &GateInput<'_>, rail: &Rail) -> Option<Blocker> {
    if input.fee_bps.get() == 0 || !matches!(rail.rail_id, RailId::BaseUsdc | RailId::EvmUsdc) {
        return None;
    }
    match setting(input, rail).and_then(|setting| setting.fee_collection.as_ref()) {
        None => Some(Blocker::FeeCollectionNotActive),
        Some(fee) if fee.model == FeeCollectionMode::DeferredMerchantBilling => Some(Blocker::FeeCollectionNotInstant),
        Some(fee) if fee.model == FeeCollectionMode::MerchantAllowancePull && !fee.has_collector => {
            Some(Blocker::FeeCollectorAddressRequired)
        }
        Some(fee) if !fee.active => Some(Blocker::FeeCollectionNotActive),
        Some(_) => None,
    }
}

fn setting<'a>(input: &GateInput<'a>, rail: &Rail) -> Option<&'a RailSetting> {
    input.settings.iter().find(|setting| setting.rail_id == rail.rail_id)
}

#[cfg(test)]
mod tests;
