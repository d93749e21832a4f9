//! RT-041: the receipt as a document to keep and to send.

use crate::{
    http::{
        answers,
        auth::Merchant,
        fresh::{Fresh, MinPosition},
        path::Segment,
        problem::{Code, Problem},
    },
    pdf,
    services::receipt_sheet,
    state::{Settings, State},
};
use axum::{
    extract::State as Part,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use events::{log::Log, vault::Vault, vocab::id::ReceiptId};
use projections::Reader;
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(download))
}

/// A receipt as PDF
///
/// One page, tagged for readers that speak. The same receipt and notes give the same bytes.
#[utoipa::path(get, path = "/v1/receipt/{receipt_id}/pdf", tag = "receipts", operation_id = "get_receipt_pdf",
    params(("receipt_id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The document", body = Vec<u8>, content_type = "application/pdf"), answers::ReadOne))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn download(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Response, Problem> {
    let id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    fresh.wait("receipts", Some(merchant.owner), min).await?;
    let sheet = receipt_sheet::of(&reader, &log, &vault, &settings, merchant.owner, id).await?;
    let rendered = tokio::task::spawn_blocking(move || pdf::render(&sheet)).await;
    let bytes = match rendered {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(Problem::internal(&error, "make a PDF")),
        Err(error) => return Err(Problem::internal(&error, "make a PDF")),
    };
    let name = HeaderValue::from_str(&format!("attachment; filename=\"hilt-receipt-{id}.pdf\""));
    let name = name.map_err(|error| Problem::internal(&error, "name a PDF"))?;
    let kind = HeaderValue::from_static("application/pdf");
    let private = HeaderValue::from_static("private, no-store");
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name), (header::CACHE_CONTROL, private)], bytes).into_response())
}
