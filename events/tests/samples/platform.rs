use super::*;
use events::vocab::{
    event::*,
    rail::*,
    words::{BillingInterval, BillingPlan, InvoiceStatus, SettingKey, SubscriptionStatus},
};

fn by() -> String {
    "staff-1".into()
}

fn fees() -> FeeCollection {
    FeeCollection {
        model: FeeCollectionMode::MerchantAllowancePull,
        collector_address: Some("0x8617E340B3D01FA5F11F306F4090FD50E238070D".into()),
        token_contract: None,
        limit: Some(minor(1_000_000)),
        allowance_tx_hash: None,
    }
}

fn operator_signature(operator: &str) -> OperatorSignature {
    OperatorSignature {
        operator: operator.into(),
        kid: "0f1e2d3c4b5a6978".into(),
        public_key: hash(7),
        key_event: id(8),
        ed25519_sig: signature(9),
    }
}

fn reviewed() -> ReviewedSetting {
    ReviewedSetting {
        setting_id: id(1),
        owner_id: id(2),
        rail_id: RailId::BaseUsdc,
        payout_address: Some("0x52908400098527886E0F7030069857D2E4169EE7".into()),
        fee_collection: Some(fees()),
    }
}

fn synced() -> WorkspaceBillingSynced {
    let subscription = BillingSubscription {
        subscription_id: "sub_1RSample".into(),
        status: SubscriptionStatus::PastDue,
        price_id: "price_1RgrowthMonthly".into(),
        plan: Some(BillingPlan::Growth),
        interval: Some(BillingInterval::Monthly),
        current_period_start: at(1),
        current_period_end: at(2),
        cancel_at_period_end: false,
        canceled_at: None,
    };
    let invoice = BillingInvoice {
        invoice_id: "in_1RSample".into(),
        number: Some("A1B2C3D4-0001".into()),
        status: InvoiceStatus::Open,
        currency: "usd".into(),
        total: 34_900,
        amount_paid: 0,
        created_at: at(1),
        period_start: at(1),
        period_end: at(2),
    };
    WorkspaceBillingSynced {
        owner_id: id(9),
        customer_id: Some("cus_SampleCustomer".into()),
        subscription: Some(subscription),
        invoices: vec![invoice],
    }
}

pub fn sample(event_type: EventType) -> Event {
    let (rail_id, reason) = (RailId::EvmUsdc, "agreed in review 12".to_owned());
    match event_type {
        EventType::RailSettingVerified => RailSettingVerified {
            setting_id: id(1),
            rail_id: RailId::SolanaUsdc,
            payout_address: address(2).to_string(),
            approval_id: id(3),
            approval_event: id(4),
            by: by(),
            reason,
        }
        .into(),
        EventType::RailSettingRejected => RailSettingRejected { setting_id: id(1), rail_id, by: by(), reason }.into(),
        EventType::FeeCollectionActivated => FeeCollectionActivated {
            setting_id: id(1),
            rail_id,
            fee_collection: fees(),
            approval_id: id(3),
            approval_event: id(4),
            by: by(),
            reason,
        }
        .into(),
        EventType::FeeCollectionRevoked => FeeCollectionRevoked { setting_id: id(1), rail_id, by: by(), reason }.into(),
        EventType::RailCapabilityUpdated => RailCapabilityUpdated {
            rail_id,
            status: CapabilityStatus::PrivateAlphaTarget,
            production_enabled: false,
            sandbox_enabled: false,
            provider_policy: Some("two of three providers agree".into()),
            webhook_policy: None,
            token_policy: None,
            finality_policy: Some("finalized".into()),
            allowlisted_chains: vec!["eip155:10".into(), "eip155:8453".into()],
            secret_references: vec!["env:HILT_EVM_RPC_URLS".into()],
            by: by(),
            reason,
        }
        .into(),
        EventType::RailLiveApplyGateChanged => RailLiveApplyGateChanged { rail_id, open: false, by: by(), reason }.into(),
        EventType::KillSwitchTripped => KillSwitchTripped { rail_id, chain: Some("eip155:10".into()), by: by(), reason }.into(),
        EventType::KillSwitchCleared => KillSwitchCleared { rail_id, chain: None, by: by(), reason }.into(),
        EventType::RuntimeSettingChanged => {
            RuntimeSettingChanged { key: SettingKey::SolanaUsdcTwoPersonReview, value: SettingValue::Flag(true), by: by(), reason }.into()
        }
        EventType::ApprovalRequested => {
            let subject = ApprovalSubject::RailSettingVerification(reviewed());
            ApprovalRequested { approval_id: id(5), subject, by: by(), reason, signed: None }.into()
        }
        EventType::ApprovalApproved => {
            let signed = SignedDecision {
                requested_event: id(4),
                request_json: r#"{"form":"hilt-approval-request/1"}"#.into(),
                request: Some(operator_signature("staff-1")),
                decision_json: r#"{"form":"hilt-approval-decision/1"}"#.into(),
                decision: operator_signature("staff-2"),
            };
            ApprovalApproved { approval_id: id(5), by: "staff-2".into(), reason, signed: Some(signed) }.into()
        }
        EventType::ApprovalRejected => ApprovalRejected { approval_id: id(5), by: by(), reason }.into(),
        EventType::ApprovalApplied => ApprovalApplied { approval_id: id(5), applied_event: id(6), by: by() }.into(),
        EventType::TreasuryWalletChangeRecorded => TreasuryWalletChangeRecorded {
            treasury_id: id(7),
            rail_id,
            wallet: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".into(),
            approval_id: id(5),
            approval_event: id(6),
            approved_by: "staff-2".into(),
            by: by(),
            reason,
        }
        .into(),
        EventType::WorkspaceBillingCheckoutStarted => WorkspaceBillingCheckoutStarted {
            owner_id: id(9),
            plan: BillingPlan::Growth,
            interval: BillingInterval::Monthly,
            price_id: "price_1RgrowthMonthly".into(),
            customer_id: "cus_SampleCustomer".into(),
            checkout_session_id: "cs_test_a1b2c3".into(),
        }
        .into(),
        EventType::WorkspaceBillingSynced => synced().into(),
        EventType::OperatorKeyRegistered => OperatorKeyRegistered {
            operator_id: id(10),
            operator: by(),
            kid: "0f1e2d3c4b5a6978".into(),
            public_key: hash(7),
            statement_json: r#"{"form":"hilt-operator-key/1"}"#.into(),
            ed25519_sig: signature(9),
        }
        .into(),
        EventType::OperatorKeyRetired => OperatorKeyRetired {
            operator_id: id(10),
            operator: by(),
            kid: "0f1e2d3c4b5a6978".into(),
            public_key: hash(7),
            reason: "lost".into(),
        }
        .into(),
        other => unreachable!("{other:?} has its sample elsewhere"),
    }
}
