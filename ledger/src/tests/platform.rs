use super::samples::*;
use crate::{
    Cited,
    approval::{self, Approval},
    platform::{Command, Platform, Rejection, Said, UpdateCapability},
    rail_setting::{self, FeeStatus, RailSetting, Review, Save, Status, reviewed},
    rails::{Gate, KillSwitch, Rail, Rails},
    spec::given,
    treasury,
};
use events::{
    decider::Decider,
    vocab::{
        event::*,
        rail::{CapabilityStatus, FeeCollectionMode, Mode, RailId},
        words::SettingKey,
    },
};

const BASE: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

/// Nobody has a key, and nobody needs one.
fn unsigned() -> Box<approval::Signing> {
    let operator = crate::operator::Operator::default();
    Box::new(approval::Signing { log: "log.example".into(), key_event: None, operator, required: false, signature: None })
}

fn said(by: &str) -> Said {
    Said { by: by.into(), reason: "drill".into() }
}

fn update(rails: &Rails, rail: RailId) -> UpdateCapability {
    UpdateCapability {
        rail: rails.get(rail).clone(),
        status: None,
        production_enabled: None,
        sandbox_enabled: None,
        provider_policy: None,
        webhook_policy: None,
        token_policy: None,
        finality_policy: None,
        allowlisted_chains: None,
        secret_references: None,
        said: said("staff-1"),
    }
}

fn capability(update: UpdateCapability) -> Command {
    Command::UpdateCapability(Box::new(update))
}

fn switch(rails: &Rails, rail: RailId, chain: Option<&str>, tripped: bool) -> Command {
    Command::Switch { rail: Box::new(rails.get(rail).clone()), chain: chain.map(str::to_owned), tripped, said: said("staff-1") }
}

/// The product's rails, with everything about `rail` declared that may be.
fn declared(rail: RailId) -> Rails {
    Rails::standard().with(rail, |rail| {
        if let Some(adapter) = &mut rail.adapter {
            adapter.passed_gates = Gate::ALL;
        }
    })
}

fn under(rails: &Rails, events: &[Event]) -> Rails {
    rails.under(&Platform::fold(events))
}

#[test]
fn no_gate_of_the_live_set_can_be_left_out() {
    for rail in RailId::ALL.iter().copied().filter(|rail| *rail != RailId::SolanaUsdc) {
        let rails = Rails::standard();
        let asked = UpdateCapability { production_enabled: Some(true), ..update(&rails, rail) };
        let gates = rails.get(rail).closed_gates();
        assert!(!gates.is_empty(), "{rail}");
        given::<Platform>([]).when(capability(asked)).refused(Rejection::ProductionGatesClosed { gates });
    }
    for missing in Gate::ALL.iter().copied().filter(|gate| !matches!(gate, Gate::SessionAdapter | Gate::ChainAllowlist)) {
        let left: Vec<Gate> = Gate::ALL.iter().copied().filter(|gate| *gate != missing).collect();
        let rails = declared(RailId::BaseUsdc).with(RailId::BaseUsdc, |rail| {
            if let Some(adapter) = &mut rail.adapter {
                adapter.passed_gates = left.leak();
            }
        });
        assert_eq!(rails.get(RailId::BaseUsdc).closed_gates().0, [missing]);
    }
    let evm = declared(RailId::EvmUsdc);
    assert_eq!(evm.get(RailId::EvmUsdc).closed_gates().0, [Gate::ChainAllowlist], "a rail on chains of our choice names them");
    let x402 = declared(RailId::X402);
    assert_eq!(x402.get(RailId::X402).closed_gates().0, [Gate::SessionAdapter], "a protocol settles nothing by itself");
}

