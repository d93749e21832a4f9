//! RT-031 and RT-032: trying a delivery again, and why it does not arrive. Neither touches the payment (INV-70).

use super::context;
use crate::{
    http::{
        answers,
        auth::Merchant,
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    state::State,
};
use axum::{Json, extract::State as Part, response::Response};
use events::{
    clock::Clock,
    log::{Context, Log},
    unit::{Loaded, Unit, load},
    vocab::{
        event::EventType,
        id::{AccessDeliveryId, MembershipId, PaymentId},
        stream::{Category, StreamId},
        words::{DeliveryMode, DeliveryStatus, DeliveryType},
    },
};
use ledger::{
    Cited,
    delivery::{self, Attempt, Command, Delivery, Request},
    membership::{Member, Membership},
    payment::Payment,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::delivery::{Diagnosis, Handover, Offer, static_outcome};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(retry)).routes(routes!(diagnose))
}

/// What became of the request.
#[derive(Serialize, ToSchema)]
struct Retried {
    #[schema(value_type = String, format = Uuid)]
    membership_id: MembershipId,
    /// `PENDING` while it is under way, `SENT` or what else it has come to.
    delivery_status: &'static str,
    /// Number of the attempt that was made or is about to be.
    attempt: u32,
    /// Whether the attempt is still to be made: the outcome shows in the membership.
    queued: bool,
}

/// What was found out about a delivery.
#[derive(Serialize, ToSchema)]
struct Diagnostics {
    #[schema(value_type = String, format = Uuid)]
    membership_id: MembershipId,
    /// `healthy`, `degraded`, `action_required` or `unknown`.
    overall_status: &'static str,
    summary: String,
    provider_state: ProviderState,
    checks: Vec<DeliveryCheck>,
    actions: Vec<Action>,
}

/// What the provider says now.
#[derive(Serialize, ToSchema)]
struct ProviderState {
    /// `telegram` or `discord`; null where access is a URL.
    provider: Option<&'static str>,
    /// `static_value`, `telegram_bot` or `discord_bot`; null where nothing is handed over.
    mode: Option<&'static str>,
    configured: bool,
    /// Null when it was not asked.
    reachable: Option<bool>,
    /// `in`, `in_without_role`, `out` or `banned`; null when it is not known.
    member: Option<&'static str>,
    /// A stable code.
    error: Option<&'static str>,
}

/// One question and its answer.
#[derive(Serialize, ToSchema)]
struct DeliveryCheck {
    /// `automation_configured`, `identity_usable`, `provider_membership_active` or `static_fallback`.
    id: &'static str,
    /// `pass`, `warn`, `fail`, `unknown` or `not_applicable`.
    status: &'static str,
    detail: String,
}

/// A call that may help.
#[derive(Serialize, ToSchema)]
struct Action {
    id: &'static str,
    label: &'static str,
    method: &'static str,
    endpoint: String,
}

impl Diagnostics {
    fn new(membership_id: MembershipId, found: Diagnosis) -> Self {
        let state = found.provider_state;
        Diagnostics {
            membership_id,
            overall_status: found.overall_status,
            summary: found.summary,
            provider_state: ProviderState {
                provider: state.provider,
                mode: state.mode.map(DeliveryMode::as_str),
                configured: state.configured,
                reachable: state.reachable,
                member: state.member,
                error: state.error,
            },
            checks: found
                .checks
                .into_iter()
                .map(|check| DeliveryCheck { id: check.id, status: check.status, detail: check.detail })
                .collect(),
            actions: found
                .actions
                .into_iter()
                .map(|action| Action { id: action.id, label: action.label, method: action.method, endpoint: action.endpoint })
                .collect(),
        }
    }
}

