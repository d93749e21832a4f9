//! RT-116 `GET /v1/admin/access/audit-events`: pages of the log, for staff and auditors. That someone reads is itself in the log.

use super::input;
use crate::{
    http::{
        answers,
        auth::LogReader,
        body::Params,
        paging,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::log_reads,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    log::{Log, PageFilter},
    vocab::{
        bytes::Hash32,
        event::EventType,
        id::{EventId, OwnerId},
        stream::{Actor, Recorded, StreamId},
        time::Timestamp,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(audit_events))
}

/// Which part of the log.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Events after this position; from the beginning unless told.
    after_position: Option<u64>,
    /// Events of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// Of one stream: its category, a hyphen and its id.
    stream: Option<String>,
    /// Of one type.
    #[serde(rename = "type")]
    event_type: Option<String>,
    /// Of one workspace.
    owner_id: Option<String>,
}

/// A page of the log.
#[derive(Serialize, ToSchema)]
struct AuditPage {
    items: Vec<AuditEvent>,
    /// `after_position` of the next page. It moves on even when nothing on the page matched; null while the log has no event.
    next_after_position: Option<u64>,
    /// Position of the log's last event; null while there is none.
    head_position: Option<u64>,
}

/// An event as the log holds it, without what is sealed.
#[derive(Serialize, ToSchema)]
struct AuditEvent {
    position: u64,
    #[schema(value_type = String)]
    stream: StreamId,
    version: u64,
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
    event_type: &'static str,
    schema_version: u16,
    #[schema(value_type = Option<String>, format = Uuid)]
    owner_id: Option<OwnerId>,
    livemode: bool,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    correlation_id: Uuid,
    #[schema(value_type = Option<String>, format = Uuid)]
    causation_id: Option<EventId>,
    #[schema(value_type = Object)]
    actor: Actor,
    /// Its leaf in the proof tree, hex.
    #[schema(value_type = String)]
    leaf: Hash32,
    /// The payload; personal data is never among it.
    #[schema(value_type = Object)]
    data: Value,
}

impl AuditEvent {
    fn new(recorded: Recorded) -> Result<Self, Problem> {
        let event = recorded.decode().map_err(|error| Problem::internal(&error, "show an event"))?;
        let data = serde_json::to_value(&event).map_err(|error| Problem::internal(&error, "show an event"))?;
        let envelope = recorded.envelope;
        Ok(AuditEvent {
            position: recorded.position,
            stream: envelope.stream,
            version: envelope.version,
            event_id: envelope.event_id,
            event_type: envelope.event_type.as_str(),
            schema_version: envelope.schema_version,
            owner_id: envelope.owner_id,
            livemode: envelope.livemode,
            recorded_at: envelope.recorded_at,
            correlation_id: envelope.correlation_id,
            causation_id: envelope.causation_id,
            actor: envelope.actor,
            leaf: recorded.leaf,
            data,
        })
    }
}

impl Asked {
    fn filter(&self) -> Result<PageFilter, Problem> {
        let unknown = || Problem::field(Code::ValidationFailed, "type", "a type of event, such as payment.confirmed");
        let not_an_id = |_| Problem::field(Code::ValidationFailed, "owner_id", "a uuid");
        Ok(PageFilter {
            stream: self.stream.as_deref().map(|text| input::word("stream", text)).transpose()?,
            event_type: self.event_type.as_deref().map(|name| EventType::parse(name).ok_or_else(unknown)).transpose()?,
            owner_id: self.owner_id.as_deref().map(str::parse).transpose().map_err(not_an_id)?,
        })
    }
}

/// Pages of the log
#[utoipa::path(get, path = "/v1/admin/access/audit-events", tag = "admin", operation_id = "audit_events", params(Asked),
    security(("bearer" = [])), responses((status = 200, description = "A page of the log", body = AuditPage), answers::Read))]
async fn audit_events(
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    reader: LogReader,
    RequestId(request_id): RequestId,
    Params(asked): Params<Asked>,
) -> Result<Json<AuditPage>, Problem> {
    let (filter, limit) = (asked.filter()?, paging::in_range("limit", asked.limit)?);
    log_reads::record(&log, &clock, &reader, request_id).await?;
    let from = asked.after_position.map_or(0, |position| position.saturating_add(1));
    let page = log.read_page(filter, from, limit).await.map_err(|error| rejection::read(&error))?;
    Ok(Json(AuditPage {
        items: page.events.into_iter().map(AuditEvent::new).collect::<Result<_, _>>()?,
        next_after_position: page.next_position.checked_sub(1),
        head_position: page.head_position.checked_sub(1),
    }))
}
