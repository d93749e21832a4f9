//! What a receipt's document says, from the receipt, the notes for its invoice, the product and the merchant's profile.

use crate::{
    http::{
        problem::{Code, Problem},
        rejection,
    },
    pdf::{Colour, Sheet},
    services::workspace,
    state::Settings,
};
use events::{
    log::Log,
    vault::Vault,
    vocab::{
        id::{OwnerId, ReceiptId},
        words::ReceiptSource,
    },
};
use ledger::workspace::Profile;
use projections::{
    Reader, products,
    receipts::{self, Receipt},
};
use serde_json::Value;

/// The document of an owner's receipt; another owner's is not found.
pub async fn of(reader: &Reader, log: &Log, vault: &Vault, settings: &Settings, owner: OwnerId, id: ReceiptId) -> Result<Sheet, Problem> {
    let receipt = receipts::find(reader, owner, id).await.map_err(rejection::query)?;
    let receipt = receipt.ok_or_else(|| Problem::of(Code::ReceiptNotFound))?;
    let product = match receipt.product_id {
        Some(product) => products::find(reader, owner, product).await.map_err(rejection::query)?.map(|product| product.title),
        None => None,
    };
    let profile = workspace::stored_profile(log, vault, owner).await?.unwrap_or_default();
    let json: Value = serde_json::from_str(&receipt.receipt_json).map_err(|error| Problem::internal(&error, "show a receipt"))?;
    Ok(sheet(&receipt, &json, product, profile, settings))
}

fn sheet(receipt: &Receipt, json: &Value, product: Option<String>, profile: Profile, settings: &Settings) -> Sheet {
    let id = ReceiptId(receipt.meta.id);
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let number = |pointer: &str| json.pointer(pointer).and_then(Value::as_u64);
    let mint = text("/transaction/token_mint").unwrap_or_default();
    let asset = Asset::of(json, &mint, settings);
    let made_by_hand = receipt.source == ReceiptSource::MerchantSubmitted;
    let merchant = profile.merchant_name.clone().or_else(|| profile.legal_name.clone());
    let issued = receipt.issued_at.datetime();
    let (year, month, day) = (issued.year(), issued.month(), issued.day());
    let (hour, minute, second) = (issued.hour(), issued.minute(), issued.second());
    let mut parts = Vec::new();
    if let (Some(net), Some(fee)) = (number("/payment/merchant_amount_minor_units"), number("/payment/hilt_fee_minor_units")) {
        let rate = number("/payment/fee_bps").map(|bps| format!(" ({}.{:02} %)", bps / 100, bps % 100)).unwrap_or_default();
        parts = vec![("To the merchant".into(), asset.amount(net)), (format!("Hilt fee{rate}"), asset.amount(fee))];
    }
    let filled = |rows: Vec<(&str, Option<String>)>| -> Vec<(String, String)> {
        rows.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?))).collect()
    };
    let network = text("/rail/network").map(|network| named(&network));
    Sheet {
        merchant: merchant.unwrap_or_else(|| "Payment receipt".into()),
        merchant_lines: merchant_lines(&profile),
        accent: profile.accent_hex.as_deref().and_then(colour),
        invoice_number: receipt.invoice_number.clone(),
        buyer_lines: [receipt.buyer_name.clone(), receipt.billing_reference.as_ref().map(|text| format!("Reference {text}"))]
            .into_iter()
            .flatten()
            .collect(),
        item: product.unwrap_or_else(|| if made_by_hand { "Transfer".into() } else { "Purchase".into() }),
        item_note: text("/product/product_id").map(|product| format!("Product {product}")),
        parts,
        total: asset.amount(receipt.amount.units()),
        issued: format!("Issued {day} {month} {year}, {hour:02}:{minute:02}:{second:02} UTC"),
        issued_at: (u16::try_from(year).unwrap_or(0), u8::from(month), day, hour, minute, second),
        chain: filled(vec![
            ("Network", network),
            ("Transaction", Some(receipt.tx_signature.to_string())),
            ("From wallet", Some(receipt.wallet.to_string())),
            ("To wallet", text("/counterparty_wallet")),
            ("Asset", Some(asset.named(&mint))),
            ("Memo", text("/transaction/memo")),
            ("Slot", text("/rail/slot")),
        ]),
        source: statement(receipt).into(),
        proof: filled(vec![
            ("Receipt", Some(id.to_string())),
            ("SHA-256", Some(receipt.receipt_hash.to_string())),
            ("Ed25519 signature", Some(receipt.ed25519_sig.to_string())),
            ("Key id", Some(receipt.kid.clone())),
            ("Log proof", Some(settings.proof_url(id))),
        ]),
        page_url: format!("{}/r/{id}", settings.public_web_url),
        offline: format!(
            "Without that page: take receipt_json from {api}/v1/receipt/{id}/public, write it in its RFC 8785 form, compare the SHA-256 of \
             these bytes with the one above, and check the Ed25519 signature over the same bytes with the key of that id from \
             {api}/.well-known/jwks.json.",
            api = settings.public_api_url,
        ),
        receipt_id: id.to_string(),
    }
}

