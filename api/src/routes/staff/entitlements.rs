//! RT-108: entitlements as support sees them, with what they rest on and what was told of them.

use crate::{
    http::{
        answers,
        auth::Staff,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    log::Log,
    vocab::{
        event::EventType,
        id::{
            AccessProductId, EntitlementId, EventId, MembershipId, OwnerId, PaymentId, ProductId, ReceiptId, SandboxSessionId, SessionId,
        },
        stream::{Actor, Category, Recorded, StreamId},
        time::Timestamp,
    },
};
use projections::{
    Reader, access_products,
    entitlements::{self, Entitlement, EntitlementStatus, Wanted},
    memberships, payments, products, webhook_deliveries,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(inspect))
}

/// Events of the audit context at most, the latest of each stream.
const CONTEXT: usize = 50;

/// Which entitlements.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `pending`, `active`, `expired`, `revoked` or `failed`.
    status: Option<String>,
    /// The workspace.
    owner_id: Option<String>,
    /// The access product's id.
    access_product_id: Option<String>,
    /// `false` for the sandbox's; live ones unless told.
    livemode: Option<bool>,
    /// `true` for those that a payment came for after staff had closed them.
    paid_when_closed: Option<bool>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Entitlements of every workspace, newest first.
#[derive(Serialize, ToSchema)]
struct EntitlementList {
    entitlements: Vec<EntitlementRow>,
    /// All that match.
    count: u64,
    has_more: bool,
    next_cursor: Option<String>,
}

