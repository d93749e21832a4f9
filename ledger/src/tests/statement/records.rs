//! A statement on record is held against its file and against the log: whatever is altered in any of the three is found.

use super::*;
use crate::statement::{Mismatch, OnRecord};

fn file() -> String {
    let rows = [(1, 10, 5_000_000), (2, 20, -70), (2, 21, 12)].map(|(n, seconds, amount)| format!("{},{},{amount}\n", tx(n), at(seconds)));
    format!("id,at,amount_minor_units\n{}", rows.concat())
}
fn legs() -> Vec<Leg> {
    vec![leg(1, &tx(1).to_string(), 10, 5_000_000), leg(2, &tx(9).to_string(), 30, 8)]
}

fn on_record() -> Vec<Event> {
    let file = file();
    let items = usdc_day().read(StatementFormat::Csv, file.as_bytes()).unwrap();
    let import = Import { digest: Hash32::of(&file), bytes: file.len() as u64, ..import(items, legs()) };
    given::<Statement>([]).when(command(import)).events()
}

fn held(events: &[Event], legs: Vec<Leg>, file: &str) -> Result<(), Mismatch> {
    let on_record = OnRecord::of(events, true)?;
    on_record.hold(legs)?;
    on_record.hold_file(file.as_bytes())
}

#[test]
fn what_was_recorded_holds_and_so_does_its_file() {
    let events = on_record();
    assert_eq!(held(&events, legs(), &file()), Ok(()));
    let mut reversed = legs();
    reversed.reverse();
    assert_eq!(held(&events, reversed, &file()), Ok(()), "in whatever order the log gives it");
}

#[test]
fn another_file_another_log_and_every_altered_field_are_found() {
    let wrong = |events: &[Event], legs, file: &str| held(events, legs, file).unwrap_err().0;
    assert!(wrong(&on_record(), legs(), &file().replace("5000000", "5000001")).contains("SHA-256"));
    assert!(wrong(&on_record(), legs(), &format!("{} ", file())).contains("SHA-256"));
    let more = [legs(), vec![leg(3, &tx(8).to_string(), 40, 1)]].concat();
    assert!(wrong(&on_record(), more, &file()).contains("is not what the statement's lines and the log come to"));
    assert!(wrong(&on_record(), legs()[..1].to_vec(), &file()).contains("is not what"));

    let header: [fn(&mut StatementImported); 9] = [
        |header| header.digest.0[0] ^= 1,
        |header| header.account = wallet(4).to_string(),
        |header| header.bytes += 1,
        |header| header.items += 1,
        |header| header.chunks += 1,
        |header| header.period_start = at(15),
        |header| header.period_end = at(15),
        |header| header.format = StatementFormat::Json,
        |header| {
            // A total that adds up, and is not that of the entries.
            let mut sums = Sums::from(header.sums);
            (sums.statement_total.0, sums.ledger_total.0) = (sums.statement_total.0 + 1, sums.ledger_total.0 + 1);
            (sums.matched.statement.0, sums.matched.ledger.0) = (sums.matched.statement.0 + 1, sums.matched.ledger.0 + 1);
            header.sums = sums.try_into().unwrap();
        },
    ];
    for (n, spoil) in header.into_iter().enumerate() {
        let mut events = on_record();
        let Event::StatementImported(header) = &mut events[0] else { panic!("the header is first") };
        spoil(header);
        assert!(held(&events, legs(), &file()).is_err(), "header {n}");
    }
    let parts: [fn(&mut StatementEntriesRecorded); 11] = [
        |part| part.chunk += 1,
        |part| part.first += 1,
        |part| part.statement_id = id(1),
        |part| drop(part.entries.pop()),
        |part| part.entries.swap(0, 1),
        |part| part.entries[0].status = EntryStatus::Different,
        |part| part.entries[0].reference = tx(5).to_string(),
        |part| part.entries[0].at = at(11),
        |part| part.entries[0].items[0].amount = SignedMinor::new(4).unwrap(),
        |part| part.entries[0].items[0].line = 77,
        |part| part.entries[0].legs[0].payment_id = Some(id(9)),
    ];
    for (n, spoil) in parts.into_iter().enumerate() {
        let mut events = on_record();
        let Event::StatementEntriesRecorded(part) = &mut events[1] else { panic!("the entries follow") };
        spoil(part);
        assert!(held(&events, legs(), &file()).is_err(), "entries {n}");
    }
    assert!(OnRecord::of(&on_record()[1..], true).is_err() && OnRecord::of(&on_record()[..1], true).is_err());
    assert!(OnRecord::of(&on_record(), false).is_err(), "another mode is another statement");
}

#[test]
fn an_altered_line_is_found_although_the_sums_were_made_to_fit() {
    // Whoever could write the log wrote another amount, and everything that follows from it.
    let file = file();
    let mut items = usdc_day().read(StatementFormat::Csv, file.as_bytes()).unwrap();
    items[1].amount = SignedMinor::new(-71).unwrap();
    let import = Import { digest: Hash32::of(&file), bytes: file.len() as u64, ..import(items, legs()) };
    let events = given::<Statement>([]).when(command(import)).events();
    assert_eq!(OnRecord::of(&events, true).unwrap().hold(legs()), Ok(()));
    assert!(held(&events, legs(), &file).unwrap_err().0.contains("are not those of the file"));
}
