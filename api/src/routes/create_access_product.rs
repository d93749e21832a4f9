//! `POST /v1/access/products` (RT-058).

use super::{context, input};
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::isolation,
    state::{Settings, State},
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::{Clock, new_id, random_bytes},
    log::Log,
    unit::Unit,
    vocab::{
        id::{AccessProductId, AppId, ProductId},
        rail::RailId,
        stream::{Category, StreamId},
        time::Timestamp,
        words::{ProductStatus, ProductType},
    },
};
use ledger::{
    access_app::AccessApp,
    access_product::{self, AccessProduct},
    product::{self, Product},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// An access product to create, paused unless it says otherwise.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateAccessProduct {
    /// The app it belongs to.
    pub access_app_id: String,
    /// Your own id of the product, unique in the workspace and mode.
    #[schema(example = "pro-ai-api")]
    pub external_product_id: String,
    /// Shown to buyers.
    pub title: String,
    /// Shown to buyers.
    pub description: Option<String>,
    /// The price in the asset's minor unit.
    #[schema(example = 25_000_000)]
    pub amount_minor_units: u64,
    /// Payout wallet of the backing product.
    pub merchant_wallet: String,
    /// How long a payment gives access.
    #[schema(example = 30)]
    pub entitlement_duration_days: u32,
    /// The rail used when none is named.
    pub default_rail: Option<String>,
    /// A list of rails, or `"all"` / `"all_enabled"`. Policy only: buyers are shown `session_creatable_rails`.
    pub allowed_rails: Option<AllowedRails>,
    /// `active` or `paused`.
    pub status: Option<String>,
    /// Must be `true` for an active live product.
    #[serde(default)]
    pub live_mode_confirmed: bool,
}

/// Which rails a product allows.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AllowedRails {
    /// These.
    List(Vec<String>),
    /// `"all"` or `"all_enabled"`.
    Word(String),
}

/// An access product.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccessProductView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: AccessProductId,
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub access_product_id: AccessProductId,
    /// The hosted product behind it.
    #[schema(value_type = String, format = Uuid)]
    pub product_id: ProductId,
    /// The app it belongs to.
    #[schema(value_type = String, format = Uuid)]
    pub access_app_id: AppId,
    /// Your own id of it.
    pub external_product_id: String,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: Option<String>,
    /// The price.
    pub amount_minor_units: u64,
    /// Payout wallet of the backing product.
    pub merchant_wallet: String,
    /// How long a payment gives access.
    pub entitlement_duration_days: u32,
    /// The rail used when none is named.
    pub default_rail: String,
    /// The rails it allows.
    pub allowed_rails: Vec<String>,
    /// `active` or `paused`.
    pub status: String,
    /// Whether it moves real money.
    pub livemode: bool,
    /// The merchant's explicit word that it may.
    pub live_mode_confirmed: bool,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_access_product))
}

