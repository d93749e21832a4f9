//! The checkout page. All of its text is here; the script shows one part of it after the other.

use super::{
    assets,
    layout::Page,
    offer::{Closed, Identity, Offer},
    text,
};
use axum::http::StatusCode;
use events::vocab::words::{IdentityType, ProductType};
use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

/// What a page is asked to pay, when it is a payment that exists already.
pub struct Existing {
    /// The payment.
    pub payment_id: String,
    /// Until when it can be paid.
    pub expires_at: String,
    /// Its Solana Pay link.
    pub link: String,
}

/// The page of an offer.
pub fn page(offer: &Offer, existing: Option<&Existing>, chain: &str) -> Page {
    let scripts = std::iter::once(assets::href("checkout.js")).chain(assets::checkout_modules()).collect();
    let by = offer.merchant.as_deref().map(|merchant| format!(" · {merchant}")).unwrap_or_default();
    Page {
        status: StatusCode::OK,
        title: format!("{}{by}", offer.title),
        accent: offer.accent,
        scripts,
        picture: offer.picture.clone(),
        summary: offer.description.clone(),
        indexed: existing.is_none(),
        body: html! {
            a .skip href="#pay" { "Skip to payment" }
            main #checkout .checkout data-config=(config(offer, existing, chain)) {
                (about(offer))
                section #pay .pay aria-label="Payment" tabindex="-1" {
                    @match offer.closed { Some(closed) => (nothing_to_pay(closed)), None => (steps(offer)) }
                }
            }
        },
    }
}

/// What the script needs to know; it asks for nothing else before the buyer does something.
fn config(offer: &Offer, existing: Option<&Existing>, chain: &str) -> Value {
    json!({
        "slug": offer.slug,
        "chain": chain,
        "symbol": offer.symbol,
        "decimals": offer.decimals,
        "amount": (offer.kind != ProductType::TipJar).then(|| offer.amount.units()),
        "identity": offer.identity.as_ref().map(|identity| json!({
            "type": identity.kind.as_str(), "label": identity.label, "required": identity.required,
        })),
        "successLabel": offer.success_label,
        "payment": existing.map(|payment| json!({ "payment_id": payment.payment_id, "expires_at": payment.expires_at, "link": payment.link,
        })),
    })
}

fn about(offer: &Offer) -> Markup {
    html! {
        section .about aria-labelledby="title" {
            @if offer.merchant.is_some() || offer.logo.is_some() {
                p .seller {
                    @if let Some(logo) = &offer.logo { img .logo src=(logo) alt="" width="32" height="32"; }
                    @if let Some(merchant) = &offer.merchant { span { (merchant) } }
                }
            }
            @if let Some(picture) = &offer.picture { img .picture src=(picture) alt=""; }
            h1 #title { (offer.title) }
            @if let Some(description) = &offer.description { p .description { (description) } }
            @match offer.kind {
                ProductType::TipJar => p .price { span .price-amount { "Your choice" } span .price-unit { "in " (offer.symbol) } },
                ProductType::PaymentLink => (price(offer)),
            }
            (breakdown(offer))
        }
    }
}

fn price(offer: &Offer) -> Markup {
    html! {
        p .price {
            span .price-amount { (text::amount(offer.amount, offer.decimals)) }
            " "
            span .price-unit { (offer.symbol) @if let Some(days) = offer.days { (period(days)) } }
        }
        @if let Some((worth, at)) = &offer.worth {
            p .fine { "About " (worth) " at the price of " time datetime=(at) { (at.in_words()) } "." }
        }
        @if let Some(place) = &offer.place { p .place { "Opens " strong { (place) } } }
        @if offer.days.is_some() { p .fine { "Not renewed by itself: nothing is charged again unless you pay again." } }
    }
}

fn period(days: u32) -> String {
    match days {
        1 => " for 1 day".to_owned(),
        7 => " for 1 week".to_owned(),
        365 | 366 => " for 1 year".to_owned(),
        days => format!(" for {days} days"),
    }
}

fn breakdown(offer: &Offer) -> Markup {
    let amount = |minor| format!("{} {}", text::amount(minor, offer.decimals), offer.symbol);
    html! {
        details .breakdown {
            summary { "What you pay, and to whom" }
            dl {
                @if offer.kind == ProductType::PaymentLink {
                    div { dt { "To the seller" } dd data-show="merchant" { (amount(offer.split.merchant)) } }
                    div { dt { "Hilt’s fee, included" } dd data-show="fee" { (amount(offer.split.fee)) } }
                    div .total { dt { "Total" } dd data-show="total" { (amount(offer.amount)) } }
                }
                div { dt { "Seller’s wallet" } dd { code title=(offer.merchant_wallet) { (text::short(&offer.merchant_wallet.to_string())) } } }
                div { dt { "Network" } dd { "Solana" } }
                @if let Some(mint) = &offer.mint {
                    div { dt { (offer.symbol) " token" } dd { code title=(mint) { (text::short(&mint.to_string())) } } }
                }
                div { dt { "Network fee" } dd { "Shown by your wallet, in SOL" } }
            }
        }
    }
}

