//! Places of a product: every hosted payment claims one, so that a cap holds however many buyers come at once.

/// Numbers that places have: of a product without a cap any of them, drawn at random.
const NUMBERS: u64 = 1 << 32;

/// A free place of a product that may have `max` payments, chosen by `draw` so that buyers who come at once seldom want the same;
/// `None` when it is sold out. `taken` are the numbers that open and paid payments hold, in any order.
///
/// A cap may be set or lowered when places are taken already, some with numbers beyond it. Those count too: numbers are given out
/// below `bound` only, which is the largest for which `bound` and what is taken from there on come to `max` at most. Whoever saw
/// the product a moment earlier used such a bound as well, so that together they stay below `max`.
pub fn free_place(max: Option<u32>, taken: &[u32], draw: u64) -> Option<u32> {
    let Some(max) = max else { return u32::try_from(draw % NUMBERS).ok() };
    let mut taken = taken.to_vec();
    taken.sort_unstable();
    let beyond = |bound: u32| u32::try_from(taken.len() - taken.partition_point(|number| *number < bound)).unwrap_or(u32::MAX);
    let mut bound = max;
    loop {
        match max.saturating_sub(beyond(bound)) {
            lower if lower < bound => bound = lower,
            _ => break,
        }
    }
    let below: Vec<u32> = taken.into_iter().take_while(|number| *number < bound).collect();
    let free = u64::from(bound).checked_sub(u64::try_from(below.len()).ok()?)?;
    let mut number = u32::try_from(draw.checked_rem(free)?).ok()?;
    for held in below {
        if held <= number {
            number += 1;
        }
    }
    Some(number)
}