/// Create an access product and the hosted product behind it.
#[utoipa::path(
    post, path = "/v1/access/products", tag = "access", operation_id = "create_access_product",
    params(("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = CreateAccessProduct,
    responses(
        (status = 201, description = "The access product", body = AccessProductView),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`", body = Problem),
        (status = 404, description = "`app_not_found`", body = Problem),
        (status = 409, description = "`external_product_id_conflict`, `idempotency_in_progress`", body = Problem),
        (status = 422, description = "`invalid_wallet`, `amount_out_of_range`, `default_rail_not_allowed`, `live_mode_confirmation_required`, `validation_failed`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn create_access_product(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<CreateAccessProduct>,
) -> Result<Response, Problem> {
    let livemode = merchant.livemode();
    let (create, backing) = body.commands(&settings, livemode)?;
    let operation = Operation { owner: merchant.owner, name: "POST /v1/access/products".into(), key: Some(key), request_hash: hash };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, livemode, &request_id));
            let app = unit.load::<AccessApp>(StreamId::new(Category::AccessApp, create.app_id)).await;
            let app = app.map_err(|error| rejection::read(&error))?;
            if app.owner_id.is_some_and(|owner| owner != merchant.owner) {
                return Err(isolation::foreign("access_app", Code::AppNotFound));
            }
            if app.livemode != Some(livemode) {
                return Err(Problem::of(Code::AppNotFound));
            }
            let mut product = unit.start::<Product>(StreamId::new(Category::Product, backing.product_id));
            let made = unit.decide(&mut product, product::Command::Create(Box::new(backing.clone())), app.last_event);
            let made = made.map_err(backing_refused)?;
            let mut access = unit.start::<AccessProduct>(StreamId::new(Category::AccessProduct, create.access_product_id));
            unit.decide(&mut access, access_product::Command::Create(Box::new(create.clone())), made.last().copied())
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let created = view(&access.state, livemode, clock.now()).ok_or_else(|| Problem::of(Code::Internal))?;
            let answer = Answer::created(created)?.stamped();
            Ok(Draft { unit, answer })
        })
        .await
}

impl CreateAccessProduct {
    fn commands(&self, settings: &Settings, livemode: bool) -> Result<(access_product::Create, product::Create), Problem> {
        let app_id = input::id(&self.access_app_id, Code::AppNotFound)?;
        let merchant_wallet = input::solana_wallet("merchant_wallet", &self.merchant_wallet)?;
        let default_rail = self.default_rail.as_deref().map(|rail| input::rail("default_rail", rail)).transpose()?;
        let default_rail = default_rail.unwrap_or(RailId::SolanaUsdc);
        let allowed_rails = self.allowed_rails(default_rail)?;
        let status = self.status.as_deref().map(|status| input::word("status", status)).transpose()?;
        let (access_product_id, product_id): (AccessProductId, ProductId) = (new_id(), new_id());
        let create = access_product::Create {
            access_product_id,
            product_id,
            app_id,
            external_product_id: self.external_product_id.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            amount: self.amount_minor_units,
            merchant_wallet,
            entitlement_duration_days: self.entitlement_duration_days,
            default_rail,
            allowed_rails,
            status: status.unwrap_or(ProductStatus::Paused),
            livemode,
            live_mode_confirmed: self.live_mode_confirmed,
        };
        let backing = product::Create {
            product_id,
            slug: hex::encode(random_bytes::<6>()),
            product_type: ProductType::PaymentLink,
            fields: product::Fields {
                title: Some(self.title.clone()),
                description: Some(self.description.clone()),
                amount: Some(Some(self.amount_minor_units)),
                asset: Some(settings.usdc()),
                merchant_wallet: Some(merchant_wallet),
                membership: Some(Some(product::plain_membership(self.entitlement_duration_days).into())),
                ..product::Fields::default()
            },
            access_product_id: Some(access_product_id),
            merchant: None,
            quote: None,
        };
        Ok((create, backing))
    }

    fn allowed_rails(&self, default_rail: RailId) -> Result<Vec<RailId>, Problem> {
        self.allowed_rails.as_ref().map_or(Ok(vec![default_rail]), |rails| rails.expanded("allowed_rails"))
    }
}

impl AllowedRails {
    /// The rails meant; `field` is what the caller called them.
    pub fn expanded(&self, field: &str) -> Result<Vec<RailId>, Problem> {
        match self {
            AllowedRails::Word(word) if word == "all" || word == "all_enabled" => Ok(RailId::ALL.to_vec()),
            AllowedRails::Word(_) => {
                Err(Problem::field(Code::ValidationFailed, field, "must be a list of rails, \"all\" or \"all_enabled\""))
            }
            AllowedRails::List(rails) => rails.iter().map(|rail| input::rail(field, rail)).collect(),
        }
    }
}

/// The terms of the product behind come from the access product's own field, which is the one that the caller knows.
pub fn backing_refused(refused: product::Rejection) -> Problem {
    match rejection::decided(refused.code(), refused) {
        problem if problem.code == Code::InvalidMembershipConfig.as_str() => {
            Problem::field(Code::EntitlementDurationOutOfRange, "entitlement_duration_days", "is from 1 to 36500 days")
        }
        problem => problem,
    }
}

/// An access product as the API shows it.
pub fn view(state: &AccessProduct, livemode: bool, created_at: Timestamp) -> Option<AccessProductView> {
    let AccessProduct::Existing(product) = state else { return None };
    Some(AccessProductView {
        id: product.access_product_id,
        access_product_id: product.access_product_id,
        product_id: product.product_id,
        access_app_id: product.app_id,
        external_product_id: product.external_product_id.clone(),
        title: product.title.clone(),
        description: product.description.clone(),
        amount_minor_units: product.amount.units(),
        merchant_wallet: product.merchant_wallet.to_string(),
        entitlement_duration_days: product.entitlement_duration_days,
        default_rail: product.default_rail.to_string(),
        allowed_rails: product.allowed_rails.iter().map(ToString::to_string).collect(),
        status: product.status.to_string(),
        livemode,
        live_mode_confirmed: product.live_mode_confirmed,
        created_at,
    })
}
