use super::samples::*;
use crate::{
    api_key::{self, ApiKey},
    audit::{self, Audit},
    rail_setting::{Command, RailSetting, Rejection, Save, Status},
    spec::given,
    subject::{self, Subject},
    wallet::{self, Invalid},
};
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::*,
        rail::{FeeCollectionMode, Mode, RailId},
        words::Scope,
    },
};

const BASE: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
const TRON: &str = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";

fn save(rail_id: RailId, payout_address: Option<&str>) -> Save {
    Save {
        setting_id: id(30),
        rail_id,
        mode: Mode::Live,
        enabled: true,
        payout_address: payout_address.map(str::to_owned),
        label: None,
        fee_collection: None,
        two_person_review: false,
    }
}
fn after(save: Save) -> (Vec<&'static str>, Option<Status>) {
    let events = given::<RailSetting>([]).when(Command::Save(Box::new(save))).events();
    (events.iter().map(|event| event.event_type().as_str()).collect(), RailSetting::fold(&events).status())
}

#[test]
fn who_must_look_at_a_setting() {
    let solana = wallet(1).to_string();
    let saved = "rail_setting.saved";
    let auto = vec![saved, "rail_setting.auto_verified"];
    let review = vec![saved, "rail_setting.review_requested"];
    assert_eq!(after(save(RailId::SolanaUsdc, Some(&solana))), (auto, Some(Status::Verified)));
    let strict = Save { two_person_review: true, ..save(RailId::SolanaUsdc, Some(&solana)) };
    assert_eq!(after(strict), (review.clone(), Some(Status::PendingReview)));
    assert_eq!(after(save(RailId::SolanaUsdc, None)), (vec![saved], Some(Status::Saved)));
    assert_eq!(after(save(RailId::BaseUsdc, Some(BASE))), (review.clone(), Some(Status::PendingReview)));
    assert_eq!(after(save(RailId::TronUsdt, Some(TRON))), (review, Some(Status::PendingReview)));
    let sandbox = Save { mode: Mode::Sandbox, ..save(RailId::BaseUsdc, Some(BASE)) };
    assert_eq!(after(sandbox), (vec![saved], Some(Status::Saved)));
}

#[test]
fn only_a_new_payout_or_fee_field_is_looked_at_again() {
    let first = save(RailId::SolanaUsdc, Some(&wallet(1).to_string()));
    let history = given::<RailSetting>([]).when(Command::Save(Box::new(first.clone()))).events();
    let setting = given::<RailSetting>(&history);
    setting.when(Command::Save(Box::new(first.clone()))).nothing();
    let label = Save { label: Some("Primary".into()), ..first.clone() };
    let events = setting.when(Command::Save(Box::new(label))).events();
    assert_eq!(events.len(), 1);
    assert_eq!(RailSetting::fold(&[history.clone(), events].concat()).status(), Some(Status::Verified));
    let moved = Save { payout_address: Some(wallet(2).to_string()), two_person_review: true, ..first };
    let events = setting.when(Command::Save(Box::new(moved))).events();
    assert_eq!(RailSetting::fold(&[history, events].concat()).status(), Some(Status::PendingReview));
}

#[test]
fn rejections_of_a_setting_in_order_of_precedence() {
    let refuse = |save: Save, why| given::<RailSetting>([]).when(Command::Save(Box::new(save))).refused(why);
    let fees = |collector: &str, hash: &str| FeeCollection {
        model: FeeCollectionMode::MerchantAllowancePull,
        collector_address: Some(collector.into()),
        token_contract: None,
        limit: None,
        allowance_tx_hash: Some(hash.into()),
    };
    refuse(save(RailId::Usdt, Some("nonsense")), Rejection::RailFamilyNotConfigurable);
    let payout = Save { fee_collection: Some(fees("0x1", "0x1")), ..save(RailId::SolanaUsdc, Some(BASE)) };
    refuse(payout, Rejection::InvalidWallet { field: "payout_address", rule: Invalid::Solana });
    let solana = Save { fee_collection: Some(fees(BASE, "0x1")), ..save(RailId::SolanaUsdc, None) };
    let rule = "only EVM rails collect the fee apart";
    refuse(solana, Rejection::InvalidFeeCollection { field: "fee_collection_mode", rule });
    let collector = Save { fee_collection: Some(fees("0x1", "0x1")), ..save(RailId::BaseUsdc, Some(BASE)) };
    refuse(collector, Rejection::InvalidWallet { field: "fee_collector_address", rule: Invalid::Evm });
    let hash = Save { fee_collection: Some(fees(BASE, "0x1")), ..save(RailId::BaseUsdc, Some(BASE)) };
    let rule = "a transaction hash is 0x and 64 hexadecimal digits";
    refuse(hash, Rejection::InvalidFeeCollection { field: "fee_allowance_tx_hash", rule });
}

