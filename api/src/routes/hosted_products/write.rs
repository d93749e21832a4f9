//! RT-001, RT-004, RT-005: a merchant creates, changes and archives his products.

use super::{
    fields::ProductFields,
    view::{Beside, ProductView},
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::context,
    services::{hosted, open_checkout, plans::OwnerPlans, workspace},
    state::{Settings, State},
};
use axum::{
    extract::{FromRef, State as Part},
    response::Response,
};
use events::{
    clock::{Clock, new_id, random_bytes},
    decider::Decider as _,
    log::Log,
    unit::{Loaded, Unit},
    vault::Vault,
    vocab::{
        id::{OwnerId, ProductId},
        stream::{Category, StreamId},
    },
};
use ledger::product::{self, Product};
use projections::{Reader, products};
use rails::price::PriceSource;
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(update)).routes(routes!(archive))
}

/// What these routes work with.
#[derive(Clone)]
struct Shelf {
    commands: Commands,
    log: Log,
    vault: Vault,
    clock: Clock,
    prices: PriceSource,
    reader: Reader,
    settings: Arc<Settings>,
    plans: OwnerPlans,
}

impl FromRef<State> for Shelf {
    fn from_ref(state: &State) -> Self {
        Shelf {
            commands: state.commands.clone(),
            log: state.log.clone(),
            vault: state.vault.clone(),
            clock: state.clock.clone(),
            prices: state.prices.clone(),
            reader: state.reader.clone(),
            settings: state.settings.clone(),
            plans: OwnerPlans::from_ref(state),
        }
    }
}

/// Create a hosted product
#[utoipa::path(post, path = "/v1/products", tag = "products", operation_id = "create_product", request_body = ProductFields,
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 201, description = "The product", body = ProductView), answers::Write))]
async fn create(
    Part(shelf): Part<Shelf>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: body, hash }: Body<ProductFields>,
) -> Result<Response, Problem> {
    open_checkout::offered(&shelf.settings)?;
    let product_type = body.new_product_type()?;
    let mut fields = body.fields(&shelf.settings)?;
    if fields.merchant_wallet.is_none() {
        return Err(Problem::field(Code::InvalidWallet, "merchant_wallet", "is required"));
    }
    let asset = fields.asset.get_or_insert_with(|| shelf.settings.sol()).clone();
    let product_id: ProductId = new_id();
    let operation = Operation { owner: merchant.owner, name: "POST /v1/products".into(), key, request_hash: hash };
    shelf
        .commands
        .run(operation, || async {
            let create = product::Create {
                product_id,
                slug: slug(fields.title.as_deref().unwrap_or_default()),
                product_type,
                fields: fields.clone(),
                access_product_id: None,
                merchant: Some(workspace::merchant(&shelf.vault, merchant.owner).await?),
                quote: None,
            };
            let mut unit = Unit::new(&shelf.log, context(&merchant, true, &request_id));
            let mut product = unit.start::<Product>(StreamId::new(Category::Product, product_id));
            allowed(&product.state, product::Command::Create(Box::new(create.clone())))?;
            shelf.plans.room_for_template(merchant.owner).await?;
            let create = product::Create { quote: open_checkout::quote(&shelf.prices, &asset, &shelf.clock).await?, ..create };
            unit.decide(&mut product, product::Command::Create(Box::new(create)), None)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let now = shelf.clock.now();
            let value = fields.delivery_value.clone().flatten().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            let beside = Beside { status: "ACTIVE", delivery_value: value, payment_count: 0, created_at: now, updated_at: now };
            let answer = Answer::created(shelf.view(&product.state, beside)?)?.stamped_as(&["created_at", "updated_at"]);
            Ok(Draft { unit, answer })
        })
        .await
}

/// Change a hosted product; payments that are under way keep their price
#[utoipa::path(patch, path = "/v1/products/{product_id}", tag = "products", operation_id = "update_product", request_body = ProductFields,
    params(("product_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The product", body = ProductView), answers::Write))]
