//! `GET /r/{receipt_id}`: a receipt as people read it, checked anew each time it is shown (INV-76).

use super::{
    accent::Colour,
    notice,
    receipt_view::{self, Shown},
};
use crate::{
    http::{
        fresh::MinPosition,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    services::{read_receipt, workspace},
    state::State,
};
use axum::{
    extract::State as Part,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use events::{
    unit::load,
    vocab::{
        id::ReceiptId,
        stream::{Category, StreamId},
    },
};
use ledger::{product::Product, workspace::Profile};
use projections::receipts::Receipt;

/// The page, or why there is none.
pub async fn serve(Part(state): Part<State>, headers: HeaderMap, id: Segment) -> Response {
    match shown(&state, &id).await {
        Ok(shown) => receipt_view::page(&shown).into_response(),
        Err(problem) => notice::problem(&headers, problem),
    }
}

async fn shown(state: &State, id: &Segment) -> Result<Shown, Problem> {
    let id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    state.fresh.wait("receipts", None, MinPosition(None).or_head(&state.log)).await?;
    let receipt = projections::receipts::find_public(&state.reader, id).await.map_err(rejection::query)?;
    let receipt = receipt.ok_or_else(|| Problem::of(Code::ReceiptNotFound))?;
    let verdict = read_receipt::verdict(&state.vault, &state.clock, &receipt).await?;
    let seller = seller(state, &receipt).await?;
    let invoice = [
        ("Invoice", receipt.invoice_number.clone()),
        ("Billed to", receipt.buyer_name.clone()),
        ("Billing reference", receipt.billing_reference.clone()),
    ];
    Ok(Shown {
        receipt_id: id.to_string(),
        // Altered bytes may be no JSON any more; the verdict says that they do not hold.
        json: serde_json::from_str(&receipt.receipt_json).unwrap_or_default(),
        signed: receipt.receipt_json,
        hash: receipt.receipt_hash.to_string(),
        signature: receipt.ed25519_sig.to_string(),
        kid: receipt.kid,
        hash_valid: verdict.hash_valid,
        signature_valid: verdict.signature_valid,
        checked_at: verdict.verified_at,
        issued_at: receipt.issued_at,
        chain_verified: receipt.chain_verified,
        merchant: seller.name,
        product: seller.product,
        accent: seller.accent,
        invoice: invoice.into_iter().filter_map(|(label, value)| Some((label, value?))).collect(),
        verify_url: state.settings.verify_url(id),
    })
}

/// Who issued a receipt, and for what, as it is called today.
#[derive(Default)]
struct Seller {
    name: Option<String>,
    product: Option<String>,
    accent: Colour,
}

async fn seller(state: &State, receipt: &Receipt) -> Result<Seller, Problem> {
    let profile = match receipt.meta.owner_id {
        Some(owner) => workspace::stored_profile(&state.log, &state.vault, owner).await?.unwrap_or_default(),
        None => Profile::default(),
    };
    let product = match receipt.product_id {
        Some(id) => load::<Product>(&state.log, StreamId::new(Category::Product, id)).await.map_err(|error| rejection::read(&error))?.state,
        None => Product::Absent,
    };
    let (title, branding) = product.facts().map(|facts| (facts.title.clone(), facts.branding.clone())).unzip();
    let branding = branding.unwrap_or_default();
    let accent = branding.accent_hex.or(profile.accent_hex).and_then(|hex| hex.parse().ok());
    Ok(Seller { name: branding.merchant_name.or(profile.merchant_name), product: title, accent: accent.unwrap_or_default() })
}