#[test]
fn wallets_are_strict_on_every_rail() {
    let lower = BASE.to_lowercase();
    let upper = format!("0x{}", BASE[2..].to_uppercase());
    let wrong_case = BASE.replace("fCD6", "fcD6");
    let wrong_check = TRON.replace("6t", "6u");
    let solana = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
    for (rail, text, expected) in [
        (RailId::SolanaUsdc, solana, Ok(())),
        (RailId::SolanaUsdt, &solana[4..], Err(Invalid::Solana)),
        (RailId::SolanaUsdc, "So1anaMerchantWallet1111111111111111111111111", Err(Invalid::Solana)),
        (RailId::BaseUsdc, BASE, Ok(())),
        (RailId::EvmUsdc, &lower, Ok(())),
        (RailId::EvmUsdc, &upper, Ok(())),
        (RailId::Erc20Usdt, &wrong_case, Err(Invalid::EvmChecksum)),
        (RailId::BaseUsdc, &lower[2..], Err(Invalid::Evm)),
        (RailId::BaseUsdc, &lower[..41], Err(Invalid::Evm)),
        (RailId::TronUsdt, TRON, Ok(())),
        (RailId::TronUsdt, &wrong_check, Err(Invalid::Tron)),
        (RailId::TronUsdt, solana, Err(Invalid::Tron)),
        (RailId::TronUsdt, "Täää", Err(Invalid::Tron)),
        (RailId::X402, BASE, Ok(())),
        (RailId::X402, solana, Ok(())),
        (RailId::X402, TRON, Err(Invalid::X402)),
        (RailId::Usdt, solana, Err(Invalid::Family)),
    ] {
        assert_eq!(wallet::check(rail, text), expected, "{rail} {text}");
    }
    // The examples of EIP-55 itself.
    for address in [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ] {
        assert_eq!(wallet::evm(address), Ok(()), "{address}");
    }
}

fn issue_key(label: &str, prefix: &str, scopes: &[Scope]) -> api_key::Issue {
    api_key::Issue {
        key_id: id(40),
        label: label.into(),
        prefix: prefix.into(),
        key_hash: Hash32::of("key"),
        scopes: scopes.to_vec(),
        livemode: true,
        sandbox_capable: false,
        expires_at: None,
        rotated_from: None,
        now: at(0),
    }
}

#[test]
fn keys_in_order_of_precedence() {
    use api_key::{Command::Issue, Rejection};
    let issue = |label: &str, prefix: &str, scopes: &[Scope]| Issue(issue_key(label, prefix, scopes));
    let revoke = |reason: &str| api_key::Command::Revoke { reason: reason.into() };
    let key = given::<ApiKey>([]);
    key.when(issue("", "hk_sandbox_ab", &[])).refused(Rejection::LabelRequired);
    key.when(issue(&"x".repeat(201), "hk_sandbox_ab", &[])).refused(Rejection::LabelTooLong);
    key.when(issue("server", "hk_sandbox_ab", &[])).refused(Rejection::InvalidPrefix);
    key.when(issue("server", "hk_live_0123456789abcdef", &[])).refused(Rejection::InvalidPrefix);
    key.when(issue("server", "hk_live_ab", &[])).refused(Rejection::PermissionsRequired);
    let over = Issue(api_key::Issue { expires_at: Some(at(0)), ..issue_key("server", "hk_live_ab", &[Scope::Read]) });
    key.when(over).refused(Rejection::InvalidExpiry);
    key.when(revoke("lost")).refused(Rejection::NotFound);
    let issued = key.when(issue("server", "hk_live_ab", &[Scope::Write, Scope::Read, Scope::Write])).events();
    assert_eq!(payload!(issued[0].clone(), ApiKeyIssued).scopes, [Scope::Read, Scope::Write]);
    let active = given::<ApiKey>(&issued);
    active.when(issue("other", "hk_live_ab", &[Scope::Read])).refused(Rejection::AlreadyExists);
    active.when(revoke("")).refused(Rejection::ReasonRequired);
    let revoked = [issued, active.when(revoke("lost")).events()].concat();
    given::<ApiKey>(&revoked).when(revoke("again")).nothing();
}

