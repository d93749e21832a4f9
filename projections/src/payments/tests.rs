use super::*;
use crate::testkit::{START, Sample};

#[test]
fn a_payment_goes_from_signature_to_confirmed() {
    let sample = Sample::new();
    let mut events = sample.asked();
    assert_eq!(sample.fold::<Payments>(&events).get(sample.payment).unwrap().status, PaymentStatus::PendingSignature);
    let paid = sample.paid();
    events.push(paid[0].clone());
    assert_eq!(sample.fold::<Payments>(&events).get(sample.payment).unwrap().status, PaymentStatus::PendingConfirmation);
    events.extend(paid[1..].iter().cloned());
    let rows = sample.fold::<Payments>(&events);
    let payment = rows.get(sample.payment).unwrap();
    assert_eq!((payment.status, payment.tx_signature), (PaymentStatus::Confirmed, Some(sample.tx)));
    assert_eq!((payment.receipt_id, payment.membership_id), (Some(sample.receipt), Some(sample.membership)));
    assert_eq!((payment.payer_wallet, payment.slot, payment.confirmed_at), (Some(sample.wallet), Some(12), Some(START)));
}

#[test]
fn a_payment_shows_who_buys_until_he_is_erased() {
    let sample = Sample::new();
    let mut events = sample.asked();
    let rows = sample.fold::<Payments>(&events);
    let payment = rows.get(sample.payment).unwrap();
    assert_eq!((payment.identity_type.as_deref(), payment.identity_value.as_deref()), (Some("TELEGRAM_USER_ID"), Some("77")));
    events.push(sample.erased());
    let rows = sample.fold::<Payments>(&events);
    let payment = rows.get(sample.payment).unwrap();
    assert_eq!((&payment.identity_type, &payment.identity_value, &payment.identity_display), (&None, &None, &None));
}
