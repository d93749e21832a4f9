//! RT-042: what a merchant notes for the invoice. It is merged field by field, sealed, and changes nothing that is signed (INV-75).

use super::context;
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::{Body, said},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::read_receipt::InvoiceMetadata,
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    log::Log,
    unit::Unit,
    vault::{Vault, VaultError},
    vocab::{
        event::Event,
        id::{ReceiptId, SubjectId},
        personal::Personal,
        stream::{Category, StreamId},
    },
};
use ledger::receipt::{self, Invoice, Receipt, SaveInvoice};
use projections::receipts::InvoiceReferences;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(save))
}

/// What to change: a field that is absent stays, null clears it.
#[derive(Deserialize, ToSchema)]
struct Changes {
    /// The merchant's invoice number. Public.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, example = "INV-2026-0042")]
    invoice_number: Option<Option<String>>,
    /// Name on the invoice. Public.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    buyer_name: Option<Option<String>>,
    /// Where the proof is sent.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    buyer_email: Option<Option<String>>,
    /// The buyer's own reference. Public.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    billing_reference: Option<Option<String>>,
    /// For the merchant alone.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    notes: Option<Option<String>>,
}

/// The notes as they are now.
#[derive(Serialize, ToSchema)]
struct Saved {
    #[schema(value_type = String, format = Uuid)]
    receipt_id: ReceiptId,
    invoice_metadata: InvoiceMetadata,
}

/// Save invoice metadata
///
/// The receipt, its hash and its signature stay as they are.
#[utoipa::path(patch, path = "/v1/receipt/{receipt_id}/invoice-metadata", tag = "receipts", operation_id = "save_invoice_metadata",
    params(("receipt_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Changes, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The notes as they are now", body = Saved), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn save(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: changes, hash }: Body<Changes>,
) -> Result<Response, Problem> {
    let receipt_id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    let name = format!("PATCH /v1/receipt/{{receipt_id}}/invoice-metadata {receipt_id}");
    let operation = Operation { owner: merchant.owner, name, key, request_hash: hash };
    let draft = || async {
        let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
        let stream = StreamId::new(Category::Receipt, receipt_id);
        let mut receipt = unit.load::<Receipt>(stream).await.map_err(|error| rejection::read(&error))?;
        if receipt.owner_id != Some(merchant.owner) {
            return Err(Problem::of(Code::ReceiptNotFound));
        }
        if let Some(correlation_id) = receipt.correlation_id {
            unit.correlate(correlation_id);
        }
        let Noted { subject, invoice: before } = noted(&log, &vault, stream).await?;
        let after = changes.on(before.clone());
        let answer = Answer::ok(Saved { receipt_id, invoice_metadata: view(&after) })?;
        if after != before {
            let subject_id = match subject {
                Some(subject) => subject,
                None => vault.new_subject(merchant.owner).await.map_err(|error| rejection::read(&error))?,
            };
            let command = receipt::Command::SaveInvoice(Box::new(SaveInvoice { subject_id, invoice: after }));
            let cause = receipt.last_event;
            unit.decide(&mut receipt, command, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
        }
        Ok(Draft { unit, answer })
    };
    commands.run(operation, draft).await
}

/// What is noted so far, and with whose key it is sealed.
struct Noted {
    subject: Option<SubjectId>,
    invoice: Invoice,
}

async fn noted(log: &Log, vault: &Vault, stream: StreamId) -> Result<Noted, Problem> {
    let mut found = Noted { subject: None, invoice: Invoice::default() };
    for recorded in log.read_stream(stream, 0).await.map_err(|error| rejection::read(&error))? {
        match recorded.decode().map_err(|error| Problem::internal(&error, "read a receipt"))? {
            Event::ReceiptCreated(created) => found.subject = created.subject_id,
            Event::ReceiptInvoiceMetadataSaved(saved) => {
                found.subject = Some(saved.subject_id);
                found.invoice = match vault.open(&recorded).await {
                    Ok(personal) => invoice(personal.unwrap_or_default()),
                    // Whoever it was about is forgotten, and so is what was noted.
                    Err(VaultError::Erased) => Invoice::default(),
                    Err(error) => return Err(Problem::internal(&error, "open invoice metadata")),
                };
            }
            _ => {}
        }
    }
    Ok(found)
}

fn invoice(personal: Personal) -> Invoice {
    let InvoiceReferences { invoice_number, billing_reference } = InvoiceReferences::of(personal.metadata.as_deref());
    Invoice { invoice_number, billing_reference, buyer_name: personal.name, buyer_email: personal.email, notes: personal.text }
}

fn view(invoice: &Invoice) -> InvoiceMetadata {
    let Invoice { invoice_number, buyer_name, buyer_email, billing_reference, notes } = invoice.clone();
    InvoiceMetadata { invoice_number, buyer_name, buyer_email, billing_reference, notes }
}

impl Changes {
    fn on(&self, mut invoice: Invoice) -> Invoice {
        for (field, change) in [
            (&mut invoice.invoice_number, &self.invoice_number),
            (&mut invoice.buyer_name, &self.buyer_name),
            (&mut invoice.buyer_email, &self.buyer_email),
            (&mut invoice.billing_reference, &self.billing_reference),
            (&mut invoice.notes, &self.notes),
        ] {
            if let Some(value) = change {
                *field = value.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
            }
        }
        invoice
    }
}
