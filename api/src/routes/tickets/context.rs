//! What a ticket may be about: only what the merchant owns.

use super::view::ContextView;
use crate::{
    http::{
        problem::{Code, FieldError, Problem},
        rejection,
    },
    services::subjects,
};
use events::{
    log::Log,
    vocab::{
        event::TicketContext,
        id::{OwnerId, SubjectId},
        stream::{Category, StreamId},
    },
};
use uuid::Uuid;

/// The context, if every id in it is one of `owner`'s. Somebody else's id and one of nothing are refused alike.
pub async fn checked(log: &Log, owner: OwnerId, context: &ContextView) -> Result<TicketContext, Problem> {
    let ids: [(&str, Category, Option<Uuid>); 5] = [
        ("payment_id", Category::Payment, context.payment_id),
        ("product_id", Category::Product, context.product_id),
        ("membership_id", Category::Membership, context.membership_id),
        ("receipt_id", Category::Receipt, context.receipt_id),
        ("entitlement_id", Category::Entitlement, context.entitlement_id),
    ];
    let mut errors = Vec::new();
    for (field, category, id) in ids {
        let Some(id) = id else { continue };
        if !belongs(log, owner, StreamId::new(category, id)).await? {
            errors.push(FieldError { field: format!("context.{field}"), message: "is no id of yours".into() });
        }
    }
    let Some(first) = errors.first() else { return Ok(context.into()) };
    let detail = format!("{}: {}", first.field, first.message);
    Err(Problem { errors, ..Problem::new(Code::ValidationFailed, detail) })
}

/// The buyer whom a ticket is about, if its context names something of one: his key seals it, so that it goes with him.
pub async fn subject_of(log: &Log, about: &TicketContext) -> Result<Option<SubjectId>, Problem> {
    let streams = [
        about.membership_id.map(|id| StreamId::new(Category::Membership, id)),
        about.entitlement_id.map(|id| StreamId::new(Category::Entitlement, id)),
        about.receipt_id.map(|id| StreamId::new(Category::Receipt, id)),
        about.payment_id.map(|id| StreamId::new(Category::Payment, id)),
    ];
    for stream in streams.into_iter().flatten() {
        if let Some(subject) = subjects::of_stream(log, stream).await?.into_iter().next() {
            return Ok(Some(subject));
        }
    }
    Ok(None)
}

async fn belongs(log: &Log, owner: OwnerId, stream: StreamId) -> Result<bool, Problem> {
    let events = log.read_stream(stream, 0).await.map_err(|error| rejection::read(&error))?;
    Ok(events.first().is_some_and(|first| first.envelope.owner_id == Some(owner)))
}
