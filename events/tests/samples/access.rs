use super::*;
use events::vocab::{event::*, money::FeeBps, rail::*, words::*};

pub fn sample(event_type: EventType) -> Event {
    match event_type {
        EventType::AccessAppCreated => AccessAppCreated {
            app_id: id(1),
            name: "Bücher & more".into(),
            external_app_id: "shop-1".into(),
            default_rail: RailId::SolanaUsdc,
        }
        .into(),
        EventType::AccessProductCreated => AccessProductCreated {
            access_product_id: id(1),
            product_id: id(2),
            app_id: id(3),
            external_product_id: "pro-monthly".into(),
            title: "Pro".into(),
            description: Some("Everything, for a month".into()),
            amount: minor(25_000_000),
            merchant_wallet: address(4),
            entitlement_duration_days: 30,
            default_rail: RailId::SolanaUsdc,
            allowed_rails: vec![RailId::SolanaUsdc, RailId::BaseUsdc],
            status: ProductStatus::Active,
            live_mode_confirmed: true,
        }
        .into(),
        EventType::AccessProductUpdated => AccessProductUpdated {
            access_product_id: id(1),
            changes: vec![
                AccessProductChange::Title("Pro, yearly".into()),
                AccessProductChange::Description(None),
                AccessProductChange::Amount(minor(250_000_000)),
                AccessProductChange::EntitlementDurationDays(365),
                AccessProductChange::DefaultRail(RailId::SolanaUsdc),
                AccessProductChange::AllowedRails(vec![RailId::SolanaUsdc]),
            ],
        }
        .into(),
        EventType::AccessProductActivated => AccessProductActivated { access_product_id: id(1), live_mode_confirmed: true }.into(),
        EventType::AccessProductPaused => AccessProductPaused { access_product_id: id(1) }.into(),
        EventType::AgentSetupBootstrapped => AgentSetupBootstrapped {
            setup_intent_id: id(1),
            token_hash: hash(2),
            sandbox_key_id: id(3),
            requested_permissions: vec![Scope::Read, Scope::Write],
            expires_at: at(86_400),
            subject_id: id(4),
        }
        .into(),
        EventType::AgentSetupManifestAttached => {
            AgentSetupManifestAttached { setup_intent_id: id(1), manifest_hash: hash(2), subject_id: id(4) }.into()
        }
        EventType::AgentSetupApproved => AgentSetupApproved {
            setup_intent_id: id(1),
            owner_id: id(5),
            granted_permissions: vec![Scope::Read],
            live_key_id: Some(id(6)),
            approved_at: at(60),
        }
        .into(),
        EventType::AgentSetupRejected => {
            AgentSetupRejected { setup_intent_id: id(1), owner_id: id(5), subject_id: id(4), rejected_at: at(60) }.into()
        }
        EventType::AgentSetupExpired => AgentSetupExpired { setup_intent_id: id(1) }.into(),
        EventType::RailSettingSaved => RailSettingSaved {
            setting_id: id(1),
            rail_id: RailId::EvmUsdc,
            mode: Mode::Live,
            enabled: true,
            payout_address: Some("0x52908400098527886E0F7030069857D2E4169EE7".into()),
            label: None,
            fee_collection: Some(FeeCollection {
                model: FeeCollectionMode::MerchantAllowancePull,
                collector_address: Some("0x8617E340B3D01FA5F11F306F4090FD50E238070D".into()),
                token_contract: None,
                limit: Some(minor(1_000_000)),
                allowance_tx_hash: None,
            }),
        }
        .into(),
        EventType::RailSettingAutoVerified => {
            RailSettingAutoVerified { setting_id: id(1), rail_id: RailId::SolanaUsdc, payout_address: address(2).to_string() }.into()
        }
        EventType::RailSettingReviewRequested => RailSettingReviewRequested { setting_id: id(1), rail_id: RailId::BaseUsdc }.into(),
        EventType::PaymentSessionCreated => PaymentSessionCreated {
            session_id: id(1),
            app_id: id(2),
            access_product_id: id(3),
            product_id: id(4),
            payment_id: id(5),
            entitlement_id: id(6),
            subject_id: id(7),
            wallet: Some(address(8).to_string()),
            rail_id: RailId::SolanaUsdc,
            payment_protocol: Some(PaymentProtocol::X402),
            amount: minor(25_000_000),
            expires_at: at(1_800),
        }
        .into(),
        EventType::PaymentRequirementAuthored => requirement(),
        EventType::PaymentSessionConfirmed => {
            PaymentSessionConfirmed { session_id: id(1), payment_id: id(2), receipt_id: id(3), entitlement_event: id(4) }.into()
        }
        EventType::PaymentSessionExpired => PaymentSessionExpired { session_id: id(1) }.into(),
        EventType::PaymentSessionFailed => PaymentSessionFailed { session_id: id(1), reason: "transaction_failed".into() }.into(),
        EventType::EntitlementPended => EntitlementPended {
            entitlement_id: id(1),
            access_product_id: id(2),
            product_id: id(3),
            subject_id: id(4),
            wallet: None,
            rail_id: RailId::SolanaUsdc,
            origin: EntitlementOrigin::Session { session_id: id(5), payment_id: id(6) },
            duration_days: 30,
        }
        .into(),
        EventType::EntitlementActivated => EntitlementActivated {
            entitlement_id: id(1),
            access_product_id: id(2),
            evidence: ActivationEvidence::Receipt {
                proof_id: id(3),
                receipt_id: id(4),
                payment_id: id(5),
                membership_id: Some(id(6)),
                receipt_mapped_event: id(7),
            },
            active_from: at(0),
            expires_at: at(2_592_000),
        }
        .into(),
        EventType::EntitlementActivationBlocked => {
            EntitlementActivationBlocked { entitlement_id: id(1), proof_id: Some(id(2)), reason: "payment_mismatch".into() }.into()
        }
        EventType::EntitlementRenewed => {
            EntitlementRenewed { entitlement_id: id(1), access_product_id: id(2), expires_at: at(5_184_000), membership_event: id(3) }
                .into()
        }
        EventType::EntitlementExpired => EntitlementExpired { entitlement_id: id(1), expired_at: at(0) }.into(),
        EventType::EntitlementRevoked => EntitlementRevoked { entitlement_id: id(1), reason: "refunded".into() }.into(),
        EventType::EntitlementFailed => EntitlementFailed { entitlement_id: id(1), reason: "abandoned".into() }.into(),
        EventType::SandboxSessionCreated => SandboxSessionCreated {
            sandbox_session_id: id(1),
            access_product_id: id(2),
            product_id: id(3),
            entitlement_id: id(4),
            subject_id: id(5),
            wallet: Some(address(6).to_string()),
            rail_id: RailId::SolanaUsdc,
            proof_hash: hash(7),
            expires_at: at(1_800),
            test_clock_id: Some(id(8)),
        }
        .into(),
        EventType::SandboxProofRecorded => SandboxProofRecorded {
            sandbox_session_id: id(1),
            proof_id: id(2),
            rail_id: RailId::X402,
            payment_protocol: Some(PaymentProtocol::X402),
            fingerprint: hash(3),
        }
        .into(),
        EventType::SandboxSessionExpired => SandboxSessionExpired { sandbox_session_id: id(1), expired_at: at(1_800) }.into(),
        EventType::TestClockCreated => TestClockCreated { test_clock_id: id(1), name: Some("renewals".into()), frozen_time: at(0) }.into(),
        EventType::TestClockAdvanced => TestClockAdvanced { test_clock_id: id(1), from: at(0), frozen_time: at(86_400) }.into(),
        EventType::TestClockDeleted => TestClockDeleted { test_clock_id: id(1) }.into(),
        EventType::SandboxSessionConfirmed => SandboxSessionConfirmed { sandbox_session_id: id(1), confirmed_at: at(60) }.into(),
        EventType::SandboxProofRejected => SandboxProofRejected { sandbox_session_id: id(1), reason: "wrong_proof".into() }.into(),
        other => unreachable!("{other:?} has its sample elsewhere"),
    }
}

fn requirement() -> Event {
    PaymentRequirementAuthored {
        session_id: id(1),
        session_event: id(2),
        rail_id: RailId::SolanaUsdc,
        network: "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1".into(),
        asset: address(3),
        memo: "HILT:00112233445566778899aabbccddeeff".into(),
        gross: minor(25_000_000),
        merchant_amount: minor(24_750_000),
        fee_amount: minor(250_000),
        fee_bps: FeeBps::new(100).unwrap(),
        fee_policy: "access_default".into(),
        required_transfers: vec![
            RequiredTransfer { role: TransferRole::Merchant, pay_to: address(4), amount: minor(24_750_000) },
            RequiredTransfer { role: TransferRole::Fee, pay_to: address(5), amount: minor(250_000) },
        ],
        expires_at: at(1_800),
        requirement_hash: hash(6),
        x402: Some(X402Requirement { fee_payer: address(7), max_timeout_seconds: 60, payment_requirements_hash: hash(8) }),
    }
    .into()
}