#[test]
fn each_of_an_adapters_seven_parts_is_missed() {
    type Part = fn(&mut crate::rails::Adapter);
    let parts: [(&str, Part); 7] = [
        ("session_strategy", |it| it.session_strategy = ""),
        ("session_implementation", |it| it.session_implementation = ""),
        ("settlement_verification_status", |it| it.settlement_verification_status = " "),
        ("replay_protection_policy", |it| it.replay_protection_policy = ""),
        ("receipt_mapping_status", |it| it.receipt_mapping_status = ""),
        ("entitlement_activation_evidence", |it| it.entitlement_activation_evidence = ""),
        ("support_evidence", |it| it.support_evidence = ""),
    ];
    for (part, take_out) in parts {
        let rails = declared(RailId::BaseUsdc).with(RailId::BaseUsdc, |rail| rail.adapter.iter_mut().for_each(take_out));
        let rail = rails.get(RailId::BaseUsdc);
        assert_eq!(rail.adapter.as_ref().unwrap().missing_parts(), [part]);
        assert_eq!(rail.closed_gates().0, [Gate::SessionAdapter]);
    }
}

#[test]
fn a_rail_that_has_passed_everything_goes_live_and_is_taken_back() {
    let rails = declared(RailId::BaseUsdc);
    let on = UpdateCapability { production_enabled: Some(true), ..update(&rails, RailId::BaseUsdc) };
    let events = given::<Platform>([]).when(capability(on.clone())).events();
    let live = under(&rails, &events);
    let base = live.get(RailId::BaseUsdc);
    assert_eq!((base.production_enabled, base.status), (true, CapabilityStatus::ProductionAvailable));
    given::<Platform>(&events).when(capability(UpdateCapability { rail: base.clone(), ..on })).nothing();
    let off = UpdateCapability {
        production_enabled: Some(false),
        status: Some(CapabilityStatus::PrivateAlphaTarget),
        ..update(&live, RailId::BaseUsdc)
    };
    let more = given::<Platform>(&events).when(capability(off)).events();
    let back = under(&rails, &[events, more].concat());
    assert_eq!(back.get(RailId::BaseUsdc), rails.get(RailId::BaseUsdc));
}

#[test]
fn what_staff_say_of_a_rail_is_checked() {
    let rails = Rails::standard();
    let refuse = |asked: UpdateCapability, why| given::<Platform>([]).when(capability(asked)).refused(why);
    let evm = || update(&rails, RailId::EvmUsdc);
    refuse(UpdateCapability { said: Said { by: "staff-1".into(), reason: " ".into() }, ..evm() }, Rejection::ReasonRequired);
    let long = Said { by: "staff-1".into(), reason: "x".repeat(501) };
    let rule = "has at most 500 characters";
    refuse(UpdateCapability { said: long, ..evm() }, Rejection::InvalidText { field: "reason", rule });
    let rule = "is one line of text";
    let lines = UpdateCapability { token_policy: Some("a\nb".into()), ..evm() };
    refuse(lines, Rejection::InvalidText { field: "token_policy", rule });
    for (rail, chain, rule) in [
        (RailId::EvmUsdc, "8453", "a chain is eip155: and its number"),
        (RailId::EvmUsdc, "eip155:", "a chain is eip155: and its number"),
        (RailId::EvmUsdc, "eip155:08", "a chain is eip155: and its number"),
        (RailId::EvmUsdc, "eip155:1x", "a chain is eip155: and its number"),
        (RailId::BaseUsdc, "eip155:1", "the rail settles on one chain only, and not on this"),
        (RailId::SolanaUsdc, "eip155:1", "only rails on EVM chains know chains"),
    ] {
        let why = Rejection::InvalidChain { chain: chain.into(), rule };
        refuse(UpdateCapability { allowlisted_chains: Some(vec![chain.into()]), ..update(&rails, rail) }, why.clone());
        given::<Platform>([]).when(switch(&rails, rail, Some(chain), true)).refused(why);
    }
    for secret in [
        "hunter2",
        "env:hunter2",
        "secret:Zm9vYmFyYmF6",
        "env:",
        "secret:",
        "secret:a//b",
        "sk_live_abc",
        "secret:0123456789abcdef0123456789abcdef0123456789abcdef",
        "https://user:pass@rpc",
    ] {
        refuse(UpdateCapability { secret_references: Some(vec![secret.into()]), ..evm() }, Rejection::InvalidSecretReference);
    }
    let status = UpdateCapability { status: Some(CapabilityStatus::ProductionAvailable), ..evm() };
    refuse(status, Rejection::StatusConflict);
    refuse(UpdateCapability { sandbox_enabled: Some(true), ..evm() }, Rejection::SandboxNotSupported);
    let good = UpdateCapability {
        allowlisted_chains: Some(vec!["eip155:8453".into(), "eip155:10".into(), "eip155:10".into()]),
        secret_references: Some(vec!["env:HILT_EVM_RPC_URLS".into(), "secret:rails/evm/rpc-key".into()]),
        finality_policy: Some(" finalized ".into()),
        ..evm()
    };
    let events = given::<Platform>([]).when(capability(good)).events();
    let kept = payload!(events[0].clone(), RailCapabilityUpdated);
    assert_eq!(
        (kept.allowlisted_chains, kept.finality_policy.as_deref()),
        (vec!["eip155:10".to_owned(), "eip155:8453".to_owned()], Some("finalized"))
    );
}

