use crate::*;

#[test]
fn every_refusal_has_a_stable_code_of_its_own() {
    for (module, codes) in [
        ("access_app", access_app::Rejection::CODES),
        ("access_product", access_product::Rejection::CODES),
        ("agent_setup", agent_setup::Rejection::CODES),
        ("api_key", api_key::Rejection::CODES),
        ("approval", approval::Rejection::CODES),
        ("attestation", attestation::Rejection::CODES),
        ("credits", credits::Rejection::CODES),
        ("delivery", delivery::Rejection::CODES),
        ("entitlement", entitlement::Rejection::CODES),
        ("evm_requirement", evm_requirement::Rejection::CODES),
        ("fee_leg", fee_leg::Rejection::CODES),
        ("handoff", handoff::Rejection::CODES),
        ("identity_session", identity_session::Rejection::CODES),
        ("mail", mail::Rejection::CODES),
        ("membership", membership::Rejection::CODES),
        ("operator", operator::Rejection::CODES),
        ("payment", payment::Rejection::CODES),
        ("phantom_session", phantom_session::Rejection::CODES),
        ("payment_session", payment_session::Rejection::CODES),
        ("platform", platform::Rejection::CODES),
        ("product", product::Rejection::CODES),
        ("proof", proof::Rejection::CODES),
        ("rail_setting", rail_setting::Rejection::CODES),
        ("receipt", receipt::Rejection::CODES),
        ("recovery", recovery::Rejection::CODES),
        ("sandbox_session", sandbox_session::Rejection::CODES),
        ("statement", statement::Rejection::CODES),
        ("subject", subject::Rejection::CODES),
        ("test_clock", test_clock::Rejection::CODES),
        ("ticket", ticket::Rejection::CODES),
        ("treasury", treasury::Rejection::CODES),
        ("webhook_delivery", webhook_delivery::Rejection::CODES),
        ("webhook_endpoint", webhook_endpoint::Rejection::CODES),
        ("workspace", workspace::Rejection::CODES),
        ("workspace_billing", workspace_billing::Rejection::CODES),
    ] {
        let mut seen = codes.to_vec();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), codes.len(), "{module} has one code twice");
        let snake = |code: &str| code.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(codes.iter().all(|code| snake(code)), "{module}: {codes:?}");
    }
}

/// The words that the contract fixes.
#[test]
fn the_contracts_codes() {
    assert_eq!(payment::Rejection::TxConflict.code(), "tx_conflict");
    assert_eq!(payment::Rejection::Expired.code(), "payment_expired");
    assert_eq!(payment::Rejection::PayerWalletMismatch.code(), "payer_wallet_mismatch");
    assert_eq!(payment::Rejection::Failed.code(), "tx_failed");
    assert_eq!(payment_session::Rejection::CustomerIdentityRequired.code(), "customer_identity_required");
    assert_eq!(proof::Rejection::Replayed.code(), "proof_replayed");
    assert_eq!(proof::Rejection::RequirementMismatch { field: "network" }.code(), "payment_requirement_mismatch");
    assert_eq!(access_product::Rejection::DefaultRailNotAllowed.code(), "default_rail_not_allowed");
    assert_eq!(access_product::Rejection::LiveModeConfirmationRequired.code(), "live_mode_confirmation_required");
    assert_eq!(rail_setting::Rejection::RailFamilyNotConfigurable.code(), "rail_family_not_configurable");
    assert_eq!(sandbox_session::Rejection::NotFound.code(), "sandbox_session_not_found");
    assert_eq!(sandbox_session::Rejection::InvalidProof.code(), "invalid_sandbox_proof");
    assert_eq!(sandbox_session::Rejection::ProofExpired.code(), "sandbox_proof_expired");
    assert_eq!(sandbox_session::Rejection::ModeConfirmationRequired.code(), "sandbox_mode_confirmation_required");
}
