//! The registry of rails: what the platform says of each, and the contract that its adapter declares (RAIL-1..8, OBJ-15, OBJ-17).
//!
//! A merchant's setting cannot change any of it: rail control is the platform's (INV-31).

mod standard;

use crate::platform::Platform;
use events::vocab::rail::{CapabilityStatus, RailId};
use std::fmt;

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
    /// The emergency stop: of the rail, or of all its chains.
    pub kill_switch: KillSwitch,
    /// Chains that it may settle on (CAIP-2), where it has no network of its own.
    pub allowlisted_chains: Vec<String>,
    /// Those of its chains whose own switch is tripped.
    pub tripped_chains: Vec<String>,
    /// Whether its settled payments become access.
    pub live_apply_open: bool,
    /// The form that its proofs will have, where there is no adapter yet.
    pub proof_scaffold: Option<&'static str>,
    /// The adapter that is registered for it, if one is.
    pub adapter: Option<Adapter>,
}

/// A gate of the live set: all of them hold before a rail takes real payments (INV-21).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Gate {
    /// An adapter that declares all seven parts and settles by itself is registered.
    SessionAdapter,
    /// Settlement evidence is verified.
    Verification,
    /// The same evidence cannot count twice.
    ReplayProtection,
    /// Finality is waited for, and a reorganisation is survived.
    SettlementFinality,
    /// A settlement becomes one receipt.
    ReceiptMapping,
    /// Support can see what happened.
    SupportEvidence,
    /// Somebody is told when it fails.
    Monitoring,
    /// It can be stopped, and is not.
    KillSwitch,
    /// It is said on which chains it settles.
    ChainAllowlist,
}

impl Gate {
    /// Every gate, in the order in which they are named.
    pub const ALL: &'static [Gate] = &[
        Gate::SessionAdapter,
        Gate::Verification,
        Gate::ReplayProtection,
        Gate::SettlementFinality,
        Gate::ReceiptMapping,
        Gate::SupportEvidence,
        Gate::Monitoring,
        Gate::KillSwitch,
        Gate::ChainAllowlist,
    ];
    /// Its name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Gate::SessionAdapter => "session_adapter",
            Gate::Verification => "verification",
            Gate::ReplayProtection => "replay_protection",
            Gate::SettlementFinality => "settlement_finality",
            Gate::ReceiptMapping => "receipt_mapping",
            Gate::SupportEvidence => "support_evidence",
            Gate::Monitoring => "monitoring",
            Gate::KillSwitch => "kill_switch",
            Gate::ChainAllowlist => "chain_allowlist",
        }
    }
}

/// Gates by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Gates(pub Vec<Gate>);

impl Gates {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|gate| gate.as_str()).collect()
    }
}
impl fmt::Display for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(", "))
    }
}

impl Rail {
    /// Whether `gate` holds.
    pub fn passes(&self, gate: Gate) -> bool {
        let Some(adapter) = &self.adapter else { return false };
        let declared = adapter.passed_gates.contains(&gate);
        match gate {
            Gate::SessionAdapter => adapter.settles_itself(self.rail_id) && adapter.missing_parts().is_empty(),
            Gate::KillSwitch => declared && self.kill_switch == KillSwitch::NotTripped,
            Gate::ChainAllowlist => !self.is_evm() || self.chains().next().is_some(),
            Gate::Verification
            | Gate::ReplayProtection
            | Gate::SettlementFinality
            | Gate::ReceiptMapping
            | Gate::SupportEvidence
            | Gate::Monitoring => declared,
        }
    }

    /// The gates that do not hold: while there is one, the rail takes no real payments.
    pub fn closed_gates(&self) -> Gates {
        Gates(Gate::ALL.iter().copied().filter(|gate| !self.passes(*gate)).collect())
    }

    /// The chains that it settles on (CAIP-2), tripped or not.
    pub fn chains(&self) -> impl Iterator<Item = &str> {
        let own = self.network.filter(|_| self.is_evm());
        own.into_iter().chain(self.allowlisted_chains.iter().map(String::as_str))
    }

    /// The chains that a session may be opened on.
    pub fn open_chains(&self) -> impl Iterator<Item = &str> {
        let open = self.kill_switch == KillSwitch::NotTripped;
        self.chains().filter(move |chain| open && !self.tripped_chains.iter().any(|tripped| tripped == chain))
    }

    /// Whether `chain` is one that it settles on, and no session may be opened there now.
    pub fn has_stopped(&self, chain: &str) -> bool {
        self.chains().any(|known| known == chain) && self.open_chains().all(|open| open != chain)
    }

