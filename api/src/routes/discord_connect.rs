//! Buyers who say through Discord who they are (RT-012, RT-013): out to Discord's consent page, and back with a handoff.
//!
//! The `state` that travels through Discord is sealed, names the flow's stream, and belongs to one browser by a cookie: a link that
//! someone else prepared identifies nobody. A flow is good for one handoff and ten minutes; its stream sees to that.

use crate::{
    http::{
        body::Params,
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{
        buyer::Identity,
        handoffs::{self, Issue},
        hosted::{self, Hosted},
    },
    state::{Settings, State},
};
use axum::{
    extract::State as Part,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use events::{
    clock::{Clock, new_id, random_bytes},
    log::{Context, Log},
    unit::{Loaded, Unit, load},
    vault::Vault,
    vocab::{
        id::HandoffId,
        stream::Actor,
        words::{ActorKind, HandoffSource, IdentityType},
    },
};
use ledger::handoff::{self, DISCORD_SECONDS, Handoff};
use rails::discord_oauth::{DiscordOAuth, OAuthError};
use serde::Deserialize;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// Purpose of the seal around `state`.
const PURPOSE: &str = "discord connect";

/// What Discord sends back.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Returned {
    /// Good for one exchange.
    code: Option<String>,
    /// What was sent along.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(callback)).routes(routes!(callback_of_product))
}

/// Send a buyer to Discord.
#[utoipa::path(
    get, path = "/v1/products/p/{slug}/discord-connect/start", tag = "checkout", operation_id = "start_discord_connect",
    params(("slug" = String, Path, description = "The product's public name")),
    responses(
        (status = 302, description = "To Discord's consent page"),
        (status = 404, description = "`product_not_found`", body = Problem),
        (status = 410, description = "`product_archived`", body = Problem),
        (status = 503, description = "`discord_connect_not_configured`", body = Problem),
    )
)]
async fn start(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    RequestId(request_id): RequestId,
    Segment(slug): Segment,
) -> Result<Response, Problem> {
    let discord = configured(&settings)?;
    let hosted = hosted::by_slug(&log, &slug).await?.selling()?;
    let (handoff_id, browser): (HandoffId, [u8; 16]) = (new_id(), random_bytes());
    let mut unit = Unit::new(&log, context(&hosted, handoff_id, &request_id));
    let mut handoff = unit.start::<Handoff>(handoffs::stream(handoff_id));
    let command = handoff::Command::Start { handoff_id, product_id: hosted.product.product_id, now: clock.now() };
    unit.decide(&mut handoff, command, None).map_err(|refused| rejection::decided(refused.code(), refused))?;
    unit.commit().await.map_err(rejection::append)?;
    let state = vault.seal_bytes(PURPOSE, &[], &[handoff_id.0.as_bytes().as_slice(), &browser].concat());
    let secure = if settings.public_api_url.starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!(
        "{}={}; Path=/v1; Max-Age={DISCORD_SECONDS}; HttpOnly; SameSite=Lax{secure}",
        cookie_name(handoff_id),
        URL_SAFE_NO_PAD.encode(browser),
    );
    let mut answer = redirect(&discord.authorize_url(&URL_SAFE_NO_PAD.encode(state)))?;
    answer.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(|_| Problem::of(Code::Internal))?);
    Ok(answer)
}

/// Where Discord sends the buyer back to. This is the redirect URI to register at Discord, one for all products.
#[utoipa::path(
    get, path = "/v1/discord-connect/callback", tag = "checkout", operation_id = "finish_discord_connect",
    params(Returned),
    responses(
        (status = 302, description = "To the checkout page, with a handoff; without one when the buyer refused"),
        (status = 410, description = "`handoff_expired`", body = Problem),
        (status = 422, description = "`invalid_handoff_token`: not a flow of this browser, or used before", body = Problem),
        (status = 503, description = "`discord_connect_not_configured`, `unavailable`", body = Problem),
    )
)]
async fn callback(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    RequestId(request_id): RequestId,
    headers: HeaderMap,
    Params(returned): Params<Returned>,
) -> Result<Response, Problem> {
    Flow { log: &log, vault: &vault, clock: &clock, settings: &settings }.finish(&headers, &returned, None, &request_id).await
}

/// The same, below a product: for an application that registered this address for the one product.
#[utoipa::path(
    get, path = "/v1/products/p/{slug}/discord-connect/callback", tag = "checkout", operation_id = "finish_discord_connect_of_product",
    params(("slug" = String, Path, description = "The product's public name"), Returned),
    responses(
        (status = 302, description = "To the checkout page, with a handoff; without one when the buyer refused"),
        (status = 404, description = "`product_not_found`", body = Problem),
        (status = 410, description = "`handoff_expired`", body = Problem),
        (status = 422, description = "`invalid_handoff_token`: not a flow of this browser and product, or used before", body = Problem),
        (status = 503, description = "`discord_connect_not_configured`, `unavailable`", body = Problem),
    )
)]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn callback_of_product(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    RequestId(request_id): RequestId,
    Segment(slug): Segment,
    headers: HeaderMap,
    Params(returned): Params<Returned>,
) -> Result<Response, Problem> {
    let hosted = hosted::by_slug(&log, &slug).await?;
    Flow { log: &log, vault: &vault, clock: &clock, settings: &settings }.finish(&headers, &returned, Some(&hosted), &request_id).await
}

struct Flow<'a> {
    log: &'a Log,
    vault: &'a Vault,
    clock: &'a Clock,
    settings: &'a Settings,
}

