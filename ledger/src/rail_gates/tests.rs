use super::*;

const WALLET: &str = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM";
const EVERY: &[RailId] = RailId::ALL;

fn setting(rail_id: RailId) -> RailSetting {
    RailSetting { rail_id, enabled: true, payout_address: Some(WALLET.to_owned()), review: Review::Verified, fee_collection: None }
}

fn input<'a>(rails: &'a Rails, allowed_rails: &'a [RailId], settings: &'a [RailSetting]) -> GateInput<'a> {
    GateInput { mode: Mode::Live, allowed_rails, backing_wallet: WALLET, fee_bps: FeeBps::new(100).unwrap(), rails, settings }
}

fn of(options: &RailOptions, rail: RailId) -> (Vec<&'static str>, Option<&'static str>) {
    let verdict = options.verdict(rail).unwrap();
    (verdict.blockers.iter().map(|b| b.code()).collect(), verdict.session_blocker.map(Blocker::code))
}

/// The product's rails with `rail` through the platform's gate.
fn with_live(rail: RailId) -> Rails {
    Rails::standard().with(rail, |row| row.production_enabled = true)
}

fn with_switch(rail: RailId, kill_switch: KillSwitch) -> Rails {
    Rails::standard().with(rail, |row| row.kill_switch = kill_switch)
}

#[test]
fn the_contracts_example_of_available_rails() {
    let settings = [setting(RailId::SolanaUsdc)];
    let options = evaluate(&input(&Rails::standard(), &[RailId::SolanaUsdc], &settings));
    assert_eq!(of(&options, RailId::SolanaUsdc), (vec![], None));
    assert_eq!(of(&options, RailId::BaseUsdc), (vec!["platform_rail_not_production_enabled"], Some("rail_not_effective")));
    assert_eq!(of(&options, RailId::X402), (vec!["platform_rail_not_production_enabled"], Some("payment_session_adapter_not_implemented")));
    assert_eq!(of(&options, RailId::TronUsdt), (vec!["platform_rail_not_production_enabled"], Some("rail_not_effective")));
    assert_eq!((options.rail_required(), options.auto_select()), (false, Some(RailId::SolanaUsdc)));
}

#[test]
fn allowing_every_rail_exposes_none_that_the_platform_holds_back() {
    let settings: Vec<_> = EVERY.iter().map(|rail| setting(*rail)).collect();
    let options = evaluate(&input(&Rails::standard(), EVERY, &settings));
    assert_eq!(options.creatable().map(|v| v.rail.rail_id).collect::<Vec<_>>(), [RailId::SolanaUsdc]);
    for rail in EVERY.iter().filter(|rail| **rail != RailId::SolanaUsdc) {
        assert!(!options.verdict(*rail).unwrap().blockers.is_empty(), "{rail}");
    }
}

#[test]
fn every_gate_of_a_live_rail_closes_it_alone() {
    let ready = setting(RailId::SolanaUsdc);
    let rail = RailId::SolanaUsdc;
    let cases = [
        ("no setting", None::<RailSetting>, EVERY, "payout_address_required", "payout_address_required"),
        (
            "no payout",
            Some(RailSetting { payout_address: None, ..ready.clone() }),
            EVERY,
            "payout_address_required",
            "payout_address_required",
        ),
        ("disabled", Some(RailSetting { enabled: false, ..ready.clone() }), EVERY, "rail_setting_disabled", "rail_disabled"),
        (
            "pending",
            Some(RailSetting { review: Review::Pending, ..ready.clone() }),
            EVERY,
            "rail_setting_pending_review",
            "rail_not_effective",
        ),
        ("rejected", Some(RailSetting { review: Review::Rejected, ..ready.clone() }), EVERY, "rail_setting_rejected", "rail_not_effective"),
        (
            "other wallet",
            Some(RailSetting { payout_address: Some("other".into()), ..ready.clone() }),
            EVERY,
            "backing_product_wallet_mismatch",
            "backing_product_wallet_mismatch",
        ),
        ("not allowed", Some(ready.clone()), &[RailId::BaseUsdc], "rail_not_allowed_for_product", "rail_not_effective"),
        ("nothing allowed", Some(ready.clone()), &[], "rail_not_allowed_for_product", "rail_not_effective"),
    ];
    for (name, setting, allowed, blocker, refusal) in cases {
        let settings: Vec<_> = setting.into_iter().collect();
        let options = evaluate(&input(&Rails::standard(), allowed, &settings));
        assert_eq!(of(&options, rail), (vec![blocker], Some("rail_not_effective")), "{name}");
        assert_eq!(options.choose(Some(rail)).unwrap_err().code, refusal, "{name}");
        assert_eq!(options.choose(None).unwrap_err().code, "no_available_rails", "{name}");
    }
}

