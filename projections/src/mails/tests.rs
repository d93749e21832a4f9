use super::*;
use crate::testkit::Sample;
use events::vocab::id::MailId;

#[test]
fn a_mail_is_due_until_it_is_sent_or_given_up() {
    let sample = Sample::new();
    let mail: MailId = events::clock::new_id();
    let [queued, failed, given_up, sent] = sample.mail(mail);
    let fold = |written: &[crate::testkit::Written]| sample.fold::<Mails>(written).get(mail).unwrap().clone();

    let row = fold(std::slice::from_ref(&queued));
    assert_eq!((row.status, row.attempts, row.next_attempt_at), (MailStatus::Queued, 0, Some(row.meta.created_at)));
    let row = fold(&[queued.clone(), failed.clone()]);
    assert_eq!((row.status, row.attempts, row.last_error.as_deref()), (MailStatus::Queued, 1, Some("smtp_451")));
    assert_eq!(row.next_attempt_at, Some(crate::testkit::START.plus_seconds(60)));
    let row = fold(&[queued.clone(), failed.clone(), given_up]);
    assert_eq!((row.status, row.attempts, row.next_attempt_at), (MailStatus::Failed, 2, None));
    let row = fold(&[queued, failed, sent]);
    assert_eq!((row.status, row.next_attempt_at), (MailStatus::Sent, None));
}

#[test]
fn the_queue_holds_no_address_and_no_text() {
    let sample = Sample::new();
    let mail: MailId = events::clock::new_id();
    let rows = sample.fold::<Mails>(&sample.mail(mail)[..1]);
    let row = serde_json::to_string(rows.get(mail).unwrap()).unwrap();
    assert!(!row.contains("buyer@example.com") && !row.contains("link"), "{row}");
}