#[test]
fn a_switch_stops_a_rail_or_one_chain_of_it() {
    let rails = Rails::standard();
    let trip = |events: &[Event], rail, chain: Option<&str>| {
        [events.to_vec(), given::<Platform>(events).when(switch(&rails, rail, chain, true)).events()].concat()
    };
    let stopped = trip(&[], RailId::SolanaUsdc, None);
    assert_eq!(under(&rails, &stopped).get(RailId::SolanaUsdc).kill_switch, KillSwitch::Tripped);
    given::<Platform>(&stopped).when(switch(&rails, RailId::SolanaUsdc, None, true)).nothing();
    let cleared = [stopped.clone(), given::<Platform>(&stopped).when(switch(&rails, RailId::SolanaUsdc, None, false)).events()].concat();
    assert_eq!(under(&rails, &cleared), rails);
    given::<Platform>([]).when(switch(&rails, RailId::SolanaUsdc, None, false)).nothing();

    let base = under(&rails, &trip(&[], RailId::BaseUsdc, Some("eip155:8453")));
    assert_eq!(base.get(RailId::BaseUsdc).kill_switch, KillSwitch::Tripped, "its only chain");

    let allow =
        UpdateCapability { allowlisted_chains: Some(vec!["eip155:8453".into(), "eip155:10".into()]), ..update(&rails, RailId::EvmUsdc) };
    let allowed = given::<Platform>([]).when(capability(allow)).events();
    let one = trip(&allowed, RailId::EvmUsdc, Some("eip155:10"));
    let evm = under(&rails, &one);
    assert_eq!(evm.get(RailId::EvmUsdc).kill_switch, KillSwitch::NotTripped);
    assert_eq!(evm.get(RailId::EvmUsdc).open_chains().collect::<Vec<_>>(), ["eip155:8453"]);
    let both = under(&rails, &trip(&one, RailId::EvmUsdc, Some("eip155:8453")));
    assert_eq!(both.get(RailId::EvmUsdc).kill_switch, KillSwitch::Tripped);
    assert_eq!(both.get(RailId::EvmUsdc).open_chains().count(), 0);
}

#[test]
fn the_live_apply_gate_opens_only_for_a_rail_that_has_passed_everything() {
    let rails = Rails::standard();
    let set = |rail: &Rail, open| Command::SetLiveApply { rail: Box::new(rail.clone()), open, said: said("staff-1") };
    let base = rails.get(RailId::BaseUsdc);
    given::<Platform>([]).when(set(base, true)).refused(Rejection::ProductionGatesClosed { gates: base.closed_gates() });
    given::<Platform>([]).when(set(base, false)).nothing();
    let solana = rails.get(RailId::SolanaUsdc);
    let closed = given::<Platform>([]).when(set(solana, false)).events();
    assert!(!under(&rails, &closed).get(RailId::SolanaUsdc).live_apply_open);
}

#[test]
fn a_setting_is_off_until_staff_turn_it_on() {
    let key = SettingKey::SolanaUsdcTwoPersonReview;
    let set = |on| Command::ChangeSetting { key, value: SettingValue::Flag(on), said: said("staff-1") };
    assert!(!Platform::default().solana_usdc_two_person_review());
    given::<Platform>([]).when(set(false)).nothing();
    let events = given::<Platform>([]).when(set(true)).events();
    assert!(Platform::fold(&events).solana_usdc_two_person_review());
    given::<Platform>(&events).when(set(true)).nothing();
}

