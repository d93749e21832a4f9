//! `GET /v1/access/events` (RT-070): what an owner was told or should have been, in order, from the log.

use super::webhooks::known;
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::in_range,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    log::Log,
    unit,
    vocab::{
        id::{AccessProductId, ProductId},
        stream::{Category, StreamId},
    },
};
use ledger::{access_product::AccessProduct, product::Product};
use projections::access_events::Asked;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use workers::webhooks::{Feed, FeedPage};

/// The read model behind it.
const FEED: &str = "access_events";
/// How long an answer may wait for something to tell: less than any request may take.
const LONGEST_WAIT: u32 = 25;
/// What the log takes at once is looked at together.
const GATHER: Duration = Duration::from_millis(100);

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list_access_events))
}

/// Which events.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only events behind this `sequence`: `next_after` of the page before, or the last `sequence` that you handled. From the first
    /// event when absent.
    after: Option<u64>,
    /// Events of the page, 1 to 100; 20 when absent.
    limit: Option<u32>,
    /// Only events of this type.
    #[param(example = "payment.confirmed")]
    r#type: Option<String>,
    /// Only events about this access product or hosted product.
    product_id: Option<String>,
    /// When there is nothing to tell, wait for it up to so many seconds, at most 25.
    wait_seconds: Option<u32>,
}

/// A page of the feed, and how far it is complete.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct AccessEvents {
    /// Events in the order of the log, each with the id and the body that its webhooks have.
    #[schema(value_type = Vec<AccessEvent>)]
    items: Vec<Value>,
    /// Whether more can be had at once.
    has_more: bool,
    /// The next page's `after`. Every event that you asked for and that lies between your `after` and here is in `items`: an event
    /// can never appear behind you. Null while the log is empty.
    next_after: Option<u64>,
    /// Position of the log at which this answer was made. When `next_after` has reached it, you have everything up to it.
    head_position: Option<u64>,
    /// `sequence` of your newest event in this mode, whatever you asked for: if it is the last that you have, you miss none at the
    /// end. Null while there is none.
    last_sequence: Option<u64>,
}

/// An event as webhooks tell it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "the schema of what is rendered where messages are")]
struct AccessEvent {
    /// The event's id, which is also the `webhook-id`.
    #[schema(value_type = String, format = Uuid)]
    id: Uuid,
    /// What happened.
    #[schema(example = "payment.confirmed")]
    r#type: String,
    /// When the log accepted it.
    #[schema(value_type = String, format = DateTime)]
    created_at: String,
    /// Whether it concerns real money.
    livemode: bool,
    /// Its position in the log.
    sequence: u64,
    /// `sequence` of your event before it, in the same mode, whatever you asked for; null for your first. If you do not have the
    /// event with that `sequence`, you missed it.
    previous_sequence: Option<u64>,
    /// Version of what it is about: of two events about the same thing, the higher one is the later.
    subject_version: u64,
    /// `payment`, `receipt`, `membership` or `delivery`, and `access` for access products.
    #[schema(value_type = Object)]
    data: Value,
}

/// List what you are told
///
/// Every event that webhooks tell of, with the same ids and bodies, whether or not an endpoint is registered. A receiver that was
/// away catches up from the last `sequence` that it handled. Nothing can be missed: positions have no gaps and are given in the
/// order of commits, and each event names the one before it.
#[utoipa::path(get, path = "/v1/access/events", tag = "access", operation_id = "list_access_events",
    params(Which), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of events", body = AccessEvents), answers::ReadOne))]
async fn list_access_events(
    Part(feed): Part<Feed>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    merchant: Merchant,
    min: MinPosition,
    Params(which): Params<Which>,
) -> Result<Json<AccessEvents>, Problem> {
    let wait_seconds = which.wait_seconds.unwrap_or(0);
    if wait_seconds > LONGEST_WAIT {
        return Err(Problem::field(Code::ValidationFailed, "wait_seconds", format!("is at most {LONGEST_WAIT}")));
    }
    let unknown =
        |message| Problem { errors: Problem::field(Code::UnknownEvent, "type", message).errors, ..Problem::of(Code::UnknownEvent) };
    let asked = Asked {
        owner: merchant.owner,
        livemode: merchant.livemode(),
        after: which.after,
        event: which.r#type.as_deref().map(known).transpose().map_err(unknown)?,
        product: match &which.product_id {
            Some(id) => Some(product(&log, &merchant, id).await?),
            None => None,
        },
        limit: in_range("limit", which.limit)?,
    };
    fresh.wait(FEED, Some(merchant.owner), min).await?;
    let deadline = Instant::now() + Duration::from_secs(u64::from(wait_seconds));
    loop {
        let page = feed.page(asked).await.map_err(|error| rejection::read(&error))?;
        let left = deadline.saturating_duration_since(Instant::now());
        if !page.messages.is_empty() || page.read_to < page.head || left.is_zero() {
            return Ok(Json(AccessEvents::of(page)?));
        }
        fresh.until(FEED, page.head.map_or(0, |head| head + 1), left).await;
        tokio::time::sleep(GATHER.min(deadline.saturating_duration_since(Instant::now()))).await;
    }
}

impl AccessEvents {
    fn of(page: FeedPage) -> Result<Self, Problem> {
        let items = page.messages.iter().map(|message| serde_json::from_str(message)).collect::<Result<_, _>>();
        Ok(AccessEvents {
            items: items.map_err(|error| Problem::internal(&error, "read a message"))?,
            has_more: page.read_to < page.head,
            next_after: page.read_to,
            head_position: page.head,
            last_sequence: page.last,
        })
    }
}

/// The merchant's product of that id, in the same mode, as hosted product and as access product.
async fn product(log: &Log, merchant: &Merchant, id: &str) -> Result<(ProductId, Option<AccessProductId>), Problem> {
    let missing = || Problem::of(Code::ProductNotFound);
    let id: Uuid = id.parse().map_err(|_| missing())?;
    let mine = |owner, livemode| owner == Some(merchant.owner) && livemode == Some(merchant.livemode());
    let access = unit::load::<AccessProduct>(log, StreamId::new(Category::AccessProduct, id)).await;
    let access = access.map_err(|error| rejection::read(&error))?;
    if let (AccessProduct::Existing(product), true) = (&access.state, mine(access.owner_id, access.livemode)) {
        return Ok((product.product_id, Some(product.access_product_id)));
    }
    let hosted = unit::load::<Product>(log, StreamId::new(Category::Product, id)).await;
    let hosted = hosted.map_err(|error| rejection::read(&error))?;
    match (&hosted.state, mine(hosted.owner_id, hosted.livemode)) {
        (Product::Active(facts) | Product::Archived(facts), true) => Ok((id.into(), facts.access_product_id)),
        _ => Err(missing()),
    }
}
