//! `GET /p/{slug}`: the checkout page of a product, or of one access payment session of it (`?session=`).

use super::{
    checkout_view::{self, Existing},
    notice,
    offer::{Closed, Identity, Offer},
    text,
};
use crate::{
    http::{
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    services::{
        hosted::{self, Hosted},
        open_checkout, workspace,
    },
    state::State,
};
use axum::{
    extract::{Query, State as Part},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use events::{
    unit::load,
    vocab::{
        event::{Asset, ProductCreated},
        id::SessionId,
        money::Minor,
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::{payment::Payment, payment_session::PaymentSession};
use projections::products;
use rails::solana::programs::NATIVE_MINT;
use serde::Deserialize;

/// What the address may carry. A handoff token is for the script alone.
#[derive(Deserialize)]
pub struct Asked {
    session: Option<String>,
}

/// The page, or why there is none.
pub async fn serve(Part(state): Part<State>, headers: HeaderMap, Query(asked): Query<Asked>, slug: Segment) -> Response {
    match page(&state, &slug.0, &asked).await {
        Ok(page) => page,
        Err(problem) => notice::problem(&headers, problem),
    }
}

async fn page(state: &State, slug: &str, asked: &Asked) -> Result<Response, Problem> {
    let mut offer = offer(state, slug, asked.session.is_some()).await?;
    let running = payable(state).await?;
    let stopped = (!running).then_some(Closed::Stopped);
    let existing = match &asked.session {
        Some(id) => {
            let (existing, session, payment) = session(state, &offer, id).await?;
            // Whoever has sent a transaction is shown what becomes of it.
            if let Payment::PendingSignature { .. } = payment {
                let ended = matches!(session, PaymentSession::Failed { .. }).then_some(Closed::Ended);
                offer.closed = offer.closed.or(ended).or(stopped);
            }
            Some(existing)
        }
        None => {
            offer.closed = offer.closed.or(stopped);
            None
        }
    };
    let chain = wallet_standard_chain(&state.settings.solana_network);
    Ok(checkout_view::page(&offer, existing.as_ref(), chain).into_response())
}

/// Whether the rail that hosted checkouts settle on takes payments.
async fn payable(state: &State) -> Result<bool, Problem> {
    let rails = state.platform.shown().await.map_err(|error| rejection::read(&error))?;
    Ok(open_checkout::running(&rails).is_ok())
}

/// The chain as Wallet Standard names it.
fn wallet_standard_chain(network: &str) -> &'static str {
    match network {
        "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp" => "solana:mainnet",
        "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1" => "solana:devnet",
        "solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z" => "solana:testnet",
        _ => "solana:localnet",
    }
}

/// What is for sale there. By the claim on the slug and by streams, so that a product just created has its page at once. The product
/// behind an access product is paid for by session, never by its slug alone.
async fn offer(state: &State, slug: &str, by_session: bool) -> Result<Offer, Problem> {
    let hosted = match by_session {
        true => hosted::any_by_slug(&state.log, slug).await?,
        false => hosted::by_slug(&state.log, slug).await?,
    };
    let Hosted { owner, product: facts, .. } = hosted.selling()?;
    let profile = workspace::stored_profile(&state.log, &state.vault, owner).await?.unwrap_or_default();
    let rate = if by_session { state.settings.access_fee_bps } else { state.settings.workspace_fee_bps };
    let (worth, sold_out) = (worth(state, facts.amount, &facts.asset).await, sold_out(state, &facts).await?);
    let (branding, membership) = (facts.branding, facts.membership.filter(|membership| membership.enabled));
    let accent = branding.accent_hex.or(profile.accent_hex);
    let discord_url = format!("{}/v1/products/p/{}/discord-connect/start", state.settings.public_api_url, facts.slug);
    Ok(Offer {
        kind: facts.product_type,
        title: facts.title,
        description: facts.description,
        picture: branding.hero_image_url.or(facts.image_url),
        amount: facts.amount,
        split: rate.split(facts.amount),
        decimals: facts.asset.decimals,
        mint: (facts.asset.mint != NATIVE_MINT).then_some(facts.asset.mint),
        symbol: facts.asset.symbol,
        merchant_wallet: facts.merchant_wallet,
        worth,
        presets: facts.tip_presets,
        merchant: branding.merchant_name.or(profile.merchant_name),
        logo: branding.logo_url.or(profile.logo_url),
        accent: accent.and_then(|hex| hex.parse().ok()).unwrap_or_default(),
        success_label: branding.success_button_label.unwrap_or_else(|| "Get access".to_owned()),
        days: membership.as_ref().map(|membership| membership.terms.billing_interval_days),
        place: membership.as_ref().and_then(|membership| membership.platform_target_label.clone()),
        // Who pays for a session is known to whoever made it.
        identity: membership.filter(|_| !by_session).and_then(|membership| {
            Some(Identity {
                kind: membership.identity_type?,
                label: membership.identity_label.unwrap_or_else(|| "Your name".to_owned()),
                required: membership.identity_required,
                telegram_bot: state.settings.telegram_bot_username.clone(),
                discord_url: state.settings.discord_oauth.is_some().then_some(discord_url),
            })
        }),
        closed: sold_out.then_some(Closed::SoldOut),
        product_id: facts.product_id,
        slug: facts.slug,
    })
}

/// Whether as many have paid as may. Payments that are under way may still fail, so only paid ones count here; whoever begins one too
/// many is told so then.
async fn sold_out(state: &State, facts: &ProductCreated) -> Result<bool, Problem> {
    let Some(max) = facts.max_payments else { return Ok(false) };
    let row = products::find_by_slug(&state.reader, &facts.slug).await.map_err(rejection::query)?;
    Ok(row.is_some_and(|row| row.payment_count >= u64::from(max)))
}

/// What SOL is worth now. A page without it is better than no page: what must be paid does not hang on it.
async fn worth(state: &State, amount: Minor, asset: &Asset) -> Option<(String, Timestamp)> {
    if asset.mint != NATIVE_MINT || amount == Minor::ZERO {
        return None;
    }
    let quote = state.prices.quote(state.clock.now()).await.ok()?;
    Some((text::dollars(amount, asset.decimals, quote.usd_micros_per_unit)?, quote.observed_at))
}

/// The payment of an access payment session of this product.
async fn session(state: &State, offer: &Offer, id: &str) -> Result<(Existing, PaymentSession, Payment), Problem> {
    let missing = || Problem::of(Code::PaymentSessionNotFound);
    let id: SessionId = id.parse().map_err(|_| missing())?;
    let session = load::<PaymentSession>(&state.log, StreamId::new(Category::PaymentSession, id)).await;
    let session = session.map_err(|error| rejection::read(&error))?.state;
    let facts = &session.open().ok_or_else(missing)?.session;
    if facts.product_id != offer.product_id {
        return Err(missing());
    }
    let payment = load::<Payment>(&state.log, StreamId::new(Category::Payment, facts.payment_id)).await;
    let payment = payment.map_err(|error| rejection::read(&error))?.state;
    let existing = Existing {
        payment_id: facts.payment_id.to_string(),
        expires_at: facts.expires_at.to_string(),
        link: state.settings.solana_pay_url(facts.payment_id),
    };
    Ok((existing, session, payment))
}