    /// Whether it settles on EVM chains.
    pub fn is_evm(&self) -> bool {
        matches!(self.rail_id, RailId::BaseUsdc | RailId::EvmUsdc | RailId::Erc20Usdt)
    }

    /// Whether a switch or an allow-list of this rail may name `chain`; the rule that it breaks if not.
    pub fn knows_chain(&self, chain: &str) -> Result<(), &'static str> {
        let number = chain.strip_prefix("eip155:").filter(|digits| (1..=20).contains(&digits.len()) && !digits.starts_with('0'));
        match self.network {
            _ if !self.is_evm() => Err("only rails on EVM chains know chains"),
            _ if number.is_none_or(|digits| digits.bytes().any(|b| !b.is_ascii_digit())) => Err("a chain is eip155: and its number"),
            Some(network) if network != chain => Err("the rail settles on one chain only, and not on this"),
            Some(_) | None => Ok(()),
        }
    }
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
    /// The gates of the live set that it has passed.
    pub passed_gates: &'static [Gate],
}

impl Adapter {
    /// Whether the rail settles by itself, and not over another one.
    pub fn settles_itself(&self, rail: RailId) -> bool {
        self.settlement_rail_id == rail.as_str()
    }

    /// Those of the seven parts that it does not declare (INV-28).
    pub fn missing_parts(&self) -> Vec<&'static str> {
        let parts = [
            ("session_strategy", self.session_strategy),
            ("session_implementation", self.session_implementation),
            ("settlement_verification_status", self.settlement_verification_status),
            ("replay_protection_policy", self.replay_protection_policy),
            ("receipt_mapping_status", self.receipt_mapping_status),
            ("entitlement_activation_evidence", self.entitlement_activation_evidence),
            ("support_evidence", self.support_evidence),
        ];
        parts.into_iter().filter(|(_, declared)| declared.trim().is_empty()).map(|(part, _)| part).collect()
    }
}

/// What a payer's proof of that type names, beside what every proof is bound to (RT-091).
pub fn proof_fields(proof_type: &str) -> &'static [&'static str] {
    match proof_type {
        "hilt_solana_usdc_payment_v1" | "solana_token_transfer_v1" => &["tx_signature"],
        "erc20_transfer_v1" => &["tx_hash", "log_index", "chain_id", "token_contract", "from", "to", "amount"],
        "x402_payment_signature_v1" => {
            &["payment_signature", "payment_requirements_hash", "network", "asset", "pay_to", "max_amount_required", "resource"]
        }
        "tron_transfer_v1" => &["tx_hash", "token_contract", "from", "to", "amount"],
        _ => &[],
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
    /// As they stand under the platform's policy.
    pub fn under(&self, policy: &Platform) -> Rails {
        let mut rails = self.clone();
        for rail in &mut rails.0 {
            rail.stand_under(policy);
        }
        rails
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

impl Rail {
    fn stand_under(&mut self, policy: &Platform) {
        let Some(policy) = policy.rail(self.rail_id) else { return };
        if let Some(said) = &policy.capability {
            self.status = said.status;
            self.production_enabled = said.production_enabled;
            self.sandbox_enabled = said.sandbox_enabled;
            self.allowlisted_chains.clone_from(&said.allowlisted_chains);
        }
        if let Some(said) = &policy.live_apply {
            self.live_apply_open = said.open;
        }
        self.tripped_chains = policy.tripped.keys().flatten().cloned().collect();
        let every_chain = self.chains().next().is_some() && self.open_chains().next().is_none();
        if policy.tripped.contains_key(&None) || every_chain {
            self.kill_switch = KillSwitch::Tripped;
        }
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
    fn the_rails_that_take_real_payments_have_passed_every_gate_and_no_other_has() {
        for rail in Rails::standard().iter() {
            assert_eq!(rail.closed_gates().is_empty(), rail.production_enabled, "{}: {}", rail.rail_id, rail.closed_gates());
            assert!(rail.adapter.as_ref().is_none_or(|adapter| adapter.missing_parts().is_empty()), "{}", rail.rail_id);
        }
    }

    #[test]
    fn solana_usdc_is_the_only_production_rail() {
        let rails = Rails::standard();
        let production: Vec<_> = rails.iter().filter(|rail| rail.production_enabled).map(|rail| rail.rail_id).collect();
        assert_eq!(production, [RailId::SolanaUsdc]);
    }
}
