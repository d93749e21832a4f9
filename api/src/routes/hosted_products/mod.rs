//! Hosted products: RT-001 to RT-007, and what buyers see of them, RT-009 and RT-010. They are live only: a sandbox key gets 403.

mod analytics;
mod connect;
mod fields;
mod payments;
mod public;
mod read;
mod view;
mod write;

use crate::{
    http::{
        auth::Merchant,
        fresh::{Fresh, MinPosition},
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use events::vocab::id::ProductId;
use projections::{
    Reader,
    products::{self, Product},
};
use utoipa_axum::router::OpenApiRouter;

/// The routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    write::routes()
        .merge(read::routes())
        .merge(payments::routes())
        .merge(analytics::routes())
        .merge(public::routes())
        .merge(connect::routes())
}

/// The merchant's live product of that id, as the read model has it; another owner's is one that does not exist (CV-9).
async fn own_product(reader: &Reader, fresh: &Fresh, merchant: &Merchant, min: MinPosition, id: ProductId) -> Result<Product, Problem> {
    fresh.wait("products", Some(merchant.owner), min).await?;
    let product = products::find(reader, merchant.owner, id).await.map_err(rejection::query)?;
    product.filter(|product| product.meta.livemode).ok_or_else(|| Problem::of(Code::ProductNotFound))
}
