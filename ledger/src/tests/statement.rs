//! Statements: files are read exactly or refused by line and column, sums always add up, and a file is on record once.

#[path = "statement/files.rs"]
mod files;
#[path = "statement/records.rs"]
mod records;
#[path = "statement/worlds.rs"]
mod worlds;

use super::samples::*;
use crate::{
    spec::given,
    statement::{self, Command, Import, Item, Leg, Rejection, Scope, Statement, reconcile},
};
use events::vocab::{
    bytes::{Hash32, SolanaAddress},
    event::{Event, StatementAsset, StatementEntriesRecorded, StatementEntry, StatementImported, StatementLeg, Sums},
    money::{SignedMinor, SignedTotal},
    time::Timestamp,
    words::{EntryStatus, MovementRole, StatementFormat, StatementSource},
};

const DAY: i64 = 86_400;
const WALLET: SolanaAddress = SolanaAddress([3; 32]);
const MINT: SolanaAddress = SolanaAddress([9; 32]);

/// A day of a wallet's USDC.
fn usdc_day() -> Scope {
    let scope = Scope {
        source: StatementSource::SolanaUsdc,
        account: WALLET.to_string(),
        asset: StatementAsset { code: "USDC".into(), decimals: 6, mint: Some(MINT) },
        livemode: true,
        period_start: at(0),
        period_end: at(DAY),
    };
    scope.checked().unwrap()
}

fn item(line: u32, reference: &str, seconds: i64, amount: i64) -> Item {
    Item { line, reference: reference.to_owned(), id: None, at: at(seconds), amount: SignedMinor::new(amount).unwrap() }
}

fn leg(n: u128, reference: &str, seconds: i64, amount: u64) -> Leg {
    leg_of(n, reference, seconds, amount, MovementRole::Merchant)
}

fn leg_of(n: u128, reference: &str, seconds: i64, amount: u64, role: MovementRole) -> Leg {
    let leg = StatementLeg {
        role,
        at: at(seconds),
        amount: minor(amount),
        payment_id: Some(id(n)),
        receipt_id: Some(id(n + 1_000)),
        evidence: id(n + 2_000),
    };
    Leg { reference: reference.to_owned(), leg }
}

fn status_of(entries: &[StatementEntry], reference: &str) -> EntryStatus {
    entries.iter().find(|entry| entry.reference == reference).unwrap_or_else(|| panic!("{reference} is listed")).status
}

fn import(items: Vec<Item>, legs: Vec<Leg>) -> Import {
    Import {
        scope: usdc_day(),
        format: StatementFormat::Csv,
        digest: Hash32([5; 32]),
        bytes: 77,
        items,
        legs,
        through_position: 41,
        by: "staff-1".into(),
    }
}

fn command(import: Import) -> Command {
    Command::Import(Box::new(import))
}

