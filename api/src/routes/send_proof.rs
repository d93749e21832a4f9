//! RT-043 `POST /v1/receipt/{receipt_id}/send-proof`: the link to a receipt's proof goes to the buyer by mail.

use super::context;
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::{Body, OptionalBody},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    state::{Settings, State},
};
use axum::{extract::State as Part, http::StatusCode, response::Response};
use events::{
    clock::new_id,
    log::Log,
    unit::{Loaded, Unit},
    vault::Vault,
    vocab::{
        event::{EventType, ReceiptCreated},
        id::{EventId, MailId, MessageId, ReceiptId, SubjectId, TicketId},
        stream::{Category, StreamId},
        words::{AuthorType, MailKind},
    },
};
use ledger::{
    mail,
    receipt::{self, Receipt},
    ticket::{self, Ticket},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(send_proof))
}

/// The longest message of a merchant, in characters.
const LONGEST_MESSAGE: usize = 2_000;

/// Where to, and what else to say.
#[derive(Deserialize, ToSchema)]
struct SendProof {
    /// To whom; the invoice metadata's `buyer_email` unless told.
    email: Option<String>,
    /// Your words to the buyer, at most 2000 characters.
    message: Option<String>,
    /// The ticket from which it is sent; the mail is noted on it.
    ticket_id: Option<String>,
}

/// A mail that will go out.
#[derive(Serialize, ToSchema)]
struct ProofQueued {
    #[schema(value_type = String, format = Uuid)]
    receipt_id: ReceiptId,
    /// The address.
    sent_to: String,
    /// `QUEUED`.
    status: &'static str,
}

/// Mail a receipt's proof
///
/// Sends the buyer a link to the receipt and to its verification. The mail is tried for about ten hours.
#[utoipa::path(post, path = "/v1/receipt/{receipt_id}/send-proof", tag = "receipts", operation_id = "send_receipt_proof",
    params(("receipt_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body(content = Option<SendProof>), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 202, description = "The mail is queued", body = ProofQueued), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn send_proof(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    OptionalBody(Body { value: asked, hash }): OptionalBody<SendProof>,
) -> Result<Response, Problem> {
    let receipt_id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    let asked = asked.checked()?;
    if !settings.sends_mail {
        return Err(Problem::of(Code::MailNotConfigured));
    }
    let name = format!("POST /v1/receipt/{{receipt_id}}/send-proof {receipt_id}");
    let operation = Operation { owner: merchant.owner, name, key, request_hash: hash };
    let send = Sending { log: &log, vault: &vault, settings: &settings, merchant: &merchant, receipt_id, asked: &asked };
    let (mail_id, message_id) = (new_id(), new_id());
    commands.run(operation, || send.draft(mail_id, message_id, &request_id)).await
}

impl SendProof {
    fn checked(self) -> Result<Self, Problem> {
        let email = match self.email.as_deref() {
            None => None,
            Some(text) => match mail::address(text) {
                Some(address) => Some(address),
                None => return Err(Problem::field(Code::ValidationFailed, "email", "must be an e-mail address")),
            },
        };
        let message = self.message.as_deref().map(mail::text).filter(|text| !text.is_empty());
        if message.as_ref().is_some_and(|text| text.chars().count() > LONGEST_MESSAGE) {
            return Err(Problem::field(Code::TextTooLong, "message", "has at most 2000 characters"));
        }
        Ok(SendProof { email, message, ticket_id: self.ticket_id })
    }
}

/// One request, while it is decided.
struct Sending<'a> {
    log: &'a Log,
    vault: &'a Vault,
    settings: &'a Settings,
    merchant: &'a Merchant,
    receipt_id: ReceiptId,
    asked: &'a SendProof,
}

impl<'a> Sending<'a> {
    async fn draft(&self, mail_id: MailId, message_id: MessageId, request_id: &str) -> Result<Draft<'a>, Problem> {
        let mut unit = Unit::new(self.log, context(self.merchant, true, request_id));
        let mut receipt = self.receipt(&mut unit).await?;
        let Receipt::Issued(issued) = &receipt.state else { return Err(Problem::of(Code::ReceiptNotFound)) };
        let issued = issued.as_ref().clone();
        let (subject_id, saved) = self.buyer(&issued).await?;
        let to = self.asked.email.clone().or(saved);
        let to = to.ok_or_else(|| Problem::field(Code::EmailRequired, "email", "the invoice metadata has no buyer_email: name one"))?;
        let ticket = match &self.asked.ticket_id {
            Some(public_id) => Some(self.ticket(&unit, public_id).await?),
            None => None,
        };