#[test]
fn a_tripped_switch_blocks_and_a_cleared_one_restores() {
    let settings = [setting(RailId::SolanaUsdc)];
    let rails = with_switch(RailId::SolanaUsdc, KillSwitch::Tripped);
    let options = evaluate(&input(&rails, EVERY, &settings));
    assert_eq!(of(&options, RailId::SolanaUsdc), (vec!["rail_kill_switched"], Some("rail_not_effective")));
    assert_eq!(options.choose(Some(RailId::SolanaUsdc)).unwrap_err().code, "rail_kill_switched");
    let rails = with_switch(RailId::SolanaUsdc, KillSwitch::NotTripped);
    assert_eq!(evaluate(&input(&rails, EVERY, &settings)).choose(Some(RailId::SolanaUsdc)), Ok(RailId::SolanaUsdc));
}

#[test]
fn the_sandbox_asks_for_the_sandbox_gate_and_the_products_policy_only() {
    let standard = Rails::standard();
    let sandbox = |rails: &Rails, rail| of(&evaluate(&GateInput { mode: Mode::Sandbox, ..input(rails, EVERY, &[]) }), rail);
    assert_eq!(sandbox(&standard, RailId::SolanaUsdc), (vec![], None));
    assert_eq!(sandbox(&standard, RailId::X402), (vec![], None));
    assert_eq!(sandbox(&standard, RailId::BaseUsdc), (vec!["rail_disabled"], Some("rail_not_effective")));
    let tripped = with_switch(RailId::X402, KillSwitch::Tripped);
    assert_eq!(sandbox(&tripped, RailId::X402), (vec!["rail_disabled"], Some("rail_not_effective")));
}

#[test]
fn two_rails_that_create_sessions_must_be_told_apart_by_the_caller() {
    let rails = with_live(RailId::BaseUsdc);
    let fee = FeeCollectionState { model: FeeCollectionMode::MerchantAllowancePull, has_collector: true, active: true };
    let settings = [setting(RailId::SolanaUsdc), RailSetting { fee_collection: Some(fee), ..setting(RailId::BaseUsdc) }];
    let options = evaluate(&input(&rails, EVERY, &settings));
    assert_eq!((options.rail_required(), options.auto_select()), (true, None));
    assert_eq!(options.choose(None).unwrap_err().code, "rail_required");
    assert_eq!(options.choose(Some(RailId::BaseUsdc)), Ok(RailId::BaseUsdc));
}

#[test]
fn an_evm_rail_waits_for_its_fee_collection_unless_there_is_no_fee() {
    let rails = with_live(RailId::BaseUsdc);
    let fee = |model, has_collector, active| Some(FeeCollectionState { model, has_collector, active });
    for (fee_collection, blocker) in [
        (None, "merchant_fee_collection_not_active"),
        (fee(FeeCollectionMode::DeferredMerchantBilling, true, true), "merchant_fee_collection_not_instant"),
        (fee(FeeCollectionMode::MerchantAllowancePull, false, false), "fee_collector_address_required"),
        (fee(FeeCollectionMode::MerchantAllowancePull, true, false), "merchant_fee_collection_not_active"),
        (fee(FeeCollectionMode::BuyerSplitTransfer, false, false), "merchant_fee_collection_not_active"),
    ] {
        let settings = [RailSetting { fee_collection, ..setting(RailId::BaseUsdc) }];
        let options = evaluate(&input(&rails, EVERY, &settings));
        assert_eq!(of(&options, RailId::BaseUsdc), (vec![], Some(blocker)));
        assert_eq!(options.choose(Some(RailId::BaseUsdc)).unwrap_err().code, blocker);
        assert_eq!(options.choose(None).unwrap_err().code, "no_session_creatable_rails");
        let free = evaluate(&GateInput { fee_bps: FeeBps::new(0).unwrap(), ..input(&rails, EVERY, &settings) });
        assert!(free.verdict(RailId::BaseUsdc).unwrap().creatable());
    }
}

#[test]
fn a_rail_without_an_adapter_or_without_settlement_of_its_own_creates_no_session() {
    for rail in [RailId::TronUsdt, RailId::X402] {
        let rails = with_live(rail);
        let settings = [setting(rail)];
        let options = evaluate(&input(&rails, EVERY, &settings));
        assert_eq!(of(&options, rail), (vec![], Some("payment_session_adapter_not_implemented")));
        assert_eq!(options.choose(Some(rail)).unwrap_err().code, "rail_session_adapter_not_implemented");
    }
}
