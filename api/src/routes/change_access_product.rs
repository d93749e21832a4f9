//! `PATCH /v1/access/products/{id}` (RT-059): activate, pause, edit.

use super::{
    context,
    create_access_product::{AccessProductView, AllowedRails, backing_refused, view},
    input,
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::{Body, said},
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::isolation,
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::Clock,
    log::Log,
    unit::Unit,
    vocab::{
        event::AccessProductCreated,
        id::AccessProductId,
        stream::{Category, StreamId},
    },
};
use ledger::{
    access_product::{self, AccessProduct, Change},
    product::{self, Product},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What is to change; what is left out stays. Payments and sessions that are under way keep their price and duration.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ChangeAccessProduct {
    /// `active` or `paused`.
    #[schema(example = "active")]
    pub status: Option<String>,
    /// Must be `true` in this request to activate a live product, and to change one that sells. Pausing needs no word.
    #[serde(default)]
    pub live_mode_confirmed: bool,
    /// Shown to buyers.
    pub title: Option<String>,
    /// Shown to buyers; null clears it.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// The price in the asset's minor unit.
    pub amount_minor_units: Option<u64>,
    /// How long a payment gives access.
    pub entitlement_duration_days: Option<u32>,
    /// The rail used when none is named.
    pub default_rail: Option<String>,
    /// A list of rails, or `"all"` / `"all_enabled"`. Policy only: buyers are shown `session_creatable_rails`.
    pub allowed_rails: Option<AllowedRails>,
    /// Never changes: named otherwise, the request is refused.
    pub external_product_id: Option<String>,
    /// Never changes: named otherwise, the request is refused.
    pub access_app_id: Option<String>,
    /// Changed by Hilt's support alone: named otherwise, the request is refused.
    pub merchant_wallet: Option<String>,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(change_access_product))
}

/// Activate, pause or edit an access product
///
/// No live product starts to sell, and none that sells is changed, without `live_mode_confirmed: true` in the same request.
#[utoipa::path(patch, path = "/v1/access/products/{id}", tag = "access", operation_id = "change_access_product",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = ChangeAccessProduct, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The access product as it is now", body = AccessProductView), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn change_access_product(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    id: Segment,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<ChangeAccessProduct>,
) -> Result<Response, Problem> {
    let id: AccessProductId = id.id(Code::ProductNotFound)?;
    let livemode = merchant.livemode();
    let change = body.change(livemode)?;
    let name = format!("PATCH /v1/access/products/{{id}} {id}");
    let operation = Operation { owner: merchant.owner, name, key: Some(key), request_hash: hash };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, livemode, &request_id));
            let access = unit.load::<AccessProduct>(StreamId::new(Category::AccessProduct, id)).await;
            let mut access = access.map_err(|error| rejection::read(&error))?;
            let AccessProduct::Existing(current) = &access.state else { return Err(Problem::of(Code::ProductNotFound)) };
            if access.owner_id != Some(merchant.owner) {
                return Err(isolation::foreign("access_product", Code::ProductNotFound));
            }
            if access.livemode != Some(livemode) {
                return Err(Problem::of(Code::ProductNotFound));
            }
            body.unchanged(current)?;
            let cause = access.last_event;
            let decided = unit.decide(&mut access, access_product::Command::Change(Box::new(change.clone())), cause);
            let decided = decided.map_err(|refused| rejection::decided(refused.code(), refused))?;
            let AccessProduct::Existing(next) = &access.state else { return Err(Problem::of(Code::Internal)) };
            let backing = unit.load::<Product>(StreamId::new(Category::Product, next.product_id)).await;
            let mut backing = backing.map_err(|error| rejection::read(&error))?;
            let follow = product::Command::Follow(Box::new(followed(next)));
            unit.decide(&mut backing, follow, decided.first().copied()).map_err(backing_refused)?;
            let created_at = access.created_at.unwrap_or_else(|| clock.now());
            let changed = view(&access.state, livemode, created_at).ok_or_else(|| Problem::of(Code::Internal))?;
            Ok(Draft { unit, answer: Answer::ok(changed)? })
        })
        .await
}

impl ChangeAccessProduct {
    fn change(&self, livemode: bool) -> Result<Change, Problem> {
        Ok(Change {
            title: self.title.clone(),
            description: self.description.clone(),
            amount: self.amount_minor_units,
            entitlement_duration_days: self.entitlement_duration_days,
            default_rail: self.default_rail.as_deref().map(|rail| input::rail("default_rail", rail)).transpose()?,
            allowed_rails: self.allowed_rails.as_ref().map(|rails| rails.expanded("allowed_rails")).transpose()?,
            status: self.status.as_deref().map(|status| input::word("status", status)).transpose()?,
            livemode,
            live_mode_confirmed: self.live_mode_confirmed,
        })
    }

    /// Refuses to change what never changes: passed over in silence, a new payout wallet would seem to be in use.
    fn unchanged(&self, current: &AccessProductCreated) -> Result<(), Problem> {
        let by_support = "is changed by Hilt's support alone: open a ticket";
        let fixed = [
            ("external_product_id", &self.external_product_id, current.external_product_id.clone(), "never changes"),
            ("access_app_id", &self.access_app_id, current.app_id.to_string(), "never changes"),
            ("merchant_wallet", &self.merchant_wallet, current.merchant_wallet.to_string(), by_support),
        ];
        for (field, named, is, rule) in fixed {
            if named.as_ref().is_some_and(|named| *named != is) {
                return Err(Problem::field(Code::ValidationFailed, field, rule));
            }
        }
        Ok(())
    }
}

/// What the product behind says of the same things.
fn followed(product: &AccessProductCreated) -> product::Fields {
    product::Fields {
        title: Some(product.title.clone()),
        description: Some(product.description.clone()),
        amount: Some(Some(product.amount.units())),
        membership: Some(Some(product::plain_membership(product.entitlement_duration_days).into())),
        ..product::Fields::default()
    }
}
