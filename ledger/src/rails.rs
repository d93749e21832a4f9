//! The registry of rails: what the platform says of each, and the contract that its adapter declares (RAIL-1..8, OBJ-15, OBJ-17).
//!
//! A merchant's setting cannot change any of it: rail control is the platform's (INV-31).

mod standard;

use events::vocab::rail::RailId;

/// How far a rail has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CapabilityStatus {
    /// Settles real payments.
    ProductionAvailable,
    /// Has a shape to develop against.
    SandboxAvailable,
    /// A future rail, hidden behind its gates.
    PrivateAlphaTarget,
    /// Waits for a review of its risks.
    ReviewRequired,
}

impl CapabilityStatus {
    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            CapabilityStatus::ProductionAvailable => "production_available",
            CapabilityStatus::SandboxAvailable => "sandbox_available",
            CapabilityStatus::PrivateAlphaTarget => "private_alpha_target",
            CapabilityStatus::ReviewRequired => "review_required",
        }
    }
}

/// The emergency stop of a rail (OBJ-16).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KillSwitch {
    /// The rail runs.
    NotTripped,
    /// No new session on the rail.
    Tripped,
}

impl KillSwitch {
    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            KillSwitch::NotTripped => "not_tripped",
            KillSwitch::Tripped => "tripped",
        }
    }
}

/// A rail as the platform describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rail {
    /// Which rail.
    pub rail_id: RailId,
    /// How far it has come.
    pub status: CapabilityStatus,
    /// The network's name, where there is one network.
    pub network: Option<&'static str>,
    /// What it settles in.
    pub settlement_asset: &'static str,
    /// Whether a sandbox shape exists.
    pub supports_sandbox: bool,
    /// Whether it can settle real payments.
    pub supports_live: bool,
    /// Whether a review stands between a merchant's setting and its use.
    pub requires_review: bool,
    /// The gate of live sessions.
    pub production_enabled: bool,
    /// The gate of sandbox sessions; it never leads to live access (INV-29).
    pub sandbox_enabled: bool,
    /// When a payment counts.
    pub confirmation_policy: &'static str,
    /// How the same evidence is kept from counting twice.
    pub replay_protection_policy: &'static str,
    /// How settlement is verified.
    pub settlement_verification_status: &'static str,
    /// What activates an entitlement.
    pub entitlement_activation_support: &'static str,
    /// The emergency stop.
    pub kill_switch: KillSwitch,
    /// The adapter that is registered for it, if one is.
    pub adapter: Option<Adapter>,
}

/// The seven parts that an adapter declares before its rail can create sessions (INV-28), and the names that go with them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Adapter {
    /// 1. How a buyer is led to pay.
    pub session_strategy: &'static str,
    /// 2. What creates the session.
    pub session_implementation: &'static str,
    /// 3. How settlement and finality are verified.
    pub settlement_verification_status: &'static str,
    /// 4. How replays are refused.
    pub replay_protection_policy: &'static str,
    /// 5. How a settlement becomes a receipt.
    pub receipt_mapping_status: &'static str,
    /// 6. What an activation must cite.
    pub entitlement_activation_evidence: &'static str,
    /// 7. What support and auditors are given.
    pub support_evidence: &'static str,
    /// The form of the proof.
    pub proof_type: &'static str,
    /// The protocol around the payment, where the rail is one.
    pub payment_protocol: Option<&'static str>,
    /// The rail that settles, where it is not this one: such a rail creates no sessions of its own (DIS-8, DIS-21).
    pub settlement_rail_id: &'static str,
}

impl Adapter {
    /// Whether the rail settles by itself, and not over another one.
    pub fn settles_itself(&self, rail: RailId) -> bool {
        self.settlement_rail_id == rail.as_str()
    }
}

/// Every rail, each once.
///
/// A value that the service is built with: the binaries take [`Rails::standard`], and a test that needs a second rail alters one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rails([Rail; 8]);

impl Rails {
    /// The product's own.
    pub fn standard() -> Self {
        Rails(standard::rails())
    }
    /// What is said of `rail`.
    pub fn get(&self, rail: RailId) -> &Rail {
        let [solana_usdc, x402, base_usdc, evm_usdc, usdt, solana_usdt, erc20_usdt, tron_usdt] = &self.0;
        match rail {
            RailId::SolanaUsdc => solana_usdc,
            RailId::X402 => x402,
            RailId::BaseUsdc => base_usdc,
            RailId::EvmUsdc => evm_usdc,
            RailId::Usdt => usdt,
            RailId::SolanaUsdt => solana_usdt,
            RailId::Erc20Usdt => erc20_usdt,
            RailId::TronUsdt => tron_usdt,
        }
    }
    /// In the contract's order.
    pub fn iter(&self) -> impl Iterator<Item = &Rail> {
        self.0.iter()
    }
    /// With `alter` applied to `rail`.
    pub fn with(mut self, rail: RailId, alter: impl FnOnce(&mut Rail)) -> Self {
        if let Some(found) = self.0.iter_mut().find(|found| found.rail_id == rail) {
            alter(found);
            // Which row it is stays what it is.
            found.rail_id = rail;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_lists_every_rail_once_in_the_contracts_order() {
        let rails = Rails::standard();
        let listed: Vec<_> = rails.iter().map(|rail| rail.rail_id).collect();
        assert_eq!(listed, RailId::ALL);
        for (row, id) in rails.iter().zip(RailId::ALL) {
            assert_eq!(row, rails.get(*id));
        }
    }

    #[test]
    fn solana_usdc_is_the_only_production_rail() {
        let rails = Rails::standard();
        let production: Vec<_> = rails.iter().filter(|rail| rail.production_enabled).map(|rail| rail.rail_id).collect();
        assert_eq!(production, [RailId::SolanaUsdc]);
    }
}