fn save(payout: &str) -> Save {
    Save {
        setting_id: id(30),
        rail_id: RailId::BaseUsdc,
        mode: Mode::Live,
        enabled: true,
        payout_address: Some(payout.into()),
        label: None,
        fee_collection: Some(FeeCollection {
            model: FeeCollectionMode::MerchantAllowancePull,
            collector_address: Some(BASE.into()),
            token_contract: None,
            limit: None,
            allowance_tx_hash: None,
        }),
        two_person_review: true,
    }
}

fn saved(history: &[Event], payout: &str) -> Vec<Event> {
    let more = given::<RailSetting>(history).when(rail_setting::Command::Save(Box::new(save(payout)))).events();
    [history.to_vec(), more].concat()
}

fn approved() -> Cited<ApprovalApproved> {
    Cited::new(id(50), ApprovalApproved { approval_id: id(51), by: "staff-2".into(), reason: "seen".into(), signed: None })
}

fn looked_at(history: &[Event]) -> ReviewedSetting {
    let RailSetting::Saved { setting, .. } = RailSetting::fold(history) else { panic!("not saved") };
    reviewed(id(1), &setting)
}

fn verify(looked_at: ReviewedSetting, production_enabled: bool) -> rail_setting::Command {
    let review = Review::Verify { reviewed: looked_at, approval: approved(), production_enabled, said: said("staff-1") };
    rail_setting::Command::Review(Box::new(review))
}

