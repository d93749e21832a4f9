//! Amounts and times as statements write them, read exactly.

use events::vocab::{money::SignedMinor, time::Timestamp};

pub(super) const AMOUNT: &str = "is a decimal number such as -24.75: digits, a point, no more places than the asset has, no separators";
pub(super) const MINOR: &str = "is an integer in the asset's minor unit, from -9007199254740991 to 9007199254740991";
pub(super) const TIME: &str = "is a time: RFC 3339, YYYY-MM-DD HH:MM[:SS] in UTC, or seconds since 1970";
pub(super) const OUTSIDE: &str = "is outside of the statement's period";

/// A decimal number of whole units, in minor units of so many decimals. Never by way of a floating-point number.
pub(super) fn decimal(text: &str, decimals: u8) -> Option<SignedMinor> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let point_without_places = digits.contains('.') && fraction.is_empty();
    if whole.is_empty() || point_without_places || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let places = usize::from(decimals);
    let (kept, beyond) = fraction.split_at(fraction.len().min(places));
    // Zeros that say nothing do no harm.
    if beyond.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let units = format!("{whole}{kept:0<places$}").parse::<i64>().ok()?;
    SignedMinor::new(if negative { -units } else { units }).ok()
}

/// An integer in minor units.
pub(super) fn minor(text: &str) -> Option<SignedMinor> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<i64>().ok().filter(|_| is_integer).and_then(|units| SignedMinor::new(units).ok())
}

/// Seconds since 1970, within the years that times are written in.
pub(super) fn seconds(seconds: i64) -> Option<Timestamp> {
    // Up to the year 9999.
    (0..=253_402_300_799).contains(&seconds).then(|| Timestamp::from_micros(seconds * 1_000_000))
}

/// A time in one of the forms of [`TIME`].
pub(super) fn time(text: &str) -> Option<Timestamp> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().and_then(seconds);
    }
    if let Ok(at) = Timestamp::parse(text) {
        return Some(at);
    }
    let (date, clock) = text.split_once([' ', 'T'])?;
    match clock.len() {
        5 => Timestamp::parse(&format!("{date}T{clock}:00Z")).ok(),
        8 => Timestamp::parse(&format!("{date}T{clock}Z")).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        let units = |text, decimals| decimal(text, decimals).map(SignedMinor::units);
        for (text, decimals, expected) in [
            ("24.75", 6, 24_750_000),
            ("-24.750000", 6, -24_750_000),
            ("+0.000001", 6, 1),
            ("0", 2, 0),
            ("-0.00", 2, 0),
            ("9007199254.740991", 6, 9_007_199_254_740_991),
            // A number that no binary fraction holds.
            ("0.1", 1, 1),
            ("90071992547409.91", 2, 9_007_199_254_740_991),
            ("500", 0, 500),
            ("1.500", 1, 15),
            ("007.50", 2, 750),
        ] {
            assert_eq!(units(text, decimals), Some(expected), "{text}");
        }
        for (text, decimals) in [
            ("24.7500001", 6),
            ("1.5", 0),
            ("1,050.00", 2),
            ("1e3", 2),
            (".5", 2),
            ("5.", 2),
            ("", 2),
            ("-", 2),
            ("--1", 2),
            ("+-1", 2),
            ("1 000", 2),
            ("$5", 2),
            ("NaN", 2),
            ("９", 2),
            ("9007199254.740992", 6),
            ("99999999999999999999", 2),
        ] {
            assert_eq!(units(text, decimals), None, "{text}");
        }
    }

    #[test]
    fn integers_are_read_exactly_or_not_at_all() {
        let units = |text| minor(text).map(SignedMinor::units);
        assert_eq!((units("-24750000"), units("+1"), units("0")), (Some(-24_750_000), Some(1), Some(0)));
        for text in ["1.0", "", "-", "1e3", " 1", "9007199254740992", "-9007199254740992", "99999999999999999999"] {
            assert_eq!(units(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_in_the_forms_that_statements_have() {
        let at = Timestamp::parse("2026-11-27T08:05:00Z").unwrap();
        for text in ["2026-11-27T08:05:00Z", "2026-11-27 08:05", "2026-11-27 08:05:00", "2026-11-27T10:05:00+02:00"] {
            assert_eq!(time(text), Some(at), "{text}");
        }
        assert_eq!(time(&at.seconds().to_string()), Some(at));
        for text in ["", "27.11.2026", "2026-11-27", "2026-13-01 00:00", "11/27/2026 08:05", "-5", "1764230700.5", "99999999999999"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
