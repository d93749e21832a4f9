//! Persons, for staff: finding whose key is to be destroyed, and destroying it on an approval of two. What is asked for here is neither
//! recorded nor logged.

use super::Order;
use crate::{
    http::{
        answers,
        auth::Staff,
        body::QuestionBody,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    routes::input,
    services::{
        erasure::{Erase, Erased},
        subjects::of_stream,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    log::Log,
    vault::Vault,
    vocab::{
        id::{ApprovalId, OwnerId, SubjectId},
        stream::{Category, StreamId},
    },
};
use projections::{Reader, tickets};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(find)).routes(routes!(erase))
}

/// By what a person is looked for: one thing that he has, or the workspace and one identity.
#[derive(Deserialize, ToSchema)]
struct Wanted {
    membership_id: Option<Uuid>,
    payment_id: Option<Uuid>,
    payment_session_id: Option<Uuid>,
    sandbox_session_id: Option<Uuid>,
    entitlement_id: Option<Uuid>,
    receipt_id: Option<Uuid>,
    identity_session_id: Option<Uuid>,
    /// `hilt_ticket_…`.
    ticket_id: Option<String>,
    /// The workspace that knows the person by one of the identities below.
    owner_id: Option<Uuid>,
    external_customer_id: Option<String>,
    email: Option<String>,
    wallet: Option<String>,
    /// Kind of a platform's identity, such as `telegram`.
    identity_type: Option<String>,
    identity_value: Option<String>,
}

/// Persons. One human may be several: each identity that nobody has shown to be his stands for itself.
#[derive(Serialize, ToSchema)]
struct Found {
    subjects: Vec<Person>,
}

/// A person, by an id that says nothing of him.
#[derive(Serialize, ToSchema)]
struct Person {
    #[schema(value_type = String, format = Uuid)]
    subject_id: SubjectId,
    #[schema(value_type = String, format = Uuid)]
    owner_id: OwnerId,
    /// Whether his key is destroyed.
    erased: bool,
}

/// What permits it.
#[derive(Deserialize, ToSchema)]
struct Erasure {
    /// An approval of `subject_erasure`, approved by another than who asked for it.
    approval_id: String,
}

impl Wanted {
    fn streams(&self) -> Vec<StreamId> {
        let ids = [
            (Category::Membership, self.membership_id),
            (Category::Payment, self.payment_id),
            (Category::PaymentSession, self.payment_session_id),
            (Category::SandboxSession, self.sandbox_session_id),
            (Category::Entitlement, self.entitlement_id),
            (Category::Receipt, self.receipt_id),
            (Category::IdentitySession, self.identity_session_id),
        ];
        ids.into_iter().filter_map(|(category, id)| Some(StreamId::new(category, id?))).collect()
    }

    fn identities(&self) -> Vec<(&str, &str)> {
        let named = [
            ("external_customer_id", &self.external_customer_id),
            ("email", &self.email),
            ("wallet", &self.wallet),
            (self.identity_type.as_deref().unwrap_or_default(), &self.identity_value),
        ];
        let filled = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).is_some();
        named.into_iter().filter(|(_, value)| filled(value)).filter_map(|(kind, value)| Some((kind, value.as_deref()?.trim()))).collect()
    }
}

/// Find the person whom something is about
///
/// Exactly one key. Everyone in the same business transactions is named: a buyer's wallet and the identity he showed may be two persons.
#[utoipa::path(post, path = "/v1/admin/access/subjects/find", tag = "admin", operation_id = "find_subjects",
    request_body = Wanted, security(("bearer" = [])),
    responses((status = 200, description = "Who it is about", body = Found), answers::ReadOne))]
async fn find(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(reader): Part<Reader>,
    _staff: Staff,
    QuestionBody(wanted): QuestionBody<Wanted>,
) -> Result<Json<Found>, Problem> {
    let mut streams = wanted.streams();
    let identities = wanted.identities();
    let keys = streams.len() + identities.len() + usize::from(wanted.ticket_id.is_some());
    if keys != 1 {
        return Err(Problem::of(Code::LookupKeyRequired).next_action("Send one id, or owner_id and one identity."));
    }
    if let Some(public_id) = &wanted.ticket_id {
        let ticket = tickets::find_for_staff(&reader, public_id).await.map_err(rejection::query)?;
        let ticket = ticket.ok_or_else(|| Problem::of(Code::TicketNotFound))?;
        streams.push(StreamId::new(Category::Ticket, ticket.meta.id));
    }
    let mut found = BTreeSet::new();
    for stream in streams {
        found.extend(of_stream(&log, stream).await?);
        found.extend(vault.subjects_beside(stream).await.map_err(|error| rejection::read(&error))?);
    }
    if !identities.is_empty() {
        let owner = wanted.owner_id.ok_or_else(|| Problem::field(Code::ValidationFailed, "owner_id", "is required with an identity"))?;
        found.extend(vault.find_subjects(OwnerId(owner), &identities).await.map_err(|error| rejection::read(&error))?);
    }
    let mut subjects = Vec::new();
    for subject_id in found {
        if let Some(standing) = vault.standing(subject_id).await.map_err(|error| rejection::read(&error))? {
            subjects.push(Person { subject_id, owner_id: standing.owner, erased: standing.erased });
        }
    }
    match subjects.is_empty() {
        true => Err(Problem::of(Code::SubjectNotFound)),
        false => Ok(Json(Found { subjects })),
    }
}

/// Erase a person
///
/// Destroys one key, for good: what was sealed with it is read by nobody again, and every proof still verifies. To do it again is harmless.
#[utoipa::path(post, path = "/v1/admin/access/subjects/{subject_id}/erase", tag = "admin", operation_id = "erase_subject",
    params(("subject_id" = String, Path)), request_body = Erasure, security(("bearer" = [])),
    responses((status = 200, description = "It is done", body = Erased), answers::Write))]
async fn erase(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    path: Segment,
    Order { act, asked }: Order<Erasure>,
) -> Result<Json<Erased>, Problem> {
    let erase = Erase {
        subject_id: path.id(Code::SubjectNotFound)?,
        approval_id: input::id::<ApprovalId>(&asked.approval_id, Code::ApprovalNotFound)?,
        by: act.staff.id().to_owned(),
        actor: act.staff.actor.clone(),
        request_id: Some(act.request_id.0.clone()),
    };
    erase.run(&log, &vault).await.map(Json)
}
