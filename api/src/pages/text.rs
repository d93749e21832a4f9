//! Amounts and long codes, as people read them.

use events::vocab::money::Minor;

/// An amount with its decimals: at least two, and no zeros beyond them.
pub fn amount(minor: Minor, decimals: u8) -> String {
    let digits = format!("{:0>width$}", minor.units(), width = usize::from(decimals) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    let kept = fraction.trim_end_matches('0');
    let shown = &fraction[..kept.len().max(2).min(fraction.len())];
    let whole = grouped(whole);
    if shown.is_empty() { whole } else { format!("{whole}.{shown}") }
}

/// `1,234,567`.
fn grouped(whole: &str) -> String {
    let mut text = String::with_capacity(whole.len() * 4 / 3);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What `minor` of an asset is worth in US dollars, to the cent, rounded half up.
pub fn dollars(minor: Minor, decimals: u8, usd_micros_per_unit: u64) -> Option<String> {
    let unit = 10_u128.checked_pow(u32::from(decimals))?;
    // Cents are ten thousand millionths.
    let divisor = unit.checked_mul(10_000)?;
    let cents = u128::from(minor.units()).checked_mul(u128::from(usd_micros_per_unit))?.checked_add(divisor / 2)? / divisor;
    Some(format!("${}.{:02}", grouped(&(cents / 100).to_string()), cents % 100))
}

/// The beginning and the end of a wallet or a signature.
pub fn short(code: &str) -> String {
    match (code.get(..6), code.len().checked_sub(6).and_then(|at| code.get(at..))) {
        (Some(head), Some(tail)) if code.len() > 16 => format!("{head}…{tail}"),
        _ => code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let amount = |units, decimals| amount(Minor::new(units).unwrap(), decimals);
        assert_eq!(amount(29_000_000, 6), "29.00");
        assert_eq!(amount(199_800, 6), "0.1998");
        assert_eq!(amount(1, 9), "0.000000001");
        assert_eq!(amount(1_500_000_000, 9), "1.50");
        assert_eq!(amount(0, 6), "0.00");
        assert_eq!(amount(9_007_199_254_740_991, 6), "9,007,199,254.740991");
        assert_eq!(amount(1234, 0), "1,234");
        assert_eq!(amount(15, 1), "1.5");
    }

    #[test]
    fn dollars_are_rounded_to_the_cent() {
        let dollars = |units, price| dollars(Minor::new(units).unwrap(), 9, price).unwrap();
        assert_eq!(dollars(1_000_000_000, 143_215_000), "$143.22");
        assert_eq!(dollars(10_000_000, 143_210_000), "$1.43");
        assert_eq!(dollars(9_007_199_254_740_991, 1_000_000), "$9,007,199.25");
    }

    #[test]
    fn long_codes_keep_their_ends() {
        assert_eq!(short("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"), "EPjFWd…yTDt1v");
        assert_eq!(short("short"), "short");
        assert_eq!(short("ééééééééééééééééé"), "ééé…ééé");
    }
}