#[test]
fn a_rotated_key_works_until_its_overlap_ends_and_never_beyond_its_own_end() {
    use api_key::{Command::Issue, LONGEST_OVERLAP_SECONDS, Rejection};
    let rotate =
        |successor: u128, overlap_seconds, now| api_key::Command::Rotate { successor_id: id(successor), overlap_seconds, now: at(now) };
    let key = given::<ApiKey>([]);
    key.when(rotate(41, 60, 0)).refused(Rejection::NotFound);
    let issue = |expires_at| Issue(api_key::Issue { expires_at, ..issue_key("server", "hk_live_ab", &[Scope::Read]) });
    let issued = key.when(issue(None)).events();
    let active = given::<ApiKey>(&issued);
    active.when(rotate(41, LONGEST_OVERLAP_SECONDS + 1, 0)).refused(Rejection::OverlapOutOfRange);
    let rotated = active.when(rotate(41, 60, 100)).events();
    assert_eq!(payload!(rotated[0].clone(), ApiKeyRotated).works_until, at(160));
    let history = [issued, rotated].concat();
    let both = given::<ApiKey>(&history);
    both.when(rotate(41, 5, 120)).nothing();
    both.when(rotate(42, 5, 120)).refused(Rejection::AlreadyRotated { successor_id: id(41) });
    let state = history.iter().fold(ApiKey::default(), <ApiKey as events::decider::Decider>::evolve);
    assert!(state.working(at(159)).is_some() && state.working(at(160)).is_none());
    let ended = [history, both.when(api_key::Command::Revoke { reason: "leaked".into() }).events()].concat();
    let state = ended.iter().fold(ApiKey::default(), <ApiKey as events::decider::Decider>::evolve);
    assert!(state.working(at(101)).is_none(), "revoking ends the overlap");
    given::<ApiKey>(&ended).when(rotate(43, 5, 101)).refused(Rejection::Revoked);

    let limited = key.when(issue(Some(at(130)))).events();
    let limited = given::<ApiKey>(&limited);
    assert_eq!(payload!(limited.when(rotate(41, 60, 100)).events()[0].clone(), ApiKeyRotated).works_until, at(130));
    limited.when(rotate(41, 60, 130)).refused(Rejection::Expired);
}

#[test]
fn a_readers_hour_is_recorded_once() {
    let read = |now| audit::Command::RecordRead { reader: "auditor-1".into(), now };
    let events = given::<Audit>([]).when(read(at(10))).events();
    assert_eq!(payload!(events[0].clone(), LogRead).hour, at(0));
    given::<Audit>(&events).when(read(at(20))).nothing();
    assert_eq!(audit::stream("auditor-1", at(0)), audit::stream("auditor-1", at(3_599)));
    assert_ne!(audit::stream("auditor-1", at(0)), audit::stream("auditor-1", at(3_600)));
    assert_ne!(audit::stream("auditor-1", at(0)), audit::stream("auditor-2", at(0)));
}

#[test]
fn a_person_is_erased_once_and_the_reason_says_nothing_of_him() {
    let erase = |reason: &str| subject::Command::Erase { subject_id: id(7), reason: reason.into(), approval: None };
    for words in ["", "Mr. Smith asked", &"a".repeat(65)] {
        given::<Subject>([]).when(erase(words)).refused(subject::Rejection::ReasonRequired);
    }
    let events = given::<Subject>([]).when(erase("gdpr_request")).events();
    given::<Subject>(&events).when(erase("gdpr_request")).nothing();
}