/// Hand access over again, now
///
/// For a membership that runs and whose access did not arrive, or must be made again. The payment is left alone.
#[utoipa::path(post, path = "/v1/memberships/{membership_id}/retry-delivery", tag = "memberships", operation_id = "retry_delivery",
    params(("membership_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "Tried, or queued", body = Retried), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn retry(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    Part(handover): Part<Handover>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    id: Segment,
) -> Result<Response, Problem> {
    let id: MembershipId = id.id(Code::MembershipNotFound)?;
    let name = format!("POST /v1/memberships/{{membership_id}}/retry-delivery {id}");
    let operation = Operation { owner: merchant.owner, name, key, request_hash: [0; 32] };
    commands
        .run(operation, || async {
            let member = member(&log, &merchant, id).await?;
            let again = Again { log: &log, handover: &handover, clock: &clock, member: &member };
            again.draft(context(&merchant, true, &request_id)).await
        })
        .await
}

/// Why access does not arrive
///
/// Asks the provider live, within bounds, and changes nothing.
#[utoipa::path(get, path = "/v1/memberships/{membership_id}/delivery-diagnostics", tag = "memberships",
    operation_id = "diagnose_delivery", params(("membership_id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "What was found", body = Diagnostics), answers::ReadOne))]
async fn diagnose(
    Part(log): Part<Log>,
    Part(handover): Part<Handover>,
    merchant: Merchant,
    id: Segment,
) -> Result<Json<Diagnostics>, Problem> {
    let id: MembershipId = id.id(Code::MembershipNotFound)?;
    let member = member(&log, &merchant, id).await?;
    let found = handover.diagnose(id, member.product_id, latest(&member)?).await.map_err(rejection::deliver)?;
    Ok(Json(Diagnostics::new(id, found)))
}

/// The merchant's live member, from the membership's own stream.
pub(super) async fn member(log: &Log, merchant: &Merchant, id: MembershipId) -> Result<Member, Problem> {
    let membership = load::<Membership>(log, StreamId::new(Category::Membership, id)).await.map_err(|error| rejection::read(&error))?;
    let his = membership.owner_id == Some(merchant.owner) && membership.livemode == Some(true);
    membership.state.member().filter(|_| his).cloned().ok_or_else(|| Problem::of(Code::MembershipNotFound))
}

/// The payment of the current period.
pub(super) fn latest(member: &Member) -> Result<PaymentId, Problem> {
    member.payments.last().copied().ok_or_else(|| Problem::of(Code::MembershipNotFound))
}

/// A delivery that is to be tried again.
struct Again<'a, 'l> {
    log: &'l Log,
    handover: &'a Handover,
    clock: &'a Clock,
    member: &'a Member,
}

impl<'l> Again<'_, 'l> {
    async fn draft(&self, context: Context) -> Result<Draft<'l>, Problem> {
        let id = self.member.membership_id;
        let payment = latest(self.member)?;
        let access_runs = self.handover.access_runs(Some(id)).await.map_err(rejection::deliver)?;
        if !access_runs {
            return Err(Problem::of(Code::MembershipNotActive).next_action("A further payment or a gift begins it again."));
        }
        let offer = self.handover.offer(self.member.product_id).await.map_err(rejection::deliver)?;
        let mode = offer.settings.mode(self.handover.automation());
        let mut unit = Unit::new(self.log, context);
        let stream = StreamId::new(Category::Delivery, AccessDeliveryId::of(payment));
        let mut delivery = unit.load::<Delivery>(stream).await.map_err(|error| rejection::read(&error))?;
        if let Some(correlation_id) = delivery.correlation_id {
            unit.correlate(correlation_id);
        }
        match (delivery.state.case().map(|case| case.mode), mode) {
            (None, None) => {}
            (None, Some(mode)) => self.request(&mut unit, &mut delivery, payment, mode).await?,
            (Some(before), mode) => {
                let command = Command::RequestRetry { mode: mode.map_or(before, |(_, mode)| mode), access_runs };
                let cause = delivery.last_event;
                unit.decide(&mut delivery, command, cause).map_err(refused)?;
            }
        }
        self.hand_over_value(&mut unit, &mut delivery, &offer)?;
        let (status, attempts) = (delivery.state.status(), delivery.state.case().map_or(0, |case| case.attempts));
        let queued = status == DeliveryStatus::Pending;
        let attempt = if queued { attempts.saturating_add(1) } else { attempts };
        Ok(Draft { unit, answer: Answer::ok(Retried { membership_id: id, delivery_status: status.as_str(), attempt, queued })? })
    }

    /// The product handed nothing over when it was paid for, and does now.
    async fn request(
        &self,
        unit: &mut Unit<'l>,
        delivery: &mut Loaded<Delivery>,
        payment: PaymentId,
        (delivery_type, mode): (DeliveryType, DeliveryMode),
    ) -> Result<(), Problem> {
        let payment =
            load::<Payment>(self.log, StreamId::new(Category::Payment, payment)).await.map_err(|error| rejection::read(&error))?;
        let (Payment::Confirmed { confirmed, .. }, Some(confirmed_event)) = (&payment.state, payment.first(EventType::PaymentConfirmed))
        else {
            return Err(Problem::of(Code::PaymentNotFound));
        };
        if let Some(correlation_id) = payment.correlation_id {
            unit.correlate(correlation_id);
        }
        let request = Request {
            payment: Cited::new(confirmed_event, (**confirmed).clone()),
            access_product_id: self.member.access_product_id,
            membership_id: Some(self.member.membership_id),
            subject_id: self.member.subject_id,
            delivery_type,
            mode,
        };
        unit.decide(delivery, Command::Request(Box::new(request)), Some(confirmed_event)).map_err(refused)?;
        Ok(())
    }

    /// What needs no bot is handed over at once.
    fn hand_over_value(&self, unit: &mut Unit<'l>, delivery: &mut Loaded<Delivery>, offer: &Offer) -> Result<(), Problem> {
        let now = self.clock.now();
        let Some(case) = delivery.state.case().filter(|case| case.mode == DeliveryMode::StaticValue) else { return Ok(()) };
        let Some(attempt) = case.due(now) else { return Ok(()) };
        let attempt = Attempt { attempt, mode: DeliveryMode::StaticValue, outcome: static_outcome(offer), now };
        let cause = delivery.last_event;
        unit.decide(delivery, Command::RecordAttempt(Box::new(attempt)), cause).map_err(refused)?;
        Ok(())
    }
}

fn refused(refused: delivery::Rejection) -> Problem {
    rejection::decided(refused.code(), refused)
}
