//! In any world, the unmatched sums are the difference, and everything is listed once.

use super::*;
use crate::tests::histories::Dice;
use std::collections::BTreeSet;

/// Payments with and without a fee part, several in one transaction, around the ends of the period; and a statement of them with lines that
/// are missing, doubled, altered, foreign, or go the other way.
fn world(dice: &mut Dice) -> (Vec<Item>, Vec<Leg>) {
    let (mut items, mut legs) = (Vec::new(), Vec::new());
    let mut line = 1;
    let mut say = |items: &mut Vec<Item>, reference: &str, seconds: i64, amount: i64| {
        line += 1;
        items.push(item(line, reference, seconds, amount));
    };
    for n in 0..dice.below(30) {
        let reference = format!("tx{n}");
        let seconds = match dice.below(6) {
            0 => [-1, 0, DAY - 1, DAY][dice.below(4) as usize],
            _ => dice.below(DAY as u64) as i64,
        };
        let mut whole = 0;
        for payment in 0..=dice.below(2) {
            let amount = dice.below(1_000_000);
            let fee = if dice.one_in(3) { dice.below(amount + 1) } else { 0 };
            let of = u128::from(n * 10 + payment);
            legs.push(leg(of, &reference, seconds, amount - fee));
            if fee > 0 {
                legs.push(leg_of(of, &reference, seconds, fee, MovementRole::Fee));
            }
            whole += amount as i64;
        }
        let covered = usdc_day().covers(at(seconds));
        match dice.below(7) {
            0 => {}
            1 if covered => say(&mut items, &reference, seconds, whole + 1 + dice.below(50) as i64),
            2 if covered => (0..2).for_each(|_| say(&mut items, &reference, seconds, whole)),
            // The statement has another time than the log.
            3 => say(&mut items, &reference, dice.below(DAY as u64) as i64, whole),
            _ if covered => say(&mut items, &reference, seconds, whole),
            _ => {}
        }
    }
    for n in 0..dice.below(8) {
        let amount = dice.below(2_000_000) as i64 - 1_000_000;
        say(&mut items, &format!("foreign{n}"), dice.below(DAY as u64) as i64, amount);
    }
    (items, legs)
}

#[test]
fn unmatched_sums_are_the_difference_and_nothing_is_lost() {
    let mut seen = BTreeSet::new();
    for seed in 0..3_000 {
        let mut dice = Dice(seed);
        let (items, legs) = world(&mut dice);
        let found = reconcile(&usdc_day(), items.clone(), legs.clone()).unwrap();
        let sums = *found.sums.get();
        assert_eq!(sums, sums_of(&found.entries), "seed {seed}");
        let unmatched = sums.statement_only.statement.0 - sums.ledger_only.ledger.0;
        let differing = sums.different.statement.0 - sums.different.ledger.0;
        assert_eq!(sums.statement_total.0 - sums.ledger_total.0, unmatched + differing, "seed {seed}");
        assert_eq!(sums.statement_total.0, items.iter().map(|item| item.amount.units()).sum::<i64>(), "seed {seed}");

        let named: BTreeSet<&str> = items.iter().map(|item| item.reference.as_str()).collect();
        let in_scope = |leg: &&Leg| usdc_day().covers(leg.leg.at) || named.contains(leg.reference.as_str());
        let (listed_items, listed_legs) =
            found.entries.iter().fold((0, 0), |(items, legs), entry| (items + entry.items.len(), legs + entry.legs.len()));
        assert_eq!((listed_items, listed_legs), (items.len(), legs.iter().filter(in_scope).count()), "seed {seed}");
        let references: BTreeSet<&str> = found.entries.iter().map(|entry| entry.reference.as_str()).collect();
        assert_eq!(references.len(), found.entries.len(), "seed {seed}: each once");
        seen.extend(found.entries.iter().map(|entry| entry.status.as_str()));

        // The order in which either side comes changes nothing.
        let (mut items, mut legs) = (items, legs);
        items.reverse();
        legs.reverse();
        assert_eq!(reconcile(&usdc_day(), items, legs).unwrap(), found, "seed {seed}");
    }
    assert_eq!(seen.len(), 4, "every status came up: {seen:?}");
}
