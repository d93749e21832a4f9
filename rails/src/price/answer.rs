//! The two forms of answer that are understood, both Coinbase's and both with the price as a decimal string.

use super::PricingUnavailable;
use events::vocab::time::Timestamp;
use serde::Deserialize;

/// A price read from an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Price {
    /// Millionths of a US dollar for 1 SOL, rounded down; never zero.
    pub usd_micros: u64,
    /// When the source saw it, if the source says so.
    pub observed_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    /// `GET https://api.exchange.coinbase.com/products/SOL-USD/ticker`: the last trade and its time.
    Ticker { price: String, time: String },
    /// `GET https://api.coinbase.com/v2/prices/SOL-USD/spot`: names the pair, but no time.
    Spot { data: Spot },
}

#[derive(Deserialize)]
struct Spot {
    amount: String,
    base: String,
    currency: String,
}

pub(super) fn parse(body: &[u8]) -> Result<Price, PricingUnavailable> {
    let answer = serde_json::from_slice(body).map_err(|_| PricingUnavailable::Malformed("neither a ticker nor a spot price"))?;
    let (text, observed_at) = match answer {
        Answer::Ticker { price, time } => {
            let time = Timestamp::parse(&time).map_err(|_| PricingUnavailable::Malformed("time is not RFC 3339"))?;
            (price, Some(time))
        }
        Answer::Spot { data } if data.base == "SOL" && data.currency == "USD" => (data.amount, None),
        Answer::Spot { .. } => return Err(PricingUnavailable::Malformed("not the price of SOL in USD")),
    };
    let usd_micros =
        micros(&text).filter(|micros| *micros > 0).ok_or(PricingUnavailable::Malformed("the price is no decimal above zero"))?;
    Ok(Price { usd_micros, observed_at })
}

/// Millionths in a plain decimal such as `143.21`, without a sign or an exponent; what is smaller than a millionth is cut off.
fn micros(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(kept.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_becomes_millionths_without_a_float() {
        for (text, expected) in [
            ("143.21", 143_210_000),
            ("143", 143_000_000),
            ("0.000001", 1),
            ("0.0000019", 1),
            ("143.2100000000000000001", 143_210_000),
            ("18446744073709.551615", u64::MAX),
        ] {
            assert_eq!(micros(text), Some(expected), "{text}");
        }
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.2.3", "NaN", " 1", "١", "18446744073709.551616", "99999999999999999999"]
        {
            assert_eq!(micros(text), None, "{text}");
        }
    }

    #[test]
    fn both_of_coinbases_forms_are_read() {
        let ticker = br#"{"ask":"143.22","bid":"143.20","volume":"1","trade_id":8,"price":"143.21","size":"0.7","time":"2026-03-20T00:22:57.833897Z"}"#;
        let observed_at = Some(Timestamp::parse("2026-03-20T00:22:57.833897Z").unwrap());
        assert_eq!(parse(ticker), Ok(Price { usd_micros: 143_210_000, observed_at }));
        let spot = br#"{"data":{"amount":"143.215","base":"SOL","currency":"USD"}}"#;
        assert_eq!(parse(spot), Ok(Price { usd_micros: 143_215_000, observed_at: None }));
    }

    #[test]
    fn what_is_no_price_of_sol_in_dollars_is_refused() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"price":143.21,"time":"2026-03-20T00:22:57Z"}"#,
            r#"{"price":"143.21","time":"yesterday"}"#,
            r#"{"price":"0.0","time":"2026-03-20T00:22:57Z"}"#,
            r#"{"price":"0.0000001","time":"2026-03-20T00:22:57Z"}"#,
            r#"{"price":"143.21"}"#,
            r#"{"data":{"amount":"143.21","base":"ETH","currency":"USD"}}"#,
            r#"{"data":{"amount":"143.21","base":"SOL","currency":"EUR"}}"#,
            r#"{"message":"NotFound"}"#,
        ] {
            assert!(matches!(parse(body.as_bytes()), Err(PricingUnavailable::Malformed(_))), "{body}");
        }
    }
}
