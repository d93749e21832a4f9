//! Money: integers in an asset's minor unit, checked, never floating point (MON-1).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// An amount in an asset's minor unit (USDC: 10⁻⁶), at most 2⁵³ − 1 so that JSON is exact everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Default)]
#[serde(try_from = "u64", into = "u64")]
pub struct Minor(u64);

/// An amount above 2⁵³ − 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an amount is an integer from 0 to 9007199254740991")]
pub struct AmountOutOfRange;

impl Minor {
    /// 2⁵³ − 1.
    pub const MAX: Minor = Minor(9_007_199_254_740_991);
    /// Nothing.
    pub const ZERO: Minor = Minor(0);

    /// The amount, if it is in range.
    pub const fn new(units: u64) -> Result<Self, AmountOutOfRange> {
        if units <= Self::MAX.0 { Ok(Minor(units)) } else { Err(AmountOutOfRange) }
    }
    /// The integer itself.
    pub const fn units(self) -> u64 {
        self.0
    }
    /// Sum, or `None` out of range.
    pub fn checked_add(self, other: Minor) -> Option<Minor> {
        self.0.checked_add(other.0).and_then(|sum| Minor::new(sum).ok())
    }
    /// Difference, or `None` below zero.
    pub fn checked_sub(self, other: Minor) -> Option<Minor> {
        self.0.checked_sub(other.0).map(Minor)
    }
}

impl TryFrom<u64> for Minor {
    type Error = AmountOutOfRange;
    fn try_from(units: u64) -> Result<Self, AmountOutOfRange> {
        Minor::new(units)
    }
}
impl From<Minor> for u64 {
    fn from(amount: Minor) -> u64 {
        amount.0
    }
}
impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A sum of amounts, which may be larger than any one of them: an integer in MessagePack, its decimal digits in JSON, where larger
/// integers than 2⁵³ − 1 are not exact everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Total(pub u64);

impl Total {
    /// The sum with one amount more, or `None` beyond 64 bits.
    pub fn checked_add(self, amount: Minor) -> Option<Total> {
        self.0.checked_add(amount.0).map(Total)
    }
}
impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_u64(self.0) }
    }
}
impl<'de> Deserialize<'de> for Total {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return u64::deserialize(deserializer).map(Total);
        }
        let text = String::deserialize(deserializer)?;
        let total: Option<u64> = text.parse().ok().filter(|total: &u64| total.to_string() == text);
        total.map(Total).ok_or_else(|| D::Error::custom("a sum is its decimal digits"))
    }
}

/// A signed amount in an asset's minor unit, as a statement has it: from −(2⁵³ − 1) to 2⁵³ − 1, so that JSON is exact everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Default)]
#[serde(try_from = "i64", into = "i64")]
pub struct SignedMinor(i64);

/// An amount that is further from zero than 2⁵³ − 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an amount is an integer from -9007199254740991 to 9007199254740991")]
pub struct SignedOutOfRange;

impl SignedMinor {
    /// The amount, if it is in range.
    pub const fn new(units: i64) -> Result<Self, SignedOutOfRange> {
        if units.unsigned_abs() <= Minor::MAX.0 { Ok(SignedMinor(units)) } else { Err(SignedOutOfRange) }
    }
    /// The integer itself.
    pub const fn units(self) -> i64 {
        self.0
    }
}
impl TryFrom<i64> for SignedMinor {
    type Error = SignedOutOfRange;
    fn try_from(units: i64) -> Result<Self, SignedOutOfRange> {
        SignedMinor::new(units)
    }
}
impl From<SignedMinor> for i64 {
    fn from(amount: SignedMinor) -> i64 {
        amount.0
    }
}
impl fmt::Display for SignedMinor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A sum of signed amounts: an integer in MessagePack, its decimal digits in JSON, as with [`Total`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SignedTotal(pub i64);

impl SignedTotal {
    /// The sum with one amount more, or `None` beyond 64 bits.
    pub fn checked_add(self, units: i64) -> Option<SignedTotal> {
        self.0.checked_add(units).map(SignedTotal)
    }
    /// The difference, or `None` beyond 64 bits.
    pub fn checked_sub(self, other: SignedTotal) -> Option<SignedTotal> {
        self.0.checked_sub(other.0).map(SignedTotal)
    }
}
impl fmt::Display for SignedTotal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl Serialize for SignedTotal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}
impl<'de> Deserialize<'de> for SignedTotal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(SignedTotal);
        }
        let text = String::deserialize(deserializer)?;
        let total: Option<i64> = text.parse().ok().filter(|total: &i64| total.to_string() == text);
        total.map(SignedTotal).ok_or_else(|| D::Error::custom("a sum is its decimal digits, with a minus below zero"))
    }
}

/// Decimals of a currency's minor unit, as Stripe counts them; `currency` is ISO 4217 in lower case.
pub fn currency_decimals(currency: &str) -> u8 {
    match currency {
        "bif" | "clp" | "djf" | "gnf" | "jpy" | "kmf" | "krw" | "mga" | "pyg" | "rwf" | "vnd" | "vuv" | "xaf" | "xof" | "xpf" => 0,
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => 3,
        _ => 2,
    }
}