impl Flow<'_> {
    async fn finish(
        &self,
        headers: &HeaderMap,
        returned: &Returned,
        expected: Option<&Hosted>,
        request_id: &str,
    ) -> Result<Response, Problem> {
        let discord = configured(self.settings)?;
        let handoff_id = self.flow_of_this_browser(headers, returned.state.as_deref())?;
        let mut handoff = load::<Handoff>(self.log, handoffs::stream(handoff_id)).await.map_err(|error| rejection::read(&error))?;
        let hosted = self.product(&handoff, expected).await?;
        if returned.error.is_some() {
            return redirect(&format!("{}/p/{}?discord=refused", self.settings.public_web_url, hosted.product.slug));
        }
        let code = returned.code.as_deref().filter(|code| (1..=512).contains(&code.len()));
        let code = code.ok_or_else(|| Problem::field(Code::ValidationFailed, "code", "is required"))?;
        // A flow that is over is refused before its code is spent.
        self.still_open(&handoff)?;
        let user = discord.identify(code).await.map_err(|error| unidentified(&error))?;
        let identity = Identity { identity_type: IdentityType::DiscordUserId, value: user.id, display: Some(user.username) };
        let identity = Identity::parse(identity.identity_type.as_str(), &identity.value, identity.display.as_deref(), str::to_owned)?;
        let mut unit = Unit::new(self.log, context(&hosted, handoff_id, request_id));
        let issue = Issue {
            hosted: &hosted,
            identity: &identity,
            source: HandoffSource::Discord,
            minutes: handoff::DEFAULT_MINUTES,
            now: self.clock.now(),
        };
        let link = handoffs::issue(&mut unit, &mut handoff, self.vault, self.settings, issue).await?;
        unit.commit().await.map_err(|error| match events::unit::is_conflict(&error) {
            true => not_this_flow(),
            false => rejection::append(error),
        })?;
        redirect(&link.checkout_url)
    }

    fn flow_of_this_browser(&self, headers: &HeaderMap, state: Option<&str>) -> Result<HandoffId, Problem> {
        let state = state.filter(|state| state.len() <= 256).and_then(|state| URL_SAFE_NO_PAD.decode(state).ok());
        let opened = state.and_then(|state| self.vault.open_bytes(PURPOSE, &[], &state).ok()).ok_or_else(not_this_flow)?;
        let (handoff_id, browser) = opened.split_at_checked(16).ok_or_else(not_this_flow)?;
        let handoff_id = HandoffId(Uuid::from_slice(handoff_id).map_err(|_| not_this_flow())?);
        let held = cookie(headers, &cookie_name(handoff_id)).and_then(|value| URL_SAFE_NO_PAD.decode(value).ok()).unwrap_or_default();
        match bool::from(held.as_slice().ct_eq(browser)) {
            true => Ok(handoff_id),
            false => Err(not_this_flow()),
        }
    }

    async fn product(&self, handoff: &Loaded<Handoff>, expected: Option<&Hosted>) -> Result<Hosted, Problem> {
        let product_id = match &handoff.state {
            Handoff::Absent => return Err(not_this_flow()),
            Handoff::Started { started } => started.product_id,
            Handoff::Issued { issued, .. } => issued.product_id,
        };
        if expected.is_some_and(|expected| expected.product.product_id != product_id) {
            return Err(not_this_flow());
        }
        hosted::of_owner(self.log, handoff.owner_id.ok_or_else(not_this_flow)?, product_id).await
    }

    fn still_open(&self, handoff: &Loaded<Handoff>) -> Result<(), Problem> {
        match &handoff.state {
            Handoff::Started { started } if self.clock.now() < started.expires_at => Ok(()),
            Handoff::Started { .. } => Err(Problem::new(Code::HandoffExpired, "too much time has passed: start again")),
            Handoff::Absent | Handoff::Issued { .. } => Err(not_this_flow()),
        }
    }
}

fn configured(settings: &Settings) -> Result<&DiscordOAuth, Problem> {
    settings.discord_oauth.as_ref().ok_or_else(|| Problem::of(Code::DiscordConnectNotConfigured))
}

fn not_this_flow() -> Problem {
    Problem::field(Code::InvalidHandoffToken, "state", "is not of a flow that this browser started, or was used before")
        .next_action("Start again from the checkout page.")
}

fn unidentified(error: &OAuthError) -> Problem {
    match error {
        OAuthError::CodeRefused => Problem::field(Code::ValidationFailed, "code", "is not accepted by Discord"),
        OAuthError::Unavailable(why) => {
            tracing::warn!(why, "Discord could not identify a buyer");
            Problem::new(Code::Unavailable, "Discord cannot be asked now").retry_after(5)
        }
    }
}

/// One cookie a flow, so that two tabs do not end each other's.
fn cookie_name(handoff_id: HandoffId) -> String {
    format!("hilt_discord_{}", handoff_id.0.simple())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('=')).find(|(found, _)| *found == name).map(|pair| pair.1)
}

fn redirect(to: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(to).map_err(|_| Problem::of(Code::Internal))?;
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

fn context(hosted: &Hosted, handoff_id: HandoffId, request_id: &str) -> Context {
    Context {
        owner_id: Some(hosted.owner),
        livemode: hosted.loaded.livemode.unwrap_or(true),
        actor: Actor { kind: ActorKind::Public, id: None },
        request_id: Some(request_id.to_owned()),
        correlation_id: handoff_id.0,
    }
}