async fn update(
    Part(shelf): Part<Shelf>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    id: Segment,
    OptionalKey(key): OptionalKey,
    Body { value: body, hash }: Body<ProductFields>,
) -> Result<Response, Problem> {
    open_checkout::offered(&shelf.settings)?;
    let id: ProductId = id.id(Code::ProductNotFound)?;
    let (product_type, prices) = (body.product_type()?, body.prices());
    let fields = body.fields(&shelf.settings)?;
    let name = format!("PATCH /v1/products/{{product_id}} {id}");
    let operation = Operation { owner: merchant.owner, name, key, request_hash: hash };
    shelf
        .commands
        .run(operation, || async {
            let hosted::Hosted { mut loaded, product, .. } = hosted::of_owner(&shelf.log, merchant.owner, id).await?;
            let stored = hosted::delivery_value(&shelf.log, &shelf.vault, id).await?;
            let asset = fields.asset.clone().unwrap_or(product.asset);
            let mut update = product::Update {
                product_type,
                fields: fields.clone(),
                stored_delivery_value: stored.clone(),
                merchant: workspace::merchant(&shelf.vault, merchant.owner).await?,
                quote: None,
            };
            allowed(&loaded.state, product::Command::Update(Box::new(update.clone())))?;
            if prices {
                update.quote = open_checkout::quote(&shelf.prices, &asset, &shelf.clock).await?;
            }
            let mut unit = Unit::new(&shelf.log, context(&merchant, true, &request_id));
            unit.decide(&mut loaded, product::Command::Update(Box::new(update)), None)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let value = match &fields.delivery_value {
                Some(said) => said.as_deref().map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned),
                None => stored,
            };
            let answer = shelf.changed(&loaded, value, merchant.owner).await?;
            Ok(Draft { unit, answer })
        })
        .await
}

/// Archive a hosted product: it sells no more, and what it sold stays
#[utoipa::path(delete, path = "/v1/products/{product_id}", tag = "products", operation_id = "archive_product",
    params(("product_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The product, archived now or before", body = ProductView), answers::Write))]
async fn archive(
    Part(shelf): Part<Shelf>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    id: Segment,
    OptionalKey(key): OptionalKey,
) -> Result<Response, Problem> {
    let id: ProductId = id.id(Code::ProductNotFound)?;
    let name = format!("DELETE /v1/products/{{product_id}} {id}");
    let operation = Operation { owner: merchant.owner, name, key, request_hash: [0; 32] };
    shelf
        .commands
        .run(operation, || async {
            let mut loaded = hosted::of_owner(&shelf.log, merchant.owner, id).await?.loaded;
            let mut unit = Unit::new(&shelf.log, context(&merchant, true, &request_id));
            unit.decide(&mut loaded, product::Command::Archive, None).map_err(|refused| rejection::decided(refused.code(), refused))?;
            let value = hosted::delivery_value(&shelf.log, &shelf.vault, id).await?;
            let answer = shelf.changed(&loaded, value, merchant.owner).await?;
            Ok(Draft { unit, answer })
        })
        .await
}

impl Shelf {
    /// The answer to a change of a product that exists.
    async fn changed(&self, loaded: &Loaded<Product>, delivery_value: Option<String>, owner: OwnerId) -> Result<Answer, Problem> {
        let row = products::find(&self.reader, owner, loaded.stream.id).await.map_err(rejection::query)?;
        let now = self.clock.now();
        let beside = Beside {
            status: loaded.state.status().unwrap_or_default(),
            delivery_value,
            payment_count: row.map_or(0, |row| row.payment_count),
            created_at: loaded.created_at.unwrap_or(now),
            updated_at: loaded.updated_at.unwrap_or(now),
        };
        Ok(Answer::ok(self.view(&loaded.state, beside)?)?.stamped_as(&["updated_at"]))
    }

    fn view(&self, state: &Product, beside: Beside<'_>) -> Result<ProductView, Problem> {
        let facts = state.facts().cloned().ok_or_else(|| Problem::of(Code::Internal))?;
        Ok(ProductView::new(facts, &self.settings, beside))
    }
}

/// Refuses what the rules refuse, before a price is asked for that may not be there: a bad request is told so, whatever else is wrong.
fn allowed(state: &Product, command: product::Command) -> Result<(), Problem> {
    Product::decide(state, command).map(drop).map_err(|refused| rejection::decided(refused.code(), refused))
}

/// A public name that says what the product is and cannot be guessed from it: the title's words and a random tail.
fn slug(title: &str) -> String {
    let mut words: String = title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    while words.contains("--") {
        words = words.replace("--", "-");
    }
    let words: String = words.trim_matches('-').chars().take(40).collect();
    let tail: String = random_bytes::<8>().iter().map(|byte| char::from(TAIL[usize::from(*byte) % TAIL.len()])).collect();
    match words.trim_end_matches('-') {
        "" => tail,
        words => format!("{words}-{tail}"),
    }
}

/// 32 letters and digits that are not mistaken for each other.
const TAIL: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_reads_like_its_title_and_differs_each_time() {
        let made = slug("Telegram  Inner Circle!");
        assert!(made.starts_with("telegram-inner-circle-") && made.len() == 30, "{made}");
        assert_ne!(made, slug("Telegram  Inner Circle!"));
        for title in ["", "テレグラム", &"x".repeat(200), "--a--", "Ünïcode & more"] {
            let made = slug(title);
            assert!((8..=64).contains(&made.len()), "{made}");
            assert!(made.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') && !made.contains("--"), "{made}");
        }
    }
}
