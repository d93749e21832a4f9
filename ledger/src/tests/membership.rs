//! Memberships: paying, ending, giving, revoking, reminding.

use super::samples::*;
use crate::{
    Cited,
    entitlement::{self, Entitlement},
    membership::{self, Command, Membership, Rejection, Standing},
    platform::Said,
    spec::given,
};
use events::{
    decider::Decider,
    vocab::{event::*, personal::Personal},
};

const DAY: i64 = 86_400;

fn renewal(live: &Live, payment: u128, seconds: i64) -> Command {
    let mut pay = pay(&live.confirmed);
    pay.payment = Cited::new(id(payment), PaymentConfirmed { payment_id: id(payment), ..live.confirmed.clone() });
    pay.now = at(seconds);
    Command::Pay(Box::new(pay))
}

#[test]
fn a_second_payment_renews_from_the_current_end_and_a_late_one_from_now() {
    let live = Live::run();
    assert_eq!((live.membership.period_start, live.membership.period_end), (at(60), at(60 + 30 * DAY)));
    let first = vec![Event::from(live.membership.clone())];
    given::<Membership>(&first).when(renewal(&live, 5, 99)).nothing();
    let early = given::<Membership>(&first).when(renewal(&live, 201, 99)).events();
    let renewed = payload!(early[0].clone(), MembershipRenewed);
    assert_eq!((renewed.period_start, renewed.period_end), (at(60 + 30 * DAY), at(60 + 60 * DAY)));
    let late = given::<Membership>(&first).when(renewal(&live, 201, 90 * DAY)).events();
    assert_eq!(payload!(late[0].clone(), MembershipRenewed).period_start, at(90 * DAY));
    given::<Membership>([first, early].concat()).when(renewal(&live, 201, 99)).nothing();
}

#[test]
fn rejections_of_a_membership_payment_in_order_of_precedence() {
    let live = Live::run();
    let mut pay = pay(&live.confirmed);
    pay.membership_id = id(99);
    pay.terms.billing_interval_days = 0;
    let membership = given::<Membership>([live.membership.into()]);
    membership.when(Command::Pay(Box::new(pay.clone()))).refused(Rejection::InvalidMembershipConfig);
    pay.terms = TERMS;
    let mismatch = Rejection::MembershipMismatch { field: "membership_id" };
    membership.when(Command::Pay(Box::new(pay))).refused(mismatch);
}

/// A membership from second 60 to 30 days later, with three days of grace and reminders.
fn begun(live: &Live) -> Vec<Event> {
    let activated = MembershipActivated { renewal_reminder_offsets_days: vec![7, 2, 1], grace_period_days: 3, ..live.membership.clone() };
    vec![activated.into()]
}

fn with(first: &[Event], more: &[Event]) -> Vec<Event> {
    [first, more].concat()
}

#[test]
fn a_period_ends_in_grace_and_grace_in_expiry() {
    let live = Live::run();
    let (first, end) = (begun(&live), 60 + 30 * DAY);
    let member = given::<Membership>(&first);
    member.when(Command::EnterGrace { now: at(end - 1) }).refused(Rejection::NotDueYet);
    let grace = member.when(Command::EnterGrace { now: at(end) }).events();
    let entered = payload!(grace[0].clone(), MembershipEnteredGrace);
    assert_eq!((entered.period_end, entered.grace_end), (at(end), at(end + 3 * DAY)));
    let in_grace = given::<Membership>(with(&first, &grace));
    in_grace.when(Command::EnterGrace { now: at(end + 1) }).nothing();
    in_grace.when(Command::Expire { now: at(end + 3 * DAY - 1) }).refused(Rejection::NotDueYet);
    let over = in_grace.when(Command::Expire { now: at(end + 3 * DAY) }).events();
    let expired = payload!(over[0].clone(), MembershipExpired);
    assert_eq!((expired.period_end, expired.expired_at), (at(end), at(end + 3 * DAY)));
    given::<Membership>([with(&first, &grace), over].concat()).when(Command::Expire { now: at(end + 9 * DAY) }).nothing();
    // A sweep that was away for the whole of the grace ends it at once.
    assert_eq!(member.when(Command::Expire { now: at(end + 3 * DAY) }).events().len(), 1);
}

#[test]
fn without_grace_the_end_of_the_period_is_the_end() {
    let live = Live::run();
    let first = MembershipActivated { grace_period_days: 0, ..live.membership.clone() };
    let over = given::<Membership>([first.into()]).when(Command::EnterGrace { now: at(60 + 30 * DAY) }).events();
    assert!(matches!(over[..], [Event::MembershipExpired(_)]));
}