fn steps(offer: &Offer) -> Markup {
    html! {
        noscript { (without_script(offer)) }
        div .panels #panels hidden {
            p #status .visually-hidden role="status" aria-live="polite" {}
            div #alert .alert role="alert" hidden {
                p .alert-title #alert-title {}
                p #alert-text {}
            }
            section .panel #panel-start hidden {
                h2 tabindex="-1" { @if offer.kind == ProductType::TipJar { "Give" } @else { "Pay" } }
                @if offer.kind == ProductType::TipJar { (tips(offer)) }
                (identity_step(offer.identity.as_ref()))
                (wallet_step())
                (phone_step(offer))
            }
            (working())
            (qr(offer))
            (done(offer))
            (stopped())
        }
    }
}

fn tips(offer: &Offer) -> Markup {
    html! {
        fieldset .tips {
            legend { "How much?" }
            @if !offer.presets.is_empty() {
                div .presets {
                    @for preset in &offer.presets {
                        label .preset {
                            input type="radio" name="tip" value=(preset.units());
                            span { (text::amount(*preset, offer.decimals)) " " (offer.symbol) }
                        }
                    }
                }
            }
            label .field for="tip-own" { @if offer.presets.is_empty() { "Amount" } @else { "Or another amount" } }
            div .with-unit {
                input #tip-own type="text" inputmode="decimal" autocomplete="off" placeholder="0.00" aria-describedby="tip-hint";
                span aria-hidden="true" { (offer.symbol) }
            }
            p #tip-hint .fine { "In " (offer.symbol) ", with at most " (offer.decimals) " decimals." }
        }
    }
}

fn identity_step(identity: Option<&Identity>) -> Markup {
    html! {
        div .identity {
            div #identity-known hidden {
                p .label { (identity.map_or("Paying as", |identity| &identity.label)) }
                p .chip { span #identity-display {} button #identity-change .link type="button" { "Change" } }
            }
            @if let Some(identity) = identity { (identity_ask(identity)) }
        }
    }
}

fn identity_ask(identity: &Identity) -> Markup {
    html! {
        div #identity-ask {
            @if let (IdentityType::DiscordUserId, Some(url)) = (identity.kind, &identity.discord_url) {
                a .button .quiet href=(url) rel="noopener" { "Continue with Discord" }
                p .or { "or" }
            }
            @if let (IdentityType::TelegramUserId, Some(bot)) = (identity.kind, &identity.telegram_bot) {
                a .button .quiet href={ "https://t.me/" (bot) } rel="noopener noreferrer" { "Continue with Telegram" }
                p .or { "or" }
            }
            label .field for="identity" { (identity.label) @if !identity.required { " (optional)" } }
            input #identity type="text" maxlength="128" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="identity-hint";
        }
        p #identity-hint .fine {
            @if identity.required { "Access is given to this name. Your wallet signs it before you pay; signing costs nothing." }
            @else { "So that the seller knows whose payment this is." }
        }
    }
}

fn wallet_step() -> Markup {
    html! {
        div #wallet-none {
            p .label { "Pay with a wallet in this browser" }
            ul #wallets .wallets {}
            p #wallets-empty .fine hidden { "No Solana wallet was found in this browser." }
        }
        div #wallet-connected hidden {
            p .label { "Paying from" }
            p .chip {
                img #wallet-icon alt="" width="20" height="20";
                span #wallet-name {}
                code #wallet-address {}
                button #wallet-disconnect .link type="button" { "Change" }
            }
            button #pay-button .button type="button" {}
        }
    }
}

