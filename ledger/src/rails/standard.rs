//! The rails that the product has, and what it says of each.

use super::{Adapter, Gate, KillSwitch, Rail};
use events::vocab::rail::{CapabilityStatus, RailId};

/// Every rail, in the contract's order.
pub(super) fn rails() -> [Rail; 8] {
    [solana_usdc(), x402(), base_usdc(), evm_usdc(), usdt_family(), solana_usdt(), erc20_usdt(), tron_usdt()]
}

fn solana_usdc() -> Rail {
    Rail {
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
        allowlisted_chains: Vec::new(),
        tripped_chains: Vec::new(),
        live_apply_open: true,
        proof_scaffold: None,
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
            passed_gates: Gate::ALL,
        }),
    }
}

fn x402() -> Rail {
    Rail {
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
        allowlisted_chains: Vec::new(),
        tripped_chains: Vec::new(),
        live_apply_open: false,
        proof_scaffold: None,
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
            passed_gates: &[Gate::KillSwitch],
        }),
    }
}

fn base_usdc() -> Rail {
    Rail {
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
        allowlisted_chains: Vec::new(),
        tripped_chains: Vec::new(),
        live_apply_open: false,
        proof_scaffold: None,
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
            passed_gates: &[Gate::KillSwitch],
        }),
    }
}

fn evm_usdc() -> Rail {
    Rail {
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
        allowlisted_chains: Vec::new(),
        tripped_chains: Vec::new(),
        live_apply_open: false,
        proof_scaffold: None,
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
            passed_gates: &[Gate::KillSwitch],
        }),
    }
}

fn usdt_family() -> Rail {
    usdt(
        RailId::Usdt,
        None,
        "Conditional rail family: issuer, network, compliance, support and dispute risks are under review.",
        "None: the family is listed and never configurable.",
    )
}

fn solana_usdt() -> Rail {
    usdt(
        RailId::SolanaUsdt,
        Some("solana_token_transfer_v1"),
        "Review required: no checkout, no receipt creation, no entitlement activation.",
        "Scaffold solana_token_transfer_v1 only; required before any use.",
    )
}

fn erc20_usdt() -> Rail {
    usdt(
        RailId::Erc20Usdt,
        Some("erc20_transfer_v1"),
        "Review required: chain and contract allowlist; no checkout, no receipt creation, no entitlement activation.",
        "Scaffold erc20_transfer_v1 only; required before any use.",
    )
}

fn tron_usdt() -> Rail {
    usdt(
        RailId::TronUsdt,
        Some("tron_transfer_v1"),
        "Research and review required: separate provider, finality, support and compliance model; no checkout, no receipt creation, no entitlement activation.",
        "Scaffold tron_transfer_v1 only; required before any use.",
    )
}

/// USDT rails are listed and closed at every gate (INV-12).
fn usdt(
    rail_id: RailId,
    proof_scaffold: Option<&'static str>,
    confirmation_policy: &'static str,
    replay_protection_policy: &'static str,
) -> Rail {
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
        allowlisted_chains: Vec::new(),
        tripped_chains: Vec::new(),
        live_apply_open: false,
        proof_scaffold,
        adapter: None,
    }
}