#[test]
fn each_side_is_listed_with_what_the_other_lacks() {
    let items = vec![
        item(2, "paid", 10, 24_750_000),
        item(3, "short", 20, 9_000_000),
        item(4, "refund", 30, -5_000_000),
        item(5, "foreign", 40, 1_000_000),
    ];
    let legs = vec![leg(1, "paid", 10, 24_750_000), leg(2, "short", 20, 9_900_000), leg(3, "lost", 50, 700_000)];
    let found = reconcile(&usdc_day(), items, legs).unwrap();
    for (reference, status) in [
        ("paid", EntryStatus::Matched),
        ("short", EntryStatus::Different),
        ("refund", EntryStatus::StatementOnly),
        ("foreign", EntryStatus::StatementOnly),
        ("lost", EntryStatus::LedgerOnly),
    ] {
        assert_eq!(status_of(&found.entries, reference), status, "{reference}");
    }
    let Sums { statement_total, ledger_total, difference, different, statement_only, ledger_only, matched } = *found.sums.get();
    assert_eq!((statement_total.0, ledger_total.0, difference.0), (29_750_000, 35_350_000, -5_600_000));
    assert_eq!((matched.entries, matched.statement.0), (1, 24_750_000));
    assert_eq!((different.entries, different.statement.0, different.ledger.0), (1, 9_000_000, 9_900_000));
    assert_eq!((statement_only.entries, statement_only.statement.0), (2, -4_000_000));
    assert_eq!((ledger_only.entries, ledger_only.ledger.0), (1, 700_000));
    let times: Vec<Timestamp> = found.entries.iter().map(|entry| entry.at).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_parts_of_one_transaction_are_one_entry() {
    // A wallet that is merchant and fee wallet in one, and two payments in one transaction, against one balance change.
    let legs = vec![leg(1, "both", 10, 990), leg_of(1, "both", 10, 10, MovementRole::Fee), leg(2, "both", 10, 500)];
    let found = reconcile(&usdc_day(), vec![item(2, "both", 10, 1_500)], legs.clone()).unwrap();
    assert_eq!(found.entries.len(), 1);
    assert_eq!((status_of(&found.entries, "both"), found.entries[0].legs.len()), (EntryStatus::Matched, 3));
    // The same as two lines, as explorers list transfers.
    let found = reconcile(&usdc_day(), vec![item(2, "both", 10, 1_000), item(3, "both", 10, 500)], legs.clone()).unwrap();
    assert_eq!(status_of(&found.entries, "both"), EntryStatus::Matched);
    // A line that is there twice does not vanish: it is what the two sides differ by.
    let found = reconcile(&usdc_day(), vec![item(2, "both", 10, 1_500), item(3, "both", 10, 1_500)], legs).unwrap();
    assert_eq!((status_of(&found.entries, "both"), found.sums.get().difference.0), (EntryStatus::Different, 1_500));
}

#[test]
fn a_period_begins_with_its_first_moment_and_ends_before_its_last() {
    let legs = vec![leg(1, "before", -1, 1), leg(2, "first", 0, 2), leg(3, "last", DAY - 1, 4), leg(4, "after", DAY, 8)];
    let found = reconcile(&usdc_day(), vec![], legs.clone()).unwrap();
    assert_eq!(found.sums.get().ledger_total.0, 6, "first and last");
    // What the statement itself names is looked for whatever time the log has for it.
    let found = reconcile(&usdc_day(), vec![item(2, "after", DAY - 1, 8)], legs).unwrap();
    assert_eq!((status_of(&found.entries, "after"), found.sums.get().ledger_total.0), (EntryStatus::Matched, 14));
}

#[test]
fn a_file_is_on_record_once() {
    let first = import(vec![item(2, "paid", 10, 5)], vec![leg(1, "paid", 10, 5)]);
    let events = given::<Statement>([]).when(command(first.clone())).events();
    let [Event::StatementImported(imported), Event::StatementEntriesRecorded(recorded)] = &events[..] else {
        panic!("one header and its entries: {events:?}")
    };
    assert_eq!((imported.statement_id, recorded.statement_id), (first.id(), first.id()));
    assert_eq!((imported.items, imported.chunks, recorded.chunk, recorded.entries.len()), (1, 1, 1, 1));
    assert_eq!((imported.through_position, imported.bytes, imported.digest), (41, 77, Hash32([5; 32])));

    let on_record = given::<Statement>(&events);
    // The log has grown, and another brings it: it stays what it was.
    on_record.when(command(Import { legs: vec![], through_position: 99, by: "staff-2".into(), ..first.clone() })).nothing();
    let other_period = Scope { period_end: at(2 * DAY), ..usdc_day() };
    on_record.when(command(Import { scope: other_period, ..first.clone() })).refused(Rejection::ImportedOtherwise);
    on_record.when(command(Import { format: StatementFormat::Json, ..first.clone() })).refused(Rejection::ImportedOtherwise);
    let test = Import { scope: Scope { livemode: false, ..usdc_day() }, ..first.clone() };
    assert_ne!(test.id(), first.id(), "another mode is another statement");
}

#[test]
fn a_long_statement_is_recorded_in_parts_whose_entries_are_all_of_it() {
    let items: Vec<Item> = (0..1_234).map(|n| item(n + 2, &format!("tx{n:05}"), i64::from(n), 10)).collect();
    let legs: Vec<Leg> = (0..1_234).map(|n| leg(n, &format!("tx{n:05}"), n as i64, 10)).collect();
    let events = given::<Statement>([]).when(command(import(items.clone(), legs.clone()))).events();
    let parts: Vec<&StatementEntriesRecorded> =
        events.iter().filter_map(|event| if let Event::StatementEntriesRecorded(part) = event { Some(part) } else { None }).collect();
    let Event::StatementImported(StatementImported { chunks, sums, .. }) = &events[0] else { panic!("the header is first") };
    assert_eq!((*chunks as usize, sums.get().matched.entries), (parts.len(), 1_234));
    assert!(parts.len() > 1 && parts.iter().all(|part| part.entries.len() <= 250), "two of each entry");
    assert!(parts.iter().map(|part| part.chunk).eq(1..=*chunks));
    let firsts: Vec<u32> = parts.iter().map(|part| part.first).collect();
    assert_eq!(firsts, (0..parts.len() as u32).map(|n| 250 * n + 1).collect::<Vec<_>>());
    let recorded: Vec<StatementEntry> = parts.iter().flat_map(|part| part.entries.clone()).collect();
    assert_eq!(recorded, reconcile(&usdc_day(), items, legs).unwrap().entries);
}

#[test]
fn a_statement_without_lines_is_held_against_the_log_all_the_same() {
    let events = given::<Statement>([]).when(command(import(vec![], vec![leg(1, "lost", 5, 3)]))).events();
    let Event::StatementImported(imported) = &events[0] else { panic!("the header is first") };
    assert_eq!((imported.items, imported.sums.get().difference.0), (0, -3));
    let nothing = given::<Statement>([]).when(command(import(vec![], vec![]))).events();
    assert_eq!(nothing.len(), 1, "no entries, no part");
}

#[test]
fn what_one_append_cannot_hold_is_refused() {
    let refused = |items, legs| given::<Statement>([]).when(command(import(items, legs))).refused(Rejection::TooLarge);
    refused((0..10_001).map(|n| item(n, &format!("tx{n}"), 1, 1)).collect(), vec![]);
    refused(vec![], (0..10_001).map(|n| leg(n, &format!("tx{n}"), 1, 1)).collect());
    refused((0..1_001).map(|n| item(n, "one", 1, 1)).collect(), vec![]);
    let whole = SignedMinor::new(9_007_199_254_740_991).unwrap();
    let most = |amount| Item { amount, ..item(2, "x", 1, 0) };
    let items: Vec<Item> = (0..2_000).map(|n| Item { reference: format!("tx{n}"), ..most(whole) }).collect();
    given::<Statement>([]).when(command(import(items, vec![]))).refused(Rejection::OutOfRange);
}

#[test]
fn a_scope_that_cannot_be_is_refused_by_its_field() {
    let field = |scope: Scope| scope.checked().unwrap_err().field;
    let asset = |code: &str, mint| StatementAsset { code: code.into(), decimals: 2, mint };
    assert_eq!(field(Scope { account: "acct_1".into(), ..usdc_day() }), "account");
    assert_eq!(field(Scope { asset: asset("USDC", None), ..usdc_day() }), "mint");
    assert_eq!(field(Scope { period_end: at(0), ..usdc_day() }), "to");
    let stripe = Scope { source: StatementSource::Stripe, account: "acct_1Ab".into(), asset: asset("usd", None), ..usdc_day() };
    assert!(stripe.clone().checked().is_ok());
    assert_eq!(field(Scope { account: WALLET.to_string(), ..stripe.clone() }), "account");
    assert_eq!(field(Scope { asset: asset("USD", None), ..stripe.clone() }), "asset");
    assert_eq!(field(Scope { asset: asset("usd", Some(MINT)), ..stripe }), "mint");
    let known = |source, code| statement::asset(source, code, MINT).map(|asset| (asset.decimals, asset.mint == Some(MINT)));
    assert_eq!(known(StatementSource::SolanaUsdc, "USDC"), Ok((6, true)));
    assert_eq!(known(StatementSource::SolanaUsdc, "SOL"), Ok((9, false)));
    assert_eq!(known(StatementSource::SolanaUsdc, "EURC").unwrap_err().field, "asset");
    assert_eq!((known(StatementSource::Stripe, "jpy"), known(StatementSource::Stripe, "usd")), (Ok((0, false)), Ok((2, false))));
}

/// Sums and counts of entries, from the entries alone.
fn sums_of(entries: &[StatementEntry]) -> Sums {
    let mut sums = Sums::default();
    for entry in entries {
        let statement: i64 = entry.items.iter().map(|item| item.amount.units()).sum();
        let ledger: i64 = entry.legs.iter().map(|leg| leg.amount.units() as i64).sum();
        let of = match entry.status {
            EntryStatus::Matched => &mut sums.matched,
            EntryStatus::Different => &mut sums.different,
            EntryStatus::StatementOnly => &mut sums.statement_only,
            EntryStatus::LedgerOnly => &mut sums.ledger_only,
        };
        of.entries += 1;
        of.statement = SignedTotal(of.statement.0 + statement);
        of.ledger = SignedTotal(of.ledger.0 + ledger);
        sums.statement_total.0 += statement;
        sums.ledger_total.0 += ledger;
    }
    sums.difference = SignedTotal(sums.statement_total.0 - sums.ledger_total.0);
    sums
}
