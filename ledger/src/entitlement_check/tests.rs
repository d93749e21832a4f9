use super::*;

const ALLOWED: &[RailId] = &[RailId::SolanaUsdc, RailId::BaseUsdc];

fn at(day: i64) -> Timestamp {
    Timestamp::from_micros(0).plus_seconds(day * 86_400)
}

fn entitlement(standing: Standing) -> Entitlement {
    Entitlement {
        rail_id: RailId::SolanaUsdc,
        payment_protocol: None,
        standing,
        payment_id: None,
        receipt_id: None,
        sandbox: false,
        clock: None,
    }
}

fn active(from: i64, until: i64) -> Entitlement {
    entitlement(Standing::Active { from: at(from), until: at(until) })
}

fn membership(until: i64) -> Membership {
    Membership { from: at(0), until: at(until), grace_until: at(until), revoked: false, payment_id: None, receipt_id: None }
}

fn ask(
    rail: RailId,
    day: i64,
    entitlements: &[Entitlement],
    membership: Option<&Membership>,
) -> (&'static str, &'static str, &'static str) {
    let question = Question { rail, allowed_rails: ALLOWED, now: at(day) };
    let answer = decide(&question, entitlements, membership);
    assert_eq!(answer.has_access(), answer.status == Status::Active);
    (answer.status.as_str(), answer.reason.as_str(), answer.source.as_str())
}

fn solana(day: i64, entitlements: &[Entitlement]) -> (&'static str, &'static str, &'static str) {
    ask(RailId::SolanaUsdc, day, entitlements, None)
}

#[test]
fn every_reason_once() {
    assert_eq!(solana(5, &[active(0, 30)]), ("active", "active_entitlement", "access_entitlement"));
    assert_eq!(ask(RailId::SolanaUsdc, 5, &[active(0, 30)], Some(&membership(30))), ("active", "active_membership", "membership_bridge"));
    assert_eq!(solana(5, &[entitlement(Standing::Pending)]), ("pending", "payment_pending", "access_entitlement"));
    assert_eq!(solana(31, &[active(0, 30)]), ("expired", "entitlement_expired", "access_entitlement"));
    assert_eq!(solana(5, &[entitlement(Standing::Revoked)]), ("revoked", "entitlement_revoked", "access_entitlement"));
    assert_eq!(solana(5, &[entitlement(Standing::Failed)]), ("failed", "no_entitlement", "access_entitlement"));
    assert_eq!(ask(RailId::BaseUsdc, 5, &[active(0, 30)], None), ("not_found", "no_entitlement_for_rail", "none"));
    assert_eq!(ask(RailId::X402, 5, &[], None), ("not_found", "no_entitlement_for_rail", "none"), "the product does not allow the rail");
    assert_eq!(solana(5, &[]), ("not_found", "no_entitlement", "none"));
}

#[test]
fn the_stronger_state_wins_whatever_the_order() {
    let by_strength =
        [active(0, 30), entitlement(Standing::Pending), active(-60, -30), entitlement(Standing::Revoked), entitlement(Standing::Failed)];
    for first in 0..by_strength.len() {
        let rest = &by_strength[first..];
        let expected = solana(5, &rest[..1]);
        let backwards: Vec<_> = rest.iter().rev().cloned().collect();
        assert_eq!((solana(5, rest), solana(5, &backwards)), (expected, expected));
    }
}

#[test]
fn access_ends_at_the_very_instant() {
    assert_eq!(solana(30, &[active(0, 30)]).0, "expired");
    let question = Question { rail: RailId::SolanaUsdc, allowed_rails: ALLOWED, now: Timestamp::from_micros(at(30).micros() - 1) };
    assert!(decide(&question, &[active(0, 30)], None).has_access());
    assert!(!decide(&question, &[], Some(&membership(29))).has_access());
}

#[test]
fn the_longest_window_is_told() {
    let question = Question { rail: RailId::SolanaUsdc, allowed_rails: ALLOWED, now: at(5) };
    assert_eq!(decide(&question, &[active(0, 60), active(0, 30)], None).window, Some((at(0), at(60))));
}

#[test]
fn a_revoked_or_ended_membership_grants_nothing() {
    let revoked = Membership { revoked: true, ..membership(30) };
    let taken = ("revoked", "entitlement_revoked", "membership_bridge");
    assert_eq!(ask(RailId::SolanaUsdc, 5, &[], Some(&revoked)), taken);
    assert_eq!(ask(RailId::SolanaUsdc, 5, &[], Some(&Membership { grace_until: at(40), ..revoked })), taken);
    assert_eq!(ask(RailId::SolanaUsdc, 31, &[], Some(&membership(30))), ("expired", "entitlement_expired", "membership_bridge"));
    assert_eq!(ask(RailId::BaseUsdc, 5, &[], Some(&membership(30))).0, "not_found");
}

#[test]
fn x402_finds_what_was_paid_by_that_protocol() {
    let paid = Entitlement { payment_protocol: Some(PaymentProtocol::X402), ..active(0, 30) };
    assert_eq!(ask(RailId::X402, 5, std::slice::from_ref(&paid), None).1, "active_entitlement");
    assert_eq!(solana(5, &[paid]).1, "active_entitlement");
}

#[test]
fn the_sandbox_says_so() {
    assert_eq!(solana(5, &[Entitlement { sandbox: true, ..active(0, 30) }]).2, "sandbox_entitlement");
}

#[test]
fn a_member_keeps_his_access_through_the_days_of_grace() {
    let member = Membership { grace_until: at(33), ..membership(30) };
    let active = ("active", "active_membership", "membership_bridge");
    assert_eq!(ask(RailId::SolanaUsdc, 29, &[], Some(&member)), active);
    assert_eq!(ask(RailId::SolanaUsdc, 32, &[], Some(&member)), active);
    assert_eq!(ask(RailId::SolanaUsdc, 33, &[], Some(&member)).0, "expired");
    let question = |now| Question { rail: RailId::SolanaUsdc, allowed_rails: &[RailId::SolanaUsdc], now: at(now) };
    assert_eq!(decide(&question(29), &[], Some(&member)).window, Some((at(0), at(30))), "before grace nothing is said of it");
    assert_eq!(decide(&question(31), &[], Some(&member)).window, Some((at(0), at(33))));
}

#[test]
fn revoking_what_a_payment_bought_silences_the_membership_of_that_payment_only() {
    let [paid, other] = [1, 2].map(|n| Some(PaymentId(uuid::Uuid::from_u128(n))));
    let revoked = Entitlement { payment_id: paid, ..entitlement(Standing::Revoked) };
    let member = |payment_id| Membership { payment_id, ..membership(30) };
    assert_eq!(ask(RailId::SolanaUsdc, 5, std::slice::from_ref(&revoked), Some(&member(paid))).1, "entitlement_revoked");
    assert_eq!(ask(RailId::SolanaUsdc, 5, &[revoked], Some(&member(other))).1, "active_membership");
}

#[test]
fn what_hangs_on_a_test_clock_is_judged_by_its_time() {
    let on_clock = |day| Entitlement { sandbox: true, clock: Some(at(day)), ..active(0, 30) };
    assert_eq!(solana(9_999, &[on_clock(29)]).1, "active_entitlement", "whatever everybody's time is");
    assert_eq!(solana(5, &[on_clock(30)]).1, "entitlement_expired");
    assert_eq!(solana(31, &[on_clock(30), on_clock(29)]).1, "active_entitlement");
}
