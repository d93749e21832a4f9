//! `POST /v1/access/webhooks` (RT-069).

use super::WebhookView;
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        problem::{Code, FieldError, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::context,
    state::{Settings, State},
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::{Clock, new_id},
    log::Log,
    unit::Unit,
    vault::Vault,
    vocab::{
        id::EndpointId,
        stream::{Category, StreamId},
        words::WebhookEvent,
    },
};
use ledger::{
    access_product::AccessProduct,
    product::Product,
    webhook_endpoint::{Command, Create, Rejection, WebhookEndpoint},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use workers::webhooks::{
    address::{BadTarget, Targets},
    sign::{self, Secret},
};

/// Products that one endpoint may name.
const MOST_PRODUCTS: usize = 100;
/// The longest label, in characters.
const LONGEST_LABEL: usize = 200;

/// A webhook endpoint to register.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateWebhook {
    /// Your own words for it.
    #[schema(example = "Pro AI API access sync")]
    pub label: Option<String>,
    /// Where messages go: https, without credentials and fragment, on the public Internet. A sandbox endpoint may use http.
    #[schema(example = "https://api.example.com/hilt/webhook")]
    pub url: String,
    /// `payment.confirmed`, `receipt.created`, `membership.activated`, `membership.expired`, `delivery.failed`.
    #[schema(example = json!(["payment.confirmed", "receipt.created", "membership.activated", "membership.expired"]))]
    pub subscribed_events: Vec<String>,
    /// Access products or hosted products to be told of; none means all.
    #[serde(default)]
    pub product_ids: Vec<String>,
}

/// A new webhook endpoint, with its signing secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreatedWebhook {
    /// The endpoint.
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// Verifies messages, as Standard Webhooks says. Shown once: a repeated request gets `null` here.
    #[schema(required, value_type = Option<String>, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub signing_secret: String,
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_webhook))
}