fn phone_step(offer: &Offer) -> Markup {
    let signs = offer.identity.as_ref().is_some_and(|identity| identity.required);
    html! {
        div .phone {
            @if !signs { p .or { "or" } }
            a #open-phantom .button .quiet href="https://phantom.app/" rel="noopener noreferrer" hidden { "Open in Phantom" }
            @if signs {
                details .elsewhere {
                    summary { "Go on with your phone" }
                    p .fine { "Your wallet signs your name before you pay, so a payment code alone is not enough. Scan this to open the page there." }
                    div .qr { img #page-code src={ "/pages/qr/checkout/" (offer.slug) ".svg" } alt="QR code of this page’s address" width="200" height="200" loading="lazy"; }
                }
            } @else {
                button #show-qr .button .quiet type="button" { "Pay by QR code" }
            }
        }
    }
}

fn working() -> Markup {
    let step = |name: &str, text: &str| html! { li data-step=(name) { span .dot aria-hidden="true" {} span { (text) } } };
    html! {
        section .panel #panel-working hidden {
            h2 #working-title tabindex="-1" { "Paying" }
            ol .progress {
                (step("prepare", "Prepare the payment"))
                (step("identity", "Sign your name in the wallet"))
                (step("approve", "Approve in the wallet"))
                (step("send", "Send to Solana"))
                (step("final", "Wait until it is final"))
            }
            p #working-text .note {}
            a #working-next .button rel="noopener noreferrer" hidden {}
            p .fine #working-tx hidden { "Transaction " code {} }
            p .fine data-countdown hidden {}
            button #working-cancel .link type="button" { "Cancel" }
        }
    }
}

fn qr(offer: &Offer) -> Markup {
    html! {
        section .panel #panel-qr hidden {
            h2 tabindex="-1" { "Scan to pay" }
            p .note { "Scan with a wallet that knows Solana Pay. It shows " strong #qr-amount { (offer.symbol) } " before you approve." }
            div .qr { img #qr-code alt="QR code of this payment for a Solana Pay wallet" width="264" height="264"; }
            a #qr-link .button .quiet href="https://solanapay.com/" { "Open in a wallet on this device" }
            p .waiting { span .spinner aria-hidden="true" {} span { "Waiting for your payment" } }
            p .fine data-countdown hidden {}
            button #qr-back .link type="button" { "Pay another way" }
        }
    }
}

fn done(offer: &Offer) -> Markup {
    html! {
        section .panel .done #panel-done hidden {
            (mark())
            h2 tabindex="-1" { @if offer.kind == ProductType::TipJar { "Thank you" } @else { "Paid" } }
            p #done-text .note {}
            a #delivery-link .button rel="noopener noreferrer" hidden { (offer.success_label) }
            div #delivery-text hidden {
                p .label { "What you bought" }
                p .chip { code {} button #delivery-copy .link type="button" { "Copy" } }
            }
            p #delivery-note .note hidden {}
            dl .facts {
                div #done-until hidden { dt { "Access until" } dd {} }
                div #done-amount hidden { dt { "Paid" } dd {} }
                div #done-tx hidden { dt { "Transaction" } dd { code {} } }
            }
            a #receipt-link .button .quiet hidden { "View receipt" }
        }
    }
}

fn stopped() -> Markup {
    html! {
        section .panel #panel-stopped hidden {
            h2 #stopped-title tabindex="-1" {}
            p #stopped-text .note {}
            p .fine #stopped-tx hidden { "Transaction " code {} }
            button #stopped-again .button type="button" { "Start again" }
        }
    }
}

fn nothing_to_pay(closed: Closed) -> Markup {
    let (title, why) = match closed {
        Closed::SoldOut => ("Sold out", "All places are taken. Nothing can be paid here now."),
        Closed::Stopped => ("Payments are stopped", "Nothing can be paid here for now. Please come back later."),
        Closed::Ended => ("This payment is closed", "Nothing is to be paid here any more. Please ask the seller."),
    };
    html! {
        h2 { (title) }
        p .note { (why) }
    }
}

fn without_script(offer: &Offer) -> Markup {
    let price = match offer.kind {
        ProductType::TipJar => format!("an amount of your choice in {}", offer.symbol),
        ProductType::PaymentLink => format!("{} {}", text::amount(offer.amount, offer.decimals), offer.symbol),
    };
    html! {
        div .alert {
            p .alert-title { "JavaScript is switched off" }
            p { "This costs " (price) ", paid on Solana. To pay, switch JavaScript on for this page and load it again, or open its address in \
                 the browser of your wallet app." }
            p { "Do not send money to the seller’s wallet by hand: without this page’s payment code it cannot be matched to you." }
        }
    }
}

/// A tick in a circle.
fn mark() -> Markup {
    PreEscaped(
        r#"<svg class="mark" viewBox="0 0 48 48" width="56" height="56" aria-hidden="true"><circle cx="24" cy="24" r="22"/><path d="M15 24.5l6.5 6.5L34 18"/></svg>"#
            .to_owned(),
    )
}