fn statement(receipt: &Receipt) -> &'static str {
    match (receipt.source, receipt.chain_verified) {
        (ReceiptSource::Checkout, _) => "Made by a checkout: Hilt saw this transaction final on chain, with these amounts.",
        (ReceiptSource::MerchantSubmitted, true) => "Submitted by the merchant: Hilt saw this transaction final on chain, as described.",
        (ReceiptSource::MerchantSubmitted, false) => "Submitted by the merchant: Hilt has not seen this transaction on chain.",
    }
}

fn merchant_lines(profile: &Profile) -> Vec<String> {
    let legal = profile.legal_name.clone();
    let tax = profile.tax_id.as_ref().map(|id| format!("Tax id {id}"));
    let rest = [tax, profile.support_email.clone(), profile.website.clone()];
    let lines = legal.into_iter().chain(profile.address_lines.iter().cloned()).chain(rest.into_iter().flatten());
    lines.filter(|line| !line.trim().is_empty()).collect()
}

fn colour(hex: &str) -> Option<Colour> {
    let mut colour = [0; 3];
    hex::decode_to_slice(hex.strip_prefix('#')?, &mut colour).ok().map(|()| colour)
}

fn named(network: &str) -> String {
    match network {
        "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp" => format!("Solana ({network})"),
        "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1" => format!("Solana devnet ({network})"),
        other => other.to_owned(),
    }
}

/// What an amount is in: a symbol and its decimals, where they are known.
struct Asset {
    known: Option<(String, u32)>,
}

impl Asset {
    fn of(json: &Value, mint: &str, settings: &Settings) -> Self {
        let symbol = json.pointer("/payment/asset_symbol").and_then(Value::as_str);
        let decimals = json.pointer("/payment/asset_decimals").and_then(Value::as_u64).and_then(|decimals| u32::try_from(decimals).ok());
        let known = match (symbol, decimals) {
            (Some(symbol), Some(decimals)) => Some((symbol.to_owned(), decimals)),
            _ if mint == settings.usdc_mint.to_string() => Some(("USDC".into(), 6)),
            _ if mint == rails::solana::programs::NATIVE_MINT.to_string() => Some(("SOL".into(), 9)),
            _ => None,
        };
        Asset { known }
    }

    /// Integers only: nothing is rounded.
    fn amount(&self, units: u64) -> String {
        let Some((symbol, decimals)) = &self.known else { return format!("{units} minor units") };
        let Some(whole) = 10_u64.checked_pow(*decimals) else { return format!("{units} minor units of {symbol}") };
        let places = usize::try_from(*decimals).unwrap_or(0);
        let fraction = format!("{:0places$}", units % whole);
        // At least two places, as prices are written, and no zeros beyond them.
        let kept = fraction.trim_end_matches('0').len().max(2).min(places);
        match kept {
            0 => format!("{} {symbol}", units / whole),
            kept => format!("{}.{} {symbol}", units / whole, &fraction[..kept]),
        }
    }

    fn named(&self, mint: &str) -> String {
        match &self.known {
            Some((symbol, _)) if symbol == "SOL" => "SOL".into(),
            Some((symbol, _)) => format!("{symbol}, mint {mint}"),
            None => format!("mint {mint}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_exactly() {
        let asset = |decimals| Asset { known: Some(("X".into(), decimals)) };
        for (decimals, units, text) in [
            (6, 25_000_000, "25.00 X"),
            (6, 24_975_000, "24.975 X"),
            (6, 1, "0.000001 X"),
            (6, 9_007_199_254_740_991, "9007199254.740991 X"),
            (9, 1_500_000_000, "1.50 X"),
            (1, 15, "1.5 X"),
            (0, 7, "7 X"),
        ] {
            assert_eq!(asset(decimals).amount(units), text);
        }
        assert_eq!(Asset { known: None }.amount(7), "7 minor units");
    }

    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!(colour("#1F5cB2"), Some([31, 92, 178]));
        assert_eq!([colour("1f5cb2"), colour("#1f5"), colour("#zzzzzz")], [None, None, None]);
    }
}
