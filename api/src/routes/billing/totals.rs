//! What a merchant was paid in all, in USDC (MON-9). Integers, and no number where none is known.

use events::vocab::{bytes::SolanaAddress, event::PriceQuote};
use projections::payments::Sales;
use rails::solana::programs::NATIVE_MINT;
use serde::Serialize;
use utoipa::ToSchema;

/// What buyers paid, worth in USDC at the price shown, in its minor unit; rounded down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct UsdcEquivalent {
    gross_amount_minor_units: u64,
    /// The merchant's part of it.
    merchant_amount_minor_units: u64,
    /// Hilt's part of it.
    fee_minor_units: u64,
}

/// Lamports in one SOL.
const LAMPORTS: u128 = 1_000_000_000;

impl UsdcEquivalent {
    /// All of `sales`, with SOL at `price`; `None` if any of it cannot be told.
    pub fn of(sales: &[Sales], usdc: SolanaAddress, price: &PriceQuote) -> Option<Self> {
        sales.iter().try_fold(UsdcEquivalent::default(), |sum, sales| {
            let worth = |units: u64| match sales.asset_mint {
                mint if mint == usdc => Some(units),
                NATIVE_MINT => u64::try_from(u128::from(units).checked_mul(price.usd_micros_per_unit.into())? / LAMPORTS).ok(),
                _ => None,
            };
            let (gross, fee) = (worth(sales.gross)?, worth(sales.fee)?);
            Some(UsdcEquivalent {
                gross_amount_minor_units: sum.gross_amount_minor_units.checked_add(gross)?,
                // What is rounded off falls to neither, so that the two parts make the whole.
                merchant_amount_minor_units: sum.merchant_amount_minor_units.checked_add(gross.checked_sub(fee)?)?,
                fee_minor_units: sum.fee_minor_units.checked_add(fee)?,
            })
        })
    }
}

/// Dollars as exact decimal text.
pub fn dollars(price: &PriceQuote) -> String {
    let micros = price.usd_micros_per_unit;
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::vocab::time::Timestamp;

    const USDC: SolanaAddress = SolanaAddress([7; 32]);

    fn price(usd_micros_per_unit: u64) -> PriceQuote {
        PriceQuote { usd_micros_per_unit, source: "test".into(), observed_at: Timestamp::from_micros(0) }
    }

    fn sales(asset_mint: SolanaAddress, gross: u64, fee: u64) -> Sales {
        Sales { asset_symbol: String::new(), asset_decimals: 0, asset_mint, confirmed_count: 1, gross, merchant: gross - fee, fee }
    }

    #[test]
    fn sums_are_exact_and_rounded_down_once_an_asset() {
        let all = [sales(USDC, 200_000, 200), sales(NATIVE_MINT, 1_500_000_001, 1_500_000)];
        let worth = UsdcEquivalent::of(&all, USDC, &price(143_210_000)).unwrap();
        let gross = 200_000 + 214_815_000;
        let fee = 200 + 214_815;
        assert_eq!((worth.gross_amount_minor_units, worth.fee_minor_units), (gross, fee));
        assert_eq!(worth.merchant_amount_minor_units, gross - fee);
        assert_eq!(UsdcEquivalent::of(&[], USDC, &price(1)), Some(UsdcEquivalent::default()));
    }

    #[test]
    fn what_cannot_be_told_is_no_number() {
        assert_eq!(UsdcEquivalent::of(&[sales(SolanaAddress([9; 32]), 1, 0)], USDC, &price(1)), None);
        assert_eq!(UsdcEquivalent::of(&[sales(NATIVE_MINT, u64::MAX, 0)], USDC, &price(u64::MAX)), None);
        assert_eq!(UsdcEquivalent::of(&[sales(USDC, u64::MAX, 0), sales(USDC, 1, 0)], USDC, &price(1)), None);
    }

    #[test]
    fn a_price_is_exact_text() {
        for (micros, text) in [(143_210_000, "143.210000"), (1, "0.000001"), (u64::MAX, "18446744073709.551615")] {
            assert_eq!(dollars(&price(micros)), text);
        }
    }
}