fn gift(days: u32, seconds: i64) -> Command {
    Command::Gift { days, note: Some("Courtesy".into()), now: at(seconds) }
}

#[test]
fn a_gift_extends_from_the_end_or_from_now_and_brings_the_ended_back() {
    let live = Live::run();
    let (first, end) = (begun(&live), 60 + 30 * DAY);
    let fact = given::<Membership>(&first).when(gift(30, 99)).facts().remove(0);
    assert_eq!(payload!(fact.event.clone(), MembershipGifted).period_end, at(end + 30 * DAY));
    assert_eq!(fact.personal, Some((id(7), Personal { text: Some("Courtesy".into()), ..Personal::default() })));

    let expired = given::<Membership>(&first).when(Command::Expire { now: at(end + 3 * DAY) }).events();
    let ended = with(&first, &expired);
    let given_later = given::<Membership>(&ended).when(gift(5, end + 40 * DAY)).events();
    assert_eq!(payload!(given_later[0].clone(), MembershipGifted).period_end, at(end + 45 * DAY));
    let back = given::<Membership>(with(&ended, &given_later));
    back.when(Command::Expire { now: at(end + 44 * DAY) }).refused(Rejection::NotDueYet);
    for days in [0, 367] {
        given::<Membership>(&first).when(gift(days, 99)).refused(Rejection::GiftDaysOutOfRange);
    }
}

fn revoke(reason: &str) -> Command {
    Command::Revoke { reason: reason.into(), note: None, now: at(99) }
}

#[test]
fn what_is_revoked_stays_so_until_somebody_pays_again_and_then_begins_anew() {
    let live = Live::run();
    let first = begun(&live);
    given::<Membership>(&first).when(revoke("He was rude")).refused(Rejection::ReasonRequired);
    let revoked = given::<Membership>(&first).when(revoke("refund")).events();
    let ended = with(&first, &revoked);
    let state = given::<Membership>(&ended);
    state.when(revoke("again")).nothing();
    state.when(gift(1, 100)).refused(Rejection::Revoked);
    state.when(Command::CancelRenewal).refused(Rejection::Revoked);
    state.when(Command::Expire { now: at(99 * DAY) }).nothing();
    state.when(Command::Remind { mail_id: None, now: at(29 * DAY) }).nothing();
    let again = state.when(renewal(&live, 201, 200)).events();
    assert_eq!(payload!(again[0].clone(), MembershipRenewed).period_start, at(200), "what was revoked is not given back");
}

fn remind(seconds: i64) -> Command {
    Command::Remind { mail_id: None, now: at(seconds) }
}

#[test]
fn each_reminder_goes_out_once_and_a_late_one_alone() {
    let live = Live::run();
    let (mut log, end) = (begun(&live), 60 + 30 * DAY);
    given::<Membership>(&log).when(remind(end - 7 * DAY - 1)).nothing();
    for offset in [7, 2, 1] {
        let due = end - i64::from(offset) * DAY;
        let sent = given::<Membership>(&log).when(remind(due)).events();
        assert_eq!(payload!(sent[0].clone(), MembershipRenewalReminderSent).offset_days, offset);
        log.extend(sent);
        given::<Membership>(&log).when(remind(due + 1)).nothing();
    }
    let late = given::<Membership>(begun(&live)).when(remind(end - 60)).events();
    assert_eq!(late.len(), 1, "three that were missed are one");
    assert_eq!(payload!(late[0].clone(), MembershipRenewalReminderSent).offset_days, 1);
    given::<Membership>(begun(&live)).when(remind(end)).nothing();
    // A renewal begins the count again.
    let renewed = payload!(given::<Membership>(&log).when(renewal(&live, 201, end - 60)).events().remove(0), MembershipRenewed);
    log.push(MembershipRenewed { renewal_reminder_offsets_days: vec![7], ..renewed }.into());
    assert_eq!(given::<Membership>(&log).when(remind(end + 23 * DAY)).events().len(), 1);
}

