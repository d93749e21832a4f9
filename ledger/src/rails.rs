//! The registry of rails: what the platform says of each, and the contract that its adapter declares (RAIL-1..8, OBJ-15, OBJ-17).
//!
//! A merchant's setting cannot change any of it: rail control is the platform's (INV-31).

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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

/// The platform's word on `rail`.
pub const fn rail(rail: RailId) -> &'static Rail {
    match rail {
        RailId::SolanaUsdc => &SOLANA_USDC,
        RailId::X402 => &X402,
        RailId::BaseUsdc => &BASE_USDC,
        RailId::EvmUsdc => &EVM_USDC,
        RailId::Usdt => &USDT,
        RailId::SolanaUsdt => &SOLANA_USDT,
        RailId::Erc20Usdt => &ERC20_USDT,
        RailId::TronUsdt => &TRON_USDT,
    }
}

/// Every rail, in the contract's order.
pub const REGISTRY: [Rail; 8] = [SOLANA_USDC, X402, BASE_USDC, EVM_USDC, USDT, SOLANA_USDT, ERC20_USDT, TRON_USDT];

const SOLANA_USDC: Rail = Rail {
    rail_id: RailId::SolanaUsdc,
    status: CapabilityStatus::ProductionAvailable,
    network: Some("solana:mainnet"),
    settlement_asset: "USDC",
    supports_sandbox: true,
    supports_live: true,
    requires_review: false,
    production_enabled: true,
    sandbox_enabled: true,
    confirmation_policy: "Hilt fetches the transaction itself and waits for finality; transfers, mint, recipients, amounts and memo must match the stored requirement.",
    replay_protection_policy: "Proof fingerprint unique for an owner; one on-chain transfer maps to one receipt and one entitlement activation.",
    settlement_verification_status: "verified_current",
    entitlement_activation_support: "production_after_verified_payment_receipt_or_membership_state",
    kill_switch: KillSwitch::NotTripped,
    adapter: Some(Adapter {
        session_strategy: "hosted_checkout",
        session_implementation: "hilt_checkout_payment",
        settlement_verification_status: "verified_current",
        replay_protection_policy: "fingerprint_of_network_and_signature_per_owner_and_global_transfer_id",
        receipt_mapping_status: "current_receipt_and_member_bridge",
        entitlement_activation_evidence: "receipt_mapped_after_settlement_evidence",
        support_evidence: "proof_attempts_settlement_evidence_and_receipt_by_event_id",
        proof_type: "hilt_solana_usdc_payment_v1",
        payment_protocol: None,
        settlement_rail_id: "solana_usdc",
    }),
};

const X402: Rail = Rail {
    rail_id: RailId::X402,
    status: CapabilityStatus::SandboxAvailable,
    network: None,
    settlement_asset: "USDC",
    supports_sandbox: true,
    supports_live: false,
    requires_review: true,
    production_enabled: false,
    sandbox_enabled: true,
    confirmation_policy: "Developer-demo shape only; no Hilt live settlement confirmation in V0.",
    replay_protection_policy: "Required before live use: facilitator proof uniqueness, nonce/payment header replay guard, and receipt proof mapping.",
    settlement_verification_status: "sandbox_shape_only",
    entitlement_activation_support: "sandbox_or_manually_seeded_checks_only_no_live_activation",
    kill_switch: KillSwitch::NotTripped,
    adapter: Some(Adapter {
        session_strategy: "direct_http_402",
        session_implementation: "x402_payment_requirement",
        settlement_verification_status: "sandbox_shape_only",
        replay_protection_policy: "payment_header_replay_guard_and_proof_to_requirement_binding",
        receipt_mapping_status: "staff_gated_rehearsal_only",
        entitlement_activation_evidence: "none_no_live_activation_from_x402_evidence",
        support_evidence: "proof_requirement_binding_by_event_id",
        proof_type: "x402_payment_signature_v1",
        payment_protocol: Some("x402"),
        settlement_rail_id: "derived_from_payment_requirements",
    }),
};

