use super::*;
use crate::testkit::Sample;
use events::vocab::{
    event::StatementEntriesRecorded,
    id::EventId,
    money::{Minor, SignedMinor},
    words::MovementRole,
};
use uuid::Uuid;

#[test]
fn entries_are_numbered_through_and_say_what_each_side_says() {
    let sample = Sample::new();
    let id = StatementId(Uuid::from_u128(7));
    let at = Timestamp::from_micros(1_800_000_000_000_000);
    let item = |amount| StatementItem { line: 2, id: None, at, amount: SignedMinor::new(amount).unwrap() };
    let leg = StatementLeg {
        role: MovementRole::Merchant,
        at,
        amount: Minor::new(9).unwrap(),
        payment_id: Some(sample.payment),
        receipt_id: Some(sample.receipt),
        evidence: EventId(Uuid::from_u128(5)),
    };
    let entry = |reference: &str, status, items, legs| StatementEntry { reference: reference.into(), status, at, items, legs };
    let recorded = |chunk, first, entries| sample.at(StatementEntriesRecorded { statement_id: id, chunk, first, entries }, id);
    let events = [
        recorded(1, 1, vec![entry("both", EntryStatus::Different, vec![item(-3), item(5)], vec![leg.clone()])]),
        recorded(
            2,
            2,
            vec![
                entry("theirs", EntryStatus::StatementOnly, vec![item(-4)], vec![]),
                entry("ours", EntryStatus::LedgerOnly, vec![], vec![leg.clone(), leg]),
            ],
        ),
    ];
    let rows = sample.fold::<StatementEntries>(&events);
    let said = |reference: &str| {
        let row = rows.get(id.entry(reference)).unwrap();
        (row.number, row.statement_amount.map(|sum| sum.0), row.ledger_amount.map(|sum| sum.0))
    };
    assert_eq!(said("both"), (1, Some(2), Some(9)));
    assert_eq!(said("theirs"), (2, Some(-4), None));
    assert_eq!(said("ours"), (3, None, Some(18)));
}