        let ticket_id = self.asked.ticket_id.as_deref().map(|public_id| TicketId::of(self.merchant.owner, public_id));
        let sent = receipt::Command::SendProof { mail_id, ticket_id };
        let cause = receipt.last_event;
        let decided = unit.decide(&mut receipt, sent, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
        let cause = decided.first().copied();
        let queue = mail::Queue {
            mail_id,
            kind: MailKind::ReceiptProof,
            subject_id,
            receipt_id: Some(self.receipt_id),
            membership_id: None,
            to: to.clone(),
            subject: "Proof of your payment".into(),
            text: self.text(&issued),
        };
        workers::mail::queue(&mut unit, queue, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
        if let Some(mut ticket) = ticket {
            self.note(&mut unit, &mut ticket, message_id, cause).await?;
        }
        let body = ProofQueued { receipt_id: self.receipt_id, sent_to: to, status: "QUEUED" };
        Ok(Draft { unit, answer: Answer { status: StatusCode::ACCEPTED, ..Answer::ok(body)? } })
    }

    async fn receipt(&self, unit: &mut Unit<'_>) -> Result<Loaded<Receipt>, Problem> {
        let stream = StreamId::new(Category::Receipt, self.receipt_id);
        let receipt = unit.load::<Receipt>(stream).await.map_err(|error| rejection::read(&error))?;
        if receipt.owner_id != Some(self.merchant.owner) || receipt.livemode != Some(true) {
            return Err(Problem::of(Code::ReceiptNotFound));
        }
        if let Some(correlation_id) = receipt.correlation_id {
            unit.correlate(correlation_id);
        }
        Ok(receipt)
    }

    /// With whose key the mail is sealed, and the address that the merchant saved for the invoice.
    async fn buyer(&self, receipt: &ReceiptCreated) -> Result<(SubjectId, Option<String>), Problem> {
        let stream = StreamId::new(Category::Receipt, self.receipt_id);
        let events = self.log.read_stream(stream, 0).await.map_err(|error| rejection::read(&error))?;
        let saved = events.iter().rfind(|event| event.envelope.event_type == EventType::ReceiptInvoiceMetadataSaved);
        let email = match saved {
            Some(saved) => self.vault.open(saved).await.map_err(|error| rejection::read(&error))?.and_then(|personal| personal.email),
            None => None,
        };
        let known = receipt.subject_id.or_else(|| saved.and_then(|saved| saved.envelope.subject_id));
        let subject_id = match known {
            Some(subject_id) => subject_id,
            None => self.vault.new_subject(self.merchant.owner).await.map_err(|error| rejection::read(&error))?,
        };
        Ok((subject_id, email.as_deref().and_then(mail::address)))
    }

    async fn ticket(&self, unit: &Unit<'_>, public_id: &str) -> Result<Loaded<Ticket>, Problem> {
        let stream = StreamId::new(Category::Ticket, TicketId::of(self.merchant.owner, public_id));
        unit.load::<Ticket>(stream).await.map_err(|error| rejection::read(&error))
    }

    /// Says on the ticket what was done. The address stays out of it: it is sealed with another key.
    async fn note(
        &self,
        unit: &mut Unit<'_>,
        ticket: &mut Loaded<Ticket>,
        message_id: MessageId,
        cause: Option<EventId>,
    ) -> Result<(), Problem> {
        let body = format!("The proof of receipt {} is on its way to the buyer by mail.", self.receipt_id);
        let of_thread = ticket.state.thread().map(|thread| thread.subject_id);
        let owner = self.merchant.owner;
        let subject_id = self.vault.subject_or_new(owner, of_thread).await.map_err(|error| rejection::read(&error))?;
        let note = ticket::Command::AddMessage { message_id, author_type: AuthorType::System, subject_id, body };
        unit.decide(ticket, note, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
        Ok(())
    }

    fn text(&self, receipt: &ReceiptCreated) -> String {
        let mut paragraphs = vec!["Here is the proof of your payment.".to_owned()];
        let amount = amount(receipt).map(|amount| format!("Amount: {amount}\n")).unwrap_or_default();
        paragraphs.push(format!("Receipt: {}\n{amount}Transaction: {}", self.receipt_id, receipt.tx_signature));
        paragraphs.push(format!("See your receipt:\n{}", self.settings.receipt_page_url(self.receipt_id)));
        paragraphs.push(format!("Check its hash and signature:\n{}", self.settings.verify_url(self.receipt_id)));
        if let Some(message) = &self.asked.message {
            paragraphs.push("The seller adds:".into());
            paragraphs.push(message.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n"));
        }
        paragraphs.push("You receive this mail because the seller asked us to send you this proof.".into());
        paragraphs.join("\n\n")
    }
}

/// The amount as people write it, where the receipt names its asset.
fn amount(receipt: &ReceiptCreated) -> Option<String> {
    let document: Value = serde_json::from_str(&receipt.receipt_json).ok()?;
    let symbol = document.pointer("/payment/asset_symbol")?.as_str()?;
    let decimals = usize::try_from(document.pointer("/payment/asset_decimals")?.as_u64()?).ok().filter(|decimals| *decimals <= 18)?;
    let digits = format!("{:0>width$}", receipt.amount.units(), width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    let part = part.trim_end_matches('0');
    Some(if part.is_empty() { format!("{whole} {symbol}") } else { format!("{whole}.{part} {symbol}") })
}
