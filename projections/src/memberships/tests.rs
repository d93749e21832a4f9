use super::*;
use crate::testkit::{START, Sample, Written};
use events::vocab::{event::*, stream::StreamId};

/// The sample's events with further ones of its membership, each with what is sealed beside it.
fn history(sample: &Sample, further: Vec<(Event, Option<Personal>)>) -> Vec<Written> {
    let mut events = sample.events();
    events.extend(further.into_iter().map(|(event, personal)| Written {
        stream: StreamId::new(event.event_type().category(), sample.membership),
        event_id: events::clock::new_id(),
        event,
        personal: personal.map(|personal| (sample.subject, personal)),
    }));
    events
}

fn folded(sample: &Sample, further: Vec<(Event, Option<Personal>)>) -> Membership {
    sample.fold::<Memberships>(&history(sample, further)).get(sample.membership).unwrap().clone()
}

fn plain(event: impl Into<Event>) -> (Event, Option<Personal>) {
    (event.into(), None)
}

fn noted(event: impl Into<Event>, text: &str) -> (Event, Option<Personal>) {
    (event.into(), Some(Personal { text: Some(text.to_owned()), ..Personal::default() }))
}

fn renewed(sample: &Sample, from: u32, to: u32) -> MembershipRenewed {
    MembershipRenewed {
        membership_id: sample.membership,
        product_id: sample.product,
        subject_id: sample.subject,
        wallet: sample.wallet,
        payment_id: sample.payment,
        tx_signature: sample.tx,
        period_start: START.plus_days(from),
        period_end: START.plus_days(to),
        grace_period_days: 3,
        renewal_reminder_offsets_days: vec![7, 2, 1],
        platform: None,
        payment_event: events::clock::new_id(),
    }
}

fn revoked(sample: &Sample) -> MembershipRevoked {
    MembershipRevoked { membership_id: sample.membership, reason: "refund".into(), revoked_at: START.plus_days(5) }
}

#[test]
fn a_membership_begins_with_its_first_period() {
    let sample = Sample::new();
    let membership = folded(&sample, vec![]);
    assert_eq!((membership.latest_payment_id, membership.history.len()), (sample.payment, 1));
    assert_eq!((membership.current_period_end_at, membership.grace_end_at), (START.plus_days(30), START.plus_days(33)));
    assert_eq!((membership.platform, membership.display()), (Some(Platform::Telegram), Some("@buyer")));
    assert_eq!(membership.next_due_at, Some(START.plus_days(23)), "the first reminder");
}

#[test]
fn a_renewal_adds_a_period_and_the_running_one_is_shown_until_it_is_over() {
    let sample = Sample::new();
    let membership = folded(&sample, vec![plain(renewed(&sample, 30, 60))]);
    assert_eq!((membership.history.len(), membership.current_period_end_at), (2, START.plus_days(60)));
    assert_eq!(membership.current_period_start_at(START.plus_days(29)), START);
    assert_eq!(membership.current_period_start_at(START.plus_days(31)), START.plus_days(30));
    assert_eq!(membership.external_customer_id.as_deref(), Some("customer-7"), "what a payment does not say stays known");
}

#[test]
fn what_is_due_next_follows_what_is_on_record() {
    let sample = Sample::new();
    let id = sample.membership;
    let (end, grace_end) = (START.plus_days(30), START.plus_days(33));
    let reminded = |offset_days| plain(MembershipRenewalReminderSent { membership_id: id, period_end: end, offset_days, mail_id: None });
    let cancelled = || plain(SubscriptionCancelRequested { membership_id: id, period_end: end });
    let grace = || plain(MembershipEnteredGrace { membership_id: id, period_end: end, grace_end });
    let expired = || {
        plain(MembershipExpired {
            membership_id: id,
            product_id: sample.product,
            access_product_id: None,
            subject_id: sample.subject,
            payment_id: sample.payment,
            period_end: end,
            expired_at: grace_end,
        })
    };
    let gifted = || plain(MembershipGifted { membership_id: id, days: 10, period_end: START.plus_days(50) });
    let cases = [
        (vec![reminded(7)], MembershipStatus::Active, Some(START.plus_days(28))),
        (vec![reminded(1)], MembershipStatus::Active, Some(end)),
        (vec![cancelled()], MembershipStatus::Active, Some(end)),
        (vec![cancelled(), plain(SubscriptionResumed { membership_id: id })], MembershipStatus::Active, Some(START.plus_days(23))),
        (vec![grace()], MembershipStatus::Grace, Some(grace_end)),
        (vec![grace(), expired()], MembershipStatus::Expired, None),
        (vec![grace(), expired(), gifted()], MembershipStatus::Active, Some(START.plus_days(43))),
        (vec![plain(revoked(&sample))], MembershipStatus::Revoked, None),
    ];
    for (number, (events, recorded, due)) in cases.into_iter().enumerate() {
        let row = folded(&sample, events);
        assert_eq!((row.recorded_status, row.next_due_at), (recorded, due), "case {number}");
    }
}

#[test]
fn a_payment_after_a_revocation_begins_again() {
    let sample = Sample::new();
    let again = renewed(&sample, 6, 36);
    let row = folded(&sample, vec![noted(revoked(&sample), "double booking"), plain(again)]);
    assert_eq!((row.recorded_status, row.revoked_at, row.revoke_reason.as_deref()), (MembershipStatus::Active, None, None));
    assert_eq!((row.current_period_end_at, row.history.len()), (START.plus_days(36), 3));
    assert_eq!(row.history[1].note.as_deref(), Some("double booking"));
}

#[test]
fn what_the_merchant_writes_is_kept_and_the_verified_identity_stays() {
    let sample = Sample::new();
    let display = Personal { identity_display: Some("@corrected".to_owned()), ..Personal::default() };
    let profile = (Event::from(MembershipProfileUpdated { membership_id: sample.membership }), Some(display));
    let notes = |text: &str| noted(MembershipNotesSaved { membership_id: sample.membership }, text);
    let row = folded(&sample, vec![notes("part of a migration"), profile]);
    assert_eq!(
        (row.display(), row.identity_display.as_deref(), row.identity_value.as_deref()),
        (Some("@corrected"), Some("@buyer"), Some("77"))
    );
    assert_eq!(row.notes.as_deref(), Some("part of a migration"));
    assert_eq!(folded(&sample, vec![notes("a"), notes("")]).notes, None);
}

#[test]
fn an_erased_person_leaves_nothing_but_the_times() {
    let sample = Sample::new();
    let notes = noted(MembershipNotesSaved { membership_id: sample.membership }, "knows the founder");
    let gift = noted(MembershipGifted { membership_id: sample.membership, days: 3, period_end: START.plus_days(33) }, "sorry, Ana");
    let mut events = history(&sample, vec![notes, gift]);
    events.push(sample.erased());
    let rows = sample.fold::<Memberships>(&events);
    let row = rows.get(sample.membership).unwrap();
    let text = serde_json::to_string(row).unwrap();
    for personal in ["@buyer", "\"77\"", "customer-7", "buyer@example.com", "founder", "Ana"] {
        assert!(!text.contains(personal), "{personal} is still in {text}");
    }
    assert_eq!((row.history.len(), row.current_period_end_at), (2, START.plus_days(33)));
}