/// An entitlement.
#[derive(Serialize, ToSchema)]
pub struct EntitlementRow {
    #[schema(value_type = String, format = Uuid)]
    id: EntitlementId,
    #[schema(value_type = Option<String>, format = Uuid)]
    owner_id: Option<OwnerId>,
    livemode: bool,
    /// As recorded: access ends by its time even before that is on record.
    status: &'static str,
    /// Why it was revoked, failed or blocked.
    reason: Option<String>,
    /// Whether a payment came after staff had closed it: nothing was opened, and a support case is open.
    paid_when_closed: bool,
    rail_id: &'static str,
    #[schema(value_type = String, format = Uuid)]
    access_product_id: AccessProductId,
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    external_customer_id: Option<String>,
    email: Option<String>,
    wallet: Option<String>,
    #[schema(value_type = Option<String>, format = Uuid)]
    payment_session_id: Option<SessionId>,
    #[schema(value_type = Option<String>, format = Uuid)]
    sandbox_session_id: Option<SandboxSessionId>,
    #[schema(value_type = Option<String>, format = Uuid)]
    payment_id: Option<PaymentId>,
    #[schema(value_type = Option<String>, format = Uuid)]
    receipt_id: Option<ReceiptId>,
    #[schema(value_type = Option<String>, format = Uuid)]
    membership_id: Option<MembershipId>,
    duration_days: u32,
    #[schema(value_type = Option<String>, format = DateTime)]
    active_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Entitlement> for EntitlementRow {
    fn from(row: Entitlement) -> Self {
        EntitlementRow {
            id: EntitlementId(row.meta.id),
            owner_id: row.meta.owner_id,
            livemode: row.meta.livemode,
            status: row.status.as_str(),
            reason: row.reason,
            paid_when_closed: row.paid_when_closed,
            rail_id: row.rail_id.as_str(),
            access_product_id: row.access_product_id,
            product_id: row.product_id,
            external_customer_id: row.external_customer_id,
            email: row.email,
            wallet: row.wallet,
            payment_session_id: row.session_id,
            sandbox_session_id: row.sandbox_session_id,
            payment_id: row.payment_id,
            receipt_id: row.receipt_id,
            membership_id: row.membership_id,
            duration_days: row.duration_days,
            active_from: row.active_from,
            expires_at: row.expires_at,
            created_at: row.meta.created_at,
            updated_at: row.meta.updated_at,
        }
    }
}

/// An entitlement with all that belongs to it.
#[derive(Serialize, ToSchema)]
struct Inspected {
    entitlement: EntitlementRow,
    related: Related,
    /// The latest events of its own stream and of its payment's, newest first.
    audit: Vec<AuditEntry>,
}

/// What an entitlement rests on.
#[derive(Serialize, ToSchema)]
struct Related {
    product: Option<ProductLink>,
    payment: Option<PaymentLink>,
    membership: Option<MembershipLink>,
    webhook_deliveries: Vec<DeliveryLink>,
}

#[derive(Serialize, ToSchema)]
struct ProductLink {
    id: Uuid,
    external_product_id: Option<String>,
    title: String,
    /// Whether it sells.
    status: String,
}

#[derive(Serialize, ToSchema)]
struct PaymentLink {
    id: Uuid,
    status: &'static str,
    amount_minor_units: u64,
    tx_signature: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct MembershipLink {
    id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    current_period_end_at: Timestamp,
    revoked: bool,
}

#[derive(Serialize, ToSchema)]
struct DeliveryLink {
    id: Uuid,
    event: &'static str,
    status: &'static str,
    attempts: usize,
}

/// An event of the audit context.
#[derive(Serialize, ToSchema)]
struct AuditEntry {
    position: u64,
    event_type: &'static str,
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
    #[schema(value_type = String)]
    stream: StreamId,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    #[schema(value_type = Object)]
    actor: Actor,
}

impl From<Recorded> for AuditEntry {
    fn from(recorded: Recorded) -> Self {
        let envelope = recorded.envelope;
        AuditEntry {
            position: recorded.position,
            event_type: envelope.event_type.as_str(),
            event_id: envelope.event_id,
            stream: envelope.stream,
            recorded_at: envelope.recorded_at,
            actor: envelope.actor,
        }
    }
}

/// Entitlements of every workspace
#[utoipa::path(get, path = "/v1/admin/access/entitlements", tag = "admin", operation_id = "staff_entitlements", params(ListQuery),
    security(("bearer" = [])), responses((status = 200, description = "A page of entitlements", body = EntitlementList), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    _staff: Staff,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<EntitlementList>, Problem> {
    let asked = Asked::by_offset(query.limit, None, query.cursor.as_deref())?;
    let unknown = || Problem::field(Code::ValidationFailed, "status", "pending, active, expired, revoked or failed");
    let not_an_id = |field| move |_: uuid::Error| Problem::field(Code::ValidationFailed, field, "a uuid");
    let wanted = Wanted {
        livemode: query.livemode.unwrap_or(true),
        paid_when_closed: query.paid_when_closed.unwrap_or(false),
        status: query.status.as_deref().map(|text| EntitlementStatus::parse(text).ok_or_else(unknown)).transpose()?,
        owner: query.owner_id.as_deref().map(str::parse).transpose().map_err(not_an_id("owner_id"))?,
        access_product: query.access_product_id.as_deref().map(str::parse).transpose().map_err(not_an_id("access_product_id"))?,
    };
    fresh.wait("entitlements", None, min.or_head(&log)).await?;
    let page = entitlements::for_staff(&reader, wanted, asked.window()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    Ok(Json(EntitlementList {
        entitlements: rows.into_iter().map(EntitlementRow::from).collect(),
        count,
        has_more: more.has_more,
        next_cursor: more.next_cursor,
    }))
}

/// One entitlement, with product, payment, membership, webhook deliveries and its recent past
#[utoipa::path(get, path = "/v1/admin/access/entitlements/{id}", tag = "admin", operation_id = "inspect_entitlement",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The entitlement", body = Inspected), answers::ReadOne))]
async fn inspect(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    _staff: Staff,
    min: MinPosition,
    path: Segment,
) -> Result<Json<Inspected>, Problem> {
    let id: EntitlementId = path.id(Code::EntitlementNotFound)?;
    let min = min.or_head(&log);
    for name in ["entitlements", "payments", "memberships", "access_products", "products", "webhook_deliveries"] {
        fresh.wait(name, None, min).await?;
    }
    let missing = || Problem::of(Code::EntitlementNotFound);
    let row = entitlements::find_for_staff(&reader, id).await.map_err(rejection::query)?.ok_or_else(missing)?;
    let owner = row.meta.owner_id.ok_or_else(missing)?;
    let mut audit = Vec::new();
    for (category, id) in streams(&row) {
        audit.extend(log.read_stream(StreamId::new(category, id), 0).await.map_err(|error| rejection::read(&error))?);
    }
    let related = related(&reader, owner, &row, &audit).await?;
    audit.sort_by_key(|recorded| std::cmp::Reverse(recorded.position));
    audit.truncate(CONTEXT);
    Ok(Json(Inspected { entitlement: row.into(), related, audit: audit.into_iter().map(AuditEntry::from).collect() }))
}

/// The streams that tell how an entitlement came to stand where it does.
fn streams(row: &Entitlement) -> Vec<(Category, Uuid)> {
    let all = [
        Some((Category::Entitlement, row.meta.id)),
        row.session_id.map(|id| (Category::PaymentSession, id.0)),
        row.sandbox_session_id.map(|id| (Category::SandboxSession, id.0)),
        row.payment_id.map(|id| (Category::Payment, id.0)),
        row.receipt_id.map(|id| (Category::Receipt, id.0)),
        row.membership_id.map(|id| (Category::Membership, id.0)),
    ];
    all.into_iter().flatten().collect()
}

async fn related(reader: &Reader, owner: OwnerId, row: &Entitlement, audit: &[Recorded]) -> Result<Related, Problem> {
    let access = access_products::find(reader, owner, row.access_product_id).await.map_err(rejection::query)?;
    let product = products::find(reader, owner, row.product_id).await.map_err(rejection::query)?;
    let payment = match row.payment_id {
        Some(id) => payments::find(reader, owner, id).await.map_err(rejection::query)?,
        None => None,
    };
    let membership = match row.membership_id {
        Some(id) => memberships::row(reader, owner, id).await.map_err(rejection::query)?,
        None => None,
    };
    let told_of = [
        EventType::PaymentConfirmed,
        EventType::ReceiptCreated,
        EventType::MembershipActivated,
        EventType::MembershipExpired,
        EventType::DeliveryFailed,
    ];
    let sources: Vec<EventId> =
        audit.iter().filter(|it| told_of.contains(&it.envelope.event_type)).map(|it| it.envelope.event_id).collect();
    let deliveries = webhook_deliveries::of_sources(reader, owner, &sources).await.map_err(rejection::query)?;
    Ok(Related {
        product: product.map(|product| ProductLink {
            id: product.meta.id,
            external_product_id: access.map(|access| access.external_product_id),
            title: product.title,
            status: product.status.to_string(),
        }),
        payment: payment.map(|payment| PaymentLink {
            id: payment.meta.id,
            status: payment.status.as_str(),
            amount_minor_units: payment.amount.units(),
            tx_signature: payment.tx_signature.map(|tx| tx.to_string()),
        }),
        membership: membership.map(|membership| MembershipLink {
            id: membership.meta.id,
            current_period_end_at: membership.current_period_end_at,
            revoked: membership.revoked_at.is_some(),
        }),
        webhook_deliveries: deliveries
            .into_iter()
            .map(|delivery| DeliveryLink {
                id: delivery.meta.id,
                event: delivery.event.as_str(),
                status: delivery.status.as_str(),
                attempts: delivery.attempts.len(),
            })
            .collect(),
    })
}
