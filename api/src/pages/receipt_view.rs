//! The receipt page.

use super::{accent::Colour, assets, layout::Page, text};
use axum::http::StatusCode;
use events::vocab::{money::Minor, time::Timestamp};
use maud::{Markup, html};
use serde_json::Value;

/// A receipt and what was found when it was checked just now.
pub struct Shown {
    /// Its id.
    pub receipt_id: String,
    /// The signed bytes: RFC 8785 JSON.
    pub signed: String,
    /// The same, parsed.
    pub json: Value,
    /// SHA-256, as issued, hex.
    pub hash: String,
    /// Ed25519, as issued, base64.
    pub signature: String,
    /// Which published key signed.
    pub kid: String,
    /// Whether the bytes have that hash.
    pub hash_valid: bool,
    /// Whether that key signed the bytes.
    pub signature_valid: bool,
    /// When this was checked.
    pub checked_at: Timestamp,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Whether Hilt saw the transaction on chain, or the merchant says that it happened.
    pub chain_verified: bool,
    /// Who sold.
    pub merchant: Option<String>,
    /// What was sold.
    pub product: Option<String>,
    /// The seller's colour.
    pub accent: Colour,
    /// What the merchant added: invoice number, buyer's name, billing reference.
    pub invoice: Vec<(&'static str, String)>,
    /// The same answers for programs.
    pub verify_url: String,
}

/// The page of a receipt.
pub fn page(shown: &Shown) -> Page {
    Page {
        status: StatusCode::OK,
        title: format!("Receipt {}", text::short(&shown.receipt_id)),
        accent: shown.accent,
        scripts: vec![assets::href("receipt.js"), assets::href("bytes.js")],
        picture: None,
        summary: None,
        // It names wallets and amounts: whoever has the link may read it, and nobody else should find it.
        indexed: false,
        body: html! {
            main #receipt .receipt data-kid=(shown.kid) data-hash=(shown.hash) data-signature=(shown.signature) {
                p .seller {
                    @if let Some(merchant) = &shown.merchant { span { (merchant) } }
                    span .kind { "Receipt" }
                }
                h1 { (amount(&shown.json)) }
                @if let Some(product) = &shown.product { p .description { (product) } }
                (verdict(shown))
                (facts(shown))
                (checks(shown))
                (technical(shown))
            }
        },
    }
}

/// What was paid; the mint's minor units where the receipt does not say what they are.
fn amount(json: &Value) -> String {
    let units = json["transaction"]["amount_raw"].as_u64().and_then(|units| Minor::new(units).ok());
    let payment = &json["payment"];
    let asset = payment["asset_decimals"].as_u64().and_then(|decimals| u8::try_from(decimals).ok()).zip(payment["asset_symbol"].as_str());
    match (units, asset) {
        (Some(units), Some((decimals, symbol))) => format!("{} {symbol}", text::amount(units, decimals)),
        (Some(units), None) => format!("{units} minor units"),
        (None, _) => "Receipt".to_owned(),
    }
}

fn verdict(shown: &Shown) -> Markup {
    let valid = shown.hash_valid && shown.signature_valid;
    html! {
        div .verdict .is-valid[valid] .is-broken[!valid] {
            @if valid {
                p .verdict-title { "Genuine and unchanged" }
                p { "Its fingerprint and Hilt’s signature were checked just now." }
                @if !shown.chain_verified {
                    p { "The seller made this receipt by hand. Hilt signed what the seller stated and did not check the transaction on the chain." }
                }
            } @else {
                p .verdict-title { "Do not trust this receipt" }
                @if !shown.hash_valid { p { "Its content is not what was issued." } }
                @if !shown.signature_valid { p { "Its signature is not Hilt’s." } }
            }
            p .fine { "Checked by the server on " time datetime=(shown.checked_at) { (shown.checked_at.in_words()) } }
        }
    }
}

fn facts(shown: &Shown) -> Markup {
    let json = &shown.json;
    let at = |path: &str| json.pointer(path).and_then(Value::as_str);
    let network = at("/rail/network").map(network);
    html! {
        dl .facts {
            div { dt { "Issued" } dd { time datetime=(shown.issued_at) { (shown.issued_at.in_words()) } } }
            @for (label, value) in [("Paid by", at("/wallet")), ("Paid to", at("/counterparty_wallet")), ("Transaction", at("/transaction/tx_sig"))] {
                @if let Some(value) = value { div { dt { (label) } dd { code .code { (value) } } } }
            }
            @if let Some(network) = network { div { dt { "Network" } dd { (network) } } }
            @for (label, value) in &shown.invoice { div { dt { (label) } dd { (value) } } }
        }
    }
}

fn network(caip2: &str) -> String {
    match caip2 {
        "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp" => "Solana".to_owned(),
        "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1" => "Solana devnet (test money)".to_owned(),
        other => other.to_owned(),
    }
}

fn checks(shown: &Shown) -> Markup {
    html! {
        section .checks aria-labelledby="checks" {
            h2 #checks { "Check it yourself" }
            p .note { "This page can check the receipt again in your browser, with Hilt’s published key and nothing of the server’s verdict." }
            button #check .button type="button" hidden { "Verify in this browser" }
            noscript { p .fine { "Switch JavaScript on to use it, or use the tools below." } }
            ul #check-results .results hidden {}
            p #check-status .note role="status" aria-live="polite" {}
            div .qr { img src={ "/pages/qr/receipt/" (shown.receipt_id) ".svg" } alt="QR code of this page’s address" width="148" height="148"; }
        }
    }
}

fn technical(shown: &Shown) -> Markup {
    let commands = format!(
        "# 1. the signed bytes, without a newline at the end\n\
         curl -s {url} > receipt.answer.json   # hash_valid, signature_valid, key\n\
         # 2. their fingerprint: copy the text under “Signed content” into receipt.json\n\
         sha256sum receipt.json\n\
         # 3. the signature, with the key named {kid} of /.well-known/jwks.json as key.pem\n\
         echo '{signature}' | base64 -d > receipt.sig\n\
         openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in receipt.json -sigfile receipt.sig\n",
        url = shown.verify_url,
        kid = shown.kid,
        signature = shown.signature,
    );
    let proof = format!("/v1/receipt/{}/proof", shown.receipt_id);
    html! {
        details .technical {
            summary { "Fingerprint, signature and signed content" }
            dl .facts {
                div { dt { "Receipt" } dd { code .code { (shown.receipt_id) } } }
                div { dt { "SHA-256" } dd { code .code { (shown.hash) } } }
                div { dt { "Ed25519 signature" } dd { code .code { (shown.signature) } } }
                div { dt { "Proof of its place in Hilt’s log" } dd {
                    a href=(proof) { "C2SP tlog-proof" } ", "
                    a href={ (proof) "?format=cose" } { "COSE Receipt" } " or "
                    a href={ (proof) "?format=json" } { "everything by name" }
                } }
                div { dt { "Key" } dd { code .code { (shown.kid) } " of " a href="/.well-known/jwks.json" { "the published keys" } } }
            }
            h3 { "Signed content" }
            pre #signed tabindex="0" aria-label="Signed content" { (shown.signed) }
            h3 { "With other tools" }
            pre tabindex="0" aria-label="Commands" { (commands) }
        }
    }
}