const BASE_USDC: Rail = Rail {
    rail_id: RailId::BaseUsdc,
    status: CapabilityStatus::PrivateAlphaTarget,
    network: Some("eip155:8453"),
    settlement_asset: "USDC",
    supports_sandbox: false,
    supports_live: false,
    requires_review: true,
    production_enabled: false,
    sandbox_enabled: false,
    confirmation_policy: "Future rail candidate only: provider health, block freshness, finality and reorg policy are required before live use.",
    replay_protection_policy: "Required before live use: transaction hash plus log index uniqueness and receipt proof mapping.",
    settlement_verification_status: "future_candidate_not_live",
    entitlement_activation_support: "blocked_until_live_apply_gates_pass",
    kill_switch: KillSwitch::NotTripped,
    adapter: Some(Adapter {
        session_strategy: "wallet_transfer_proof",
        session_implementation: "erc20_transfer_requirement",
        settlement_verification_status: "future_candidate_not_live",
        replay_protection_policy: "chain_id_transaction_hash_and_log_index",
        receipt_mapping_status: "gated_rehearsal_only",
        entitlement_activation_evidence: "blocked_until_live_apply_gates_pass",
        support_evidence: "provider_evidence_and_proof_by_event_id",
        proof_type: "erc20_transfer_v1",
        payment_protocol: None,
        settlement_rail_id: "base_usdc",
    }),
};

const EVM_USDC: Rail = Rail {
    rail_id: RailId::EvmUsdc,
    status: CapabilityStatus::PrivateAlphaTarget,
    network: None,
    settlement_asset: "USDC",
    supports_sandbox: false,
    supports_live: false,
    requires_review: true,
    production_enabled: false,
    sandbox_enabled: false,
    confirmation_policy: "Future rail candidate only: explicitly allowlisted chains, provider quorum, block freshness, finality and reorg policy are required before live use.",
    replay_protection_policy: "Required before live use: transaction hash plus log index uniqueness on every allowlisted chain and receipt proof mapping.",
    settlement_verification_status: "future_candidate_not_live",
    entitlement_activation_support: "blocked_until_live_apply_gates_pass",
    kill_switch: KillSwitch::NotTripped,
    adapter: Some(Adapter {
        session_strategy: "wallet_transfer_proof_allowlisted_chain",
        session_implementation: "erc20_transfer_requirement",
        settlement_verification_status: "future_candidate_not_live",
        replay_protection_policy: "chain_id_transaction_hash_and_log_index",
        receipt_mapping_status: "gated_rehearsal_only",
        entitlement_activation_evidence: "blocked_until_live_apply_gates_pass",
        support_evidence: "provider_evidence_and_proof_by_event_id",
        proof_type: "erc20_transfer_v1",
        payment_protocol: None,
        settlement_rail_id: "evm_usdc",
    }),
};

const USDT: Rail = usdt(
    RailId::Usdt,
    "Conditional rail family: issuer, network, compliance, support and dispute risks are under review.",
    "None: the family is listed and never configurable.",
);
const SOLANA_USDT: Rail = usdt(
    RailId::SolanaUsdt,
    "Review required: no checkout, no receipt creation, no entitlement activation.",
    "Scaffold solana_token_transfer_v1 only; required before any use.",
);
const ERC20_USDT: Rail = usdt(
    RailId::Erc20Usdt,
    "Review required: chain and contract allowlist; no checkout, no receipt creation, no entitlement activation.",
    "Scaffold erc20_transfer_v1 only; required before any use.",
);
const TRON_USDT: Rail = usdt(
    RailId::TronUsdt,
    "Research and review required: separate provider, finality, support and compliance model; no checkout, no receipt creation, no entitlement activation.",
    "Scaffold tron_transfer_v1 only; required before any use.",
);

/// USDT rails are listed and closed at every gate (INV-12).
const fn usdt(rail_id: RailId, confirmation_policy: &'static str, replay_protection_policy: &'static str) -> Rail {
    Rail {
        rail_id,
        status: CapabilityStatus::ReviewRequired,
        network: None,
        settlement_asset: "USDT",
        supports_sandbox: false,
        supports_live: false,
        requires_review: true,
        production_enabled: false,
        sandbox_enabled: false,
        confirmation_policy,
        replay_protection_policy,
        settlement_verification_status: "blocked",
        entitlement_activation_support: "blocked",
        kill_switch: KillSwitch::NotTripped,
        adapter: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_lists_every_rail_once_in_the_contracts_order() {
        let listed: Vec<_> = REGISTRY.iter().map(|rail| rail.rail_id).collect();
        assert_eq!(listed, RailId::ALL);
        for (row, id) in REGISTRY.iter().zip(RailId::ALL) {
            assert_eq!(row, rail(*id));
        }
    }

    #[test]
    fn solana_usdc_is_the_only_production_rail() {
        let production: Vec<_> = REGISTRY.iter().filter(|rail| rail.production_enabled).map(|rail| rail.rail_id).collect();
        assert_eq!(production, [RailId::SolanaUsdc]);
    }
}