#[test]
fn a_setting_is_verified_as_it_was_looked_at_and_on_a_rail_that_is_live() {
    use rail_setting::Rejection;
    let history = saved(&[], BASE);
    let setting = given::<RailSetting>(&history);
    setting.when(verify(looked_at(&history), false)).refused(Rejection::PlatformNotProductionEnabled);
    let events = setting.when(verify(looked_at(&history), true)).events();
    let verified = [history.clone(), events].concat();
    assert_eq!(RailSetting::fold(&verified).status(), Some(Status::Verified));
    given::<RailSetting>(&verified).when(verify(looked_at(&history), true)).refused(Rejection::NotPending { status: "verified" });

    // The payout is changed after the approval: back to review, and the approval is worth nothing.
    let moved = saved(&verified, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    assert_eq!(RailSetting::fold(&moved).status(), Some(Status::PendingReview));
    given::<RailSetting>(&moved).when(verify(looked_at(&history), true)).refused(Rejection::ApprovalStale);

    let reject = |said| rail_setting::Command::Review(Box::new(Review::Reject(said)));
    given::<RailSetting>([]).when(reject(said("staff-1"))).refused(Rejection::NotFound);
    setting.when(reject(Said { by: "staff-1".into(), reason: String::new() })).refused(Rejection::ReasonRequired);
    let rejected = [history.clone(), setting.when(reject(said("staff-1"))).events()].concat();
    assert_eq!(RailSetting::fold(&rejected).status(), Some(Status::Rejected));
    given::<RailSetting>(&rejected).when(verify(looked_at(&history), true)).refused(Rejection::NotPending { status: "rejected" });
}

#[test]
fn a_fee_is_collected_only_as_it_was_looked_at() {
    use rail_setting::Rejection;
    let activate = |looked_at, production_enabled| {
        let review = Review::ActivateFees { reviewed: looked_at, approval: approved(), production_enabled, said: said("staff-1") };
        rail_setting::Command::Review(Box::new(review))
    };
    let revoke = || rail_setting::Command::Review(Box::new(Review::RevokeFees(said("staff-1"))));
    let fees = |history: &[Event]| match RailSetting::fold(history) {
        RailSetting::Saved { fees, .. } => fees,
        RailSetting::Absent => panic!("not saved"),
    };
    let history = saved(&[], BASE);
    assert_eq!(fees(&history), FeeStatus::PendingVerification);
    let setting = given::<RailSetting>(&history);
    setting.when(activate(looked_at(&history), false)).refused(Rejection::PlatformNotProductionEnabled);
    setting.when(revoke()).refused(Rejection::FeeCollectionNotActive);
    let active = [history.clone(), setting.when(activate(looked_at(&history), true)).events()].concat();
    assert_eq!(fees(&active), FeeStatus::Active);
    let revoked = [active.clone(), given::<RailSetting>(&active).when(revoke()).events()].concat();
    assert_eq!(fees(&revoked), FeeStatus::Revoked);
    let mut other = save(BASE);
    other.fee_collection = other.fee_collection.map(|fees| FeeCollection { model: FeeCollectionMode::DeferredMerchantBilling, ..fees });
    let more = given::<RailSetting>(&active).when(rail_setting::Command::Save(Box::new(other))).events();
    let changed = [active, more].concat();
    assert_eq!(fees(&changed), FeeStatus::PendingVerification, "a changed fee is looked at anew");
    given::<RailSetting>(&changed).when(activate(looked_at(&changed), true)).refused(Rejection::FeeCollectionNotInstant);
}

#[test]
fn nobody_approves_what_he_asked_for_and_nothing_is_applied_twice() {
    use approval::{Command, Rejection};
    let approve = |by| Command::Approve { said: said(by), requested_event: id(59), signing: unsigned() };
    let history = saved(&[], BASE);
    let subject = || Box::new(ApprovalSubject::RailSettingVerification(looked_at(&history)));
    let approval = given::<Approval>([]);
    let unreasoned = Said { by: "staff-1".into(), reason: String::new() };
    approval
        .when(Command::Request { approval_id: id(51), subject: subject(), said: unreasoned, signing: unsigned() })
        .refused(Rejection::ReasonRequired);
    approval.when(approve("staff-2")).refused(Rejection::NotFound);
    let asked =
        approval.when(Command::Request { approval_id: id(51), subject: subject(), said: said("staff-1"), signing: unsigned() }).events();
    let pending = given::<Approval>(&asked);
    pending.when(approve("staff-1")).refused(Rejection::SecondApproverRequired);
    pending.when(Command::Reject(said("staff-1"))).refused(Rejection::SecondApproverRequired);
    let apply = || Command::Apply { applied_event: id(60), by: "staff-1".into() };
    pending.when(apply()).refused(Rejection::NotApproved { status: "pending" });
    let rejected = [asked.clone(), pending.when(Command::Reject(said("staff-2"))).events()].concat();
    given::<Approval>(&rejected).when(apply()).refused(Rejection::NotApproved { status: "rejected" });
    given::<Approval>(&rejected).when(approve("staff-2")).refused(Rejection::NotPending { status: "rejected" });
    let agreed = [asked, pending.when(approve("staff-2")).events()].concat();
    let applied = [agreed.clone(), given::<Approval>(&agreed).when(apply()).events()].concat();
    given::<Approval>(&applied).when(apply()).refused(Rejection::NotApproved { status: "applied" });
}

#[test]
fn a_treasury_change_is_recorded_on_an_approval_with_the_callers_word_and_once() {
    use treasury::{Command, Record, Rejection, Treasury};
    let change = TreasuryWalletChange { treasury_id: id(70), rail_id: RailId::SolanaUsdc, wallet: wallet(9).to_string() };
    let approval = |event: u128| {
        Cited::new(id(event), ApprovalApproved { approval_id: id(51), by: "staff-2".into(), reason: "seen".into(), signed: None })
    };
    let record =
        |event, confirmed, said| Command::Record(Box::new(Record { change: change.clone(), approval: approval(event), confirmed, said }));
    let nothing = given::<Treasury>([]);
    let unreasoned = Said { by: "staff-1".into(), reason: " ".into() };
    nothing.when(record(60, false, unreasoned.clone())).refused(Rejection::ConfirmationRequired);
    nothing.when(record(60, true, unreasoned)).refused(Rejection::ReasonRequired);
    let made = nothing.when(record(60, true, said("staff-1"))).events();
    let recorded = payload!(made[0].clone(), TreasuryWalletChangeRecorded);
    assert_eq!((recorded.approved_by.as_str(), recorded.by.as_str(), recorded.approval_event), ("staff-2", "staff-1", id(60)));
    given::<Treasury>(&made).when(record(60, true, said("staff-1"))).nothing();
    assert_eq!(given::<Treasury>(&made).when(record(61, true, said("staff-1"))).events().len(), 1, "the next change");
}