/// A fee rate in basis points, 0 to 10,000 (MON-13).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct FeeBps(u16);

impl FeeBps {
    /// The rate, if it is at most 100 %.
    pub const fn new(bps: u16) -> Option<Self> {
        if bps <= 10_000 { Some(FeeBps(bps)) } else { None }
    }
    /// Basis points.
    pub const fn get(self) -> u16 {
        self.0
    }
    /// `gross` divided into the merchant's part and the fee: fee = floor(gross × bps / 10000), merchant = gross − fee,
    /// so rounding favours the merchant and the parts sum to the whole (MON-14, MON-16, INV-38).
    pub fn split(self, gross: Minor) -> Split {
        // 2⁵³ × 10⁴ needs 67 bits.
        let fee = u128::from(gross.0) * u128::from(self.0) / 10_000;
        let fee = u64::try_from(fee).map_or(gross.0, |fee| fee.min(gross.0));
        Split { merchant: Minor(gross.0 - fee), fee: Minor(fee) }
    }
}

impl TryFrom<u16> for FeeBps {
    type Error = AmountOutOfRange;
    fn try_from(bps: u16) -> Result<Self, AmountOutOfRange> {
        FeeBps::new(bps).ok_or(AmountOutOfRange)
    }
}
impl From<FeeBps> for u16 {
    fn from(bps: FeeBps) -> u16 {
        bps.0
    }
}

/// A gross amount's two parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Split {
    /// What the merchant receives.
    pub merchant: Minor,
    /// Hilt's fee.
    pub fee: Minor,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_examples_of_mon_14() {
        for (gross, bps, fee) in [
            (200_000, 10, 200),
            (25_000_000, 100, 250_000),
            (25_000_000, 70, 175_000),
            (25_000_000, 45, 112_500),
            (1000, 45, 4),
            (1, 10, 0),
        ] {
            let split = FeeBps::new(bps).unwrap().split(Minor::new(gross).unwrap());
            assert_eq!((split.fee.units(), split.merchant.units()), (fee, gross - fee), "{gross} at {bps}");
        }
    }

    #[test]
    fn the_parts_sum_to_the_whole_at_every_extreme() {
        for gross in [0, 1, 9_999, 10_000, 10_001, Minor::MAX.units()] {
            for bps in [0, 1, 45, 9_999, 10_000] {
                let gross = Minor::new(gross).unwrap();
                let split = FeeBps::new(bps).unwrap().split(gross);
                assert_eq!(split.merchant.checked_add(split.fee), Some(gross));
            }
        }
    }

    #[test]
    fn a_sum_is_digits_in_json_and_an_integer_in_messagepack() {
        let total = Total(Minor::MAX.units()).checked_add(Minor::MAX).unwrap();
        assert_eq!(serde_json::to_string(&total).unwrap(), "\"18014398509481982\"");
        assert_eq!(serde_json::from_str::<Total>("\"18014398509481982\"").unwrap(), total);
        assert!(serde_json::from_str::<Total>("\"018\"").is_err() && serde_json::from_str::<Total>("18").is_err());
        assert_eq!(rmp_serde::from_slice::<Total>(&rmp_serde::to_vec_named(&total).unwrap()).unwrap(), total);
        assert_eq!(Total(u64::MAX).checked_add(Minor::new(1).unwrap()), None);
    }

    #[test]
    fn signed_amounts_and_their_sums_are_exact_on_both_sides_of_zero() {
        let least = SignedMinor::new(-9_007_199_254_740_991).unwrap();
        assert!(SignedMinor::new(-9_007_199_254_740_992).is_err() && SignedMinor::new(i64::MIN).is_err());
        assert_eq!(serde_json::to_string(&least).unwrap(), "-9007199254740991");
        let total = SignedTotal(least.units()).checked_add(least.units()).unwrap();
        assert_eq!(serde_json::to_string(&total).unwrap(), "\"-18014398509481982\"");
        assert_eq!(serde_json::from_str::<SignedTotal>("\"-18014398509481982\"").unwrap(), total);
        assert!(serde_json::from_str::<SignedTotal>("\"+1\"").is_err() && serde_json::from_str::<SignedTotal>("\"-0\"").is_err());
        assert_eq!(rmp_serde::from_slice::<SignedTotal>(&rmp_serde::to_vec_named(&total).unwrap()).unwrap(), total);
        assert_eq!(SignedTotal(i64::MAX).checked_add(1), None);
        assert_eq!(SignedTotal(i64::MIN).checked_sub(SignedTotal(1)), None);
    }

    #[test]
    fn an_amount_beyond_json_is_refused() {
        assert!(Minor::new(9_007_199_254_740_992).is_err());
        assert!(serde_json::from_str::<Minor>("9007199254740992").is_err());
    }
}