/// Register a webhook endpoint.
///
/// Messages are signed as Standard Webhooks says (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`) and retried for
/// about four days. Refuse what is not signed. A live credential registers an endpoint for real money, a sandbox key one for the
/// sandbox.
#[utoipa::path(
    post, path = "/v1/access/webhooks", tag = "access", operation_id = "create_webhook",
    params(("Idempotency-Key" = String, Header, description = "Unique to this operation, 1 to 255 visible ASCII characters")),
    request_body = CreateWebhook,
    responses(
        (status = 201, description = "The endpoint, with its signing secret", body = CreatedWebhook),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`", body = Problem),
        (status = 409, description = "`idempotency_in_progress`", body = Problem),
        (status = 422, description = "`validation_failed`, `unknown_event`, `invalid_webhook_url`, `idempotency_key_reused`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn create_webhook(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<CreateWebhook>,
) -> Result<Response, Problem> {
    let livemode = merchant.livemode();
    let targets = Targets { allow_private: settings.webhook_allow_private };
    targets.parse(&body.url, livemode).map_err(|bad| url_problem(&bad))?;
    let subscribed_events = subscribed(&body.subscribed_events)?;
    let product_ids = products(&log, &merchant, &body.product_ids).await?;
    let label = label(body.label)?;
    let (endpoint_id, secret): (EndpointId, Secret) = (new_id(), Secret::generate());
    let operation = Operation { owner: merchant.owner, name: "POST /v1/access/webhooks".into(), key: Some(key), request_hash: hash };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, livemode, &request_id));
            let mut endpoint = unit.start::<WebhookEndpoint>(StreamId::new(Category::WebhookEndpoint, endpoint_id));
            let create = Create {
                endpoint_id,
                label: label.clone(),
                url: body.url.clone(),
                subscribed_events: subscribed_events.clone(),
                product_ids: product_ids.clone(),
                secret_hash: secret.hash(),
                https_only: livemode && !targets.allow_private,
            };
            unit.decide(&mut endpoint, Command::Create(Box::new(create)), None).map_err(|refused| refused_problem(&refused))?;
            // Before the event: whoever sees the endpoint finds its secret. Without the event the secret is nobody's.
            let kept = vault.put_secret(endpoint_id.0, sign::PURPOSE, secret.reveal().as_bytes()).await;
            kept.map_err(|error| rejection::read(&error))?;
            let webhook = WebhookView::of(&endpoint.state, livemode, clock.now()).ok_or_else(|| Problem::of(Code::Internal))?;
            let answer = Answer::created(CreatedWebhook { webhook, signing_secret: secret.reveal() })?;
            Ok(Draft { unit, answer: answer.once(&["/signing_secret"]).stamped() })
        })
        .await
}

/// The merchant's own words, if there are any.
pub(super) fn label(label: Option<String>) -> Result<Option<String>, Problem> {
    let label = label.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
    match &label {
        Some(label) if label.chars().count() > LONGEST_LABEL => {
            Err(Problem::field(Code::ValidationFailed, "label", format!("is at most {LONGEST_LABEL} characters")))
        }
        _ => Ok(label),
    }
}

pub(super) fn url_problem(bad: &BadTarget) -> Problem {
    Problem::field(Code::InvalidWebhookUrl, "url", bad.to_string())
}

/// A refused command, with the field that it is about.
pub(super) fn refused_problem(refused: &Rejection) -> Problem {
    match refused {
        Rejection::InvalidUrl { rule } => Problem::field(Code::InvalidWebhookUrl, "url", *rule),
        Rejection::SubscribedEventsRequired => Problem::field(Code::ValidationFailed, "subscribed_events", "names at least one event"),
        Rejection::NotFound => Problem::of(Code::WebhookNotFound),
        Rejection::OutOfRange { field, rule } => Problem::field(Code::ValidationFailed, *field, *rule),
        Rejection::Disabled => Problem::of(Code::WebhookDisabled)
            .next_action("Resume the endpoint if it was disabled for failing; register another if you deleted it."),
        Rejection::Paused => Problem::of(Code::WebhookPaused).next_action("Resume the endpoint."),
        Rejection::AlreadyExists | Rejection::ReasonRequired => rejection::decided(refused.code(), refused),
    }
}

/// The events of these names. Nobody subscribes to tests.
pub(super) fn subscribed(names: &[String]) -> Result<Vec<WebhookEvent>, Problem> {
    let parse = |(index, name): (usize, &String)| {
        known(name).map_err(|rule| FieldError { field: format!("subscribed_events[{index}]"), message: rule.to_string() })
    };
    let (known, unknown): (Vec<_>, Vec<_>) = names.iter().enumerate().map(parse).partition(Result::is_ok);
    let errors: Vec<FieldError> = unknown.into_iter().filter_map(Result::err).collect();
    match errors.is_empty() {
        true if known.is_empty() => Err(Problem::field(Code::ValidationFailed, "subscribed_events", "names at least one event")),
        true => Ok(known.into_iter().flatten().collect()),
        false => Err(Problem { errors, ..Problem::new(Code::UnknownEvent, "subscribed_events names an event that there is not") }),
    }
}

/// The event of that name, if one can be subscribed to.
pub(in crate::routes) fn known(name: &str) -> Result<WebhookEvent, String> {
    let event = name.parse::<WebhookEvent>().map_err(|rule| rule.to_string())?;
    if event == WebhookEvent::Test { Err("a test is asked for, not subscribed to".to_owned()) } else { Ok(event) }
}

/// Products that are the merchant's, in the same mode: one that is not would silence the endpoint without a word.
pub(super) async fn products(log: &Log, merchant: &Merchant, ids: &[String]) -> Result<Vec<Uuid>, Problem> {
    if ids.len() > MOST_PRODUCTS {
        return Err(Problem::field(Code::ValidationFailed, "product_ids", format!("names at most {MOST_PRODUCTS} products")));
    }
    let mut found = Vec::with_capacity(ids.len());
    for (index, text) in ids.iter().enumerate() {
        let not_yours = || Problem::field(Code::ValidationFailed, format!("product_ids[{index}]"), "is not one of your products");
        let id: Uuid = text.parse().map_err(|_| not_yours())?;
        match owns(log, merchant, id).await? {
            true => found.push(id),
            false => return Err(not_yours()),
        }
    }
    Ok(found)
}

async fn owns(log: &Log, merchant: &Merchant, id: Uuid) -> Result<bool, Problem> {
    let mine = |owner, livemode| owner == Some(merchant.owner) && livemode == Some(merchant.livemode());
    let access = events::unit::load::<AccessProduct>(log, StreamId::new(Category::AccessProduct, id)).await;
    let access = access.map_err(|error| rejection::read(&error))?;
    if !access.is_new() {
        return Ok(mine(access.owner_id, access.livemode));
    }
    let hosted = events::unit::load::<Product>(log, StreamId::new(Category::Product, id)).await;
    let hosted = hosted.map_err(|error| rejection::read(&error))?;
    Ok(mine(hosted.owner_id, hosted.livemode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_event_is_named_by_its_place() {
        let names = ["payment.confirmed".to_owned(), "payment.imagined".to_owned()];
        let problem = subscribed(&names).unwrap_err();
        assert_eq!((problem.code, problem.status), ("unknown_event", 422));
        assert_eq!(problem.errors[0].field, "subscribed_events[1]");
        assert_eq!(subscribed(&names[..1]).unwrap(), [WebhookEvent::PaymentConfirmed]);
        assert_eq!(subscribed(&[]).unwrap_err().code, "validation_failed");
    }
}