#[test]
fn a_member_who_will_not_go_on_is_not_reminded_and_one_who_will_is() {
    let live = Live::run();
    let (first, end) = (begun(&live), 60 + 30 * DAY);
    let cancelled = with(&first, &given::<Membership>(&first).when(Command::CancelRenewal).events());
    given::<Membership>(&cancelled).when(Command::CancelRenewal).nothing();
    given::<Membership>(&cancelled).when(remind(end - DAY)).nothing();
    let resumed = with(&cancelled, &given::<Membership>(&cancelled).when(Command::ResumeRenewal).events());
    given::<Membership>(&resumed).when(Command::ResumeRenewal).nothing();
    assert_eq!(given::<Membership>(&resumed).when(remind(end - DAY)).events().len(), 1);
}

#[test]
fn texts_about_a_member_are_sealed_with_his_key_and_bounded() {
    let live = Live::run();
    let member = given::<Membership>(begun(&live));
    let saved = member.when(Command::SaveNotes { notes: Some(" VIP ".into()) }).facts().remove(0);
    assert_eq!(saved.personal, Some((id(7), Personal { text: Some("VIP".into()), ..Personal::default() })));
    let cleared = member.when(Command::SaveNotes { notes: None }).facts().remove(0);
    assert_eq!(cleared.personal, None);
    member.when(Command::SaveNotes { notes: Some("x".repeat(5_001)) }).refused(Rejection::TextTooLong { field: "notes" });
    let named = member.when(Command::UpdateProfile { platform_display: "@crzypeas".into() }).facts().remove(0);
    assert_eq!(named.personal.unwrap().1.identity_display.as_deref(), Some("@crzypeas"));
    for wrong in [" ".to_owned(), "x".repeat(201)] {
        member.when(Command::UpdateProfile { platform_display: wrong }).refused(Rejection::DisplayRequired);
    }
}

#[test]
fn what_is_over_cannot_be_revoked_and_has_no_renewal() {
    let live = Live::run();
    let (first, end) = (begun(&live), 60 + 33 * DAY);
    let late = Command::Revoke { reason: "refund".into(), note: None, now: at(end) };
    given::<Membership>(&first).when(late.clone()).refused(Rejection::NotActive);
    let over = with(&first, &given::<Membership>(&first).when(Command::Expire { now: at(end) }).events());
    for command in [late, Command::CancelRenewal, Command::ResumeRenewal] {
        given::<Membership>(&over).when(command).refused(Rejection::NotActive);
    }
}

/// Over random histories: days that were paid or given are never lost, a reminder is sent once a period and never to those who will
/// not go on, and what is over stays so until somebody pays or gives.
#[test]
fn whatever_happens_in_whatever_order() {
    let live = Live::run();
    for seed in 0..300 {
        let mut dice = super::histories::Dice(seed);
        let (mut log, mut seconds) = (begun(&live), 60);
        for n in 0..60 {
            seconds += dice.below(12 * DAY as u64) as i64;
            let now = at(seconds);
            let before = Membership::fold(&log).member().unwrap().clone();
            let command = match dice.below(14) {
                0 => renewal(&live, 300 + n, seconds),
                1 => gift(dice.below(40) as u32, seconds),
                2 if dice.one_in(3) => Command::Revoke { reason: "refund".into(), note: None, now },
                3 => Command::CancelRenewal,
                4 => Command::ResumeRenewal,
                5..8 => Command::EnterGrace { now },
                8..11 => Command::Expire { now },
                _ => Command::Remind { mail_id: None, now },
            };
            let Ok(facts) = Membership::decide(&Membership::fold(&log), command.clone()) else { continue };
            for fact in facts {
                match &fact.event {
                    Event::MembershipRenewed(e) if before.standing == Standing::Revoked => assert_eq!(e.period_start, now, "{seed}"),
                    Event::MembershipRenewed(e) => assert_eq!(e.period_start, before.period_end.max(now), "{seed}: {e:?}"),
                    Event::MembershipGifted(e) => assert_eq!(e.period_end, before.period_end.max(now).plus_days(e.days), "{seed}"),
                    Event::MembershipRenewalReminderSent(e) => {
                        assert!(before.reminded.is_none_or(|last| e.offset_days < last) && !before.cancelled, "{seed}: {e:?}");
                        assert!(before.standing == Standing::Active && now < e.period_end, "{seed}: {e:?}");
                    }
                    Event::MembershipEnteredGrace(e) => assert!(now >= e.period_end, "{seed}: {e:?}"),
                    Event::MembershipExpired(_) => assert!(now >= before.grace_end(), "{seed}"),
                    _ => {}
                }
                log.push(fact.event);
            }
            let after = Membership::fold(&log).member().unwrap().clone();
            let over = |standing| matches!(standing, Standing::Revoked | Standing::Expired);
            let began_again = !over(after.standing) && over(before.standing);
            assert!(!began_again || matches!(command, Command::Pay(_) | Command::Gift { .. }), "{seed}: {command:?}");
            if after == before {
                continue;
            }
            for again in [Command::EnterGrace { now }, Command::Expire { now }, Command::Remind { mail_id: None, now }] {
                let Ok(facts) = Membership::decide(&Membership::fold(&log), again.clone()) else { continue };
                let log: Vec<Event> = log.iter().cloned().chain(facts.into_iter().map(|fact| fact.event)).collect();
                assert_eq!(Membership::decide(&Membership::fold(&log), again).unwrap_or_default(), vec![], "{seed}: once is enough");
            }
        }
    }
}

#[test]
fn a_gift_carries_access_along_also_when_it_had_ended() {
    let live = Live::run();
    let activate = entitlement::Command::Activate(Box::new(live.activate()));
    let pended = vec![Event::from(live.pended.clone())];
    let active = with(&pended, &given::<Entitlement>(&pended).when(activate).events());
    let window = |history: &[Event]| match Entitlement::fold(history) {
        Entitlement::Active { activated, .. } => (activated.active_from, activated.expires_at),
        other => panic!("{other:?}"),
    };
    let (from, until) = window(&active);
    let gifted = |period_end| {
        let event = MembershipGifted { membership_id: live.membership.membership_id, days: 10, period_end };
        entitlement::Command::Renew { extended: entitlement::Extended::Gifted(Cited::new(id(80), event)) }
    };
    let renewed = given::<Entitlement>(&active).when(gifted(until.plus_days(10))).events();
    assert_eq!(payload!(renewed[0].clone(), EntitlementRenewed).membership_event, id(80));
    assert_eq!(window(&with(&active, &renewed)), (from, until.plus_days(10)));
    given::<Entitlement>(&active).when(gifted(until)).nothing();

    let expired = with(&active, &given::<Entitlement>(&active).when(entitlement::Command::Expire { now: until }).events());
    let back = with(&expired, &given::<Entitlement>(&expired).when(gifted(until.plus_days(40))).events());
    assert_eq!(window(&back), (from, until.plus_days(40)));

    let revoke = entitlement::Command::Revoke { reason: "refund".into() };
    let revoked = with(&active, &given::<Entitlement>(&active).when(revoke).events());
    for (history, from) in [(&pended, "pending"), (&revoked, "revoked")] {
        let refused = entitlement::Rejection::TransitionNotAllowed { from, to: "active" };
        given::<Entitlement>(history).when(gifted(until.plus_days(40))).refused(refused);
    }
}

fn said() -> Said {
    Said { by: "staff-1".into(), reason: "paid at the hosted checkout".into() }
}

#[test]
fn an_entitlement_rests_on_a_membership_only_while_it_is_paid() {
    let live = Live::run();
    let begun = begun(&live);
    let link = |seconds| Command::Link { entitlement_id: id(70), said: said(), now: at(seconds) };
    let end = 60 + 30 * DAY;
    let made = given::<Membership>(&begun).when(link(end - 1)).events();
    let linked = payload!(made[0].clone(), MembershipEntitlementLinked);
    assert_eq!((linked.entitlement_id, linked.subject_id, linked.period_end), (id(70), live.membership.subject_id, at(end)));
    given::<Membership>(with(&begun, &made)).when(link(end - 1)).nothing();
    given::<Membership>(&begun).when(link(end)).refused(Rejection::NotActive);
    let grace = with(&begun, &given::<Membership>(&begun).when(Command::EnterGrace { now: at(end) }).events());
    given::<Membership>(&grace).when(link(end - 1)).refused(Rejection::NotActive);
    let revoked = with(&begun, &given::<Membership>(&begun).when(revoke("refund")).events());
    given::<Membership>(&revoked).when(link(61)).refused(Rejection::Revoked);
    given::<Membership>([]).when(link(61)).refused(Rejection::NotFound);
}

#[test]
fn nobody_is_a_member_before_he_pays() {
    let nobody = given::<Membership>([]);
    for command in [gift(1, 1), revoke("refund"), remind(1), Command::CancelRenewal, Command::SaveNotes { notes: None }] {
        nobody.when(command).refused(Rejection::NotFound);
    }
    assert_eq!(Membership::fold(&[]), Membership::Absent);
    assert_eq!(membership::LONGEST_GIFT_DAYS, 366);
}
