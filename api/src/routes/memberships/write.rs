//! RT-028 to RT-030 and RT-035: notes, the handle, gifts, revocation, and whether the member goes on.

use super::shown::Membership;
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Body,
        fresh::{Fresh, MinPosition},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::context,
    services::memberships::{self as service, Decided},
    state::State,
};
use axum::{
    extract::{FromRef, State as Part},
    response::Response,
};
use events::{
    clock::Clock,
    log::Log,
    vocab::{bytes::Hash32, id::MembershipId},
};
use ledger::membership::Command;
use projections::{
    Reader,
    memberships::{self, Told},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::delivery::Handover;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(save_notes))
        .routes(routes!(update_profile))
        .routes(routes!(gift))
        .routes(routes!(revoke))
        .routes(routes!(cancel_renewal))
        .routes(routes!(resume_renewal))
}

/// Your notes, whole.
#[derive(Deserialize, ToSchema)]
struct MembershipNotes {
    /// At most 5000 characters; null or no text clears them.
    notes: Option<String>,
}

/// A corrected handle or label.
#[derive(Deserialize, ToSchema)]
struct Profile {
    /// 1 to 200 characters. The verified identity stays as it is.
    #[schema(example = "@crzypeas")]
    platform_display: String,
}

/// Days to give away.
#[derive(Deserialize, ToSchema)]
struct Gift {
    /// 1 to 366.
    days: i64,
    /// Why, for yourself.
    note: Option<String>,
}

/// Why a membership ends.
#[derive(Deserialize, ToSchema)]
struct Revocation {
    /// A code of `a-z`, `0-9` and `_`.
    #[schema(example = "refund")]
    reason: String,
    /// Why, for yourself.
    note: Option<String>,
}

/// What every edit of a membership needs.
#[derive(Clone)]
struct Edit {
    commands: Commands,
    log: Log,
    reader: Reader,
    fresh: Fresh,
    clock: Clock,
    handover: Handover,
}

impl FromRef<State> for Edit {
    fn from_ref(state: &State) -> Self {
        Edit {
            commands: state.commands.clone(),
            log: state.log.clone(),
            reader: state.reader.clone(),
            fresh: state.fresh.clone(),
            clock: state.clock.clone(),
            handover: state.handover.clone(),
        }
    }
}

/// One request to edit one membership.
struct Request<'a> {
    merchant: &'a Merchant,
    request_id: &'a str,
    id: &'a Segment,
    /// `POST …/gift`, as the idempotency key's operation.
    route: &'static str,
    key: Option<String>,
    hash: [u8; 32],
}

impl Edit {
    /// Decides `command`, appends it with what follows for access, and answers with the membership as it is then.
    async fn run(&self, request: Request<'_>, command: Command) -> Result<Response, Problem> {
        let Request { merchant, request_id, id, route, key, hash } = request;
        let id: MembershipId = id.id(Code::MembershipNotFound)?;
        let operation = Operation { owner: merchant.owner, name: format!("{route} {id}"), key, request_hash: hash };
        self.commands
            .run(operation, || async {
                let context = context(merchant, true, request_id);
                let decided = service::decide(&self.log, &self.handover, context, merchant, id, command.clone()).await?;
                self.draft(merchant, id, decided).await
            })
            .await
    }

    /// The row as it was when the membership was read, and what was decided on top of it.
    async fn draft<'l>(&self, merchant: &Merchant, id: MembershipId, decided: Decided<'l>) -> Result<Draft<'l>, Problem> {
        let Decided { unit, membership, made } = decided;
        for name in super::read::READS {
            self.fresh.wait(name, Some(merchant.owner), MinPosition(membership.last_position)).await?;
        }
        let row = memberships::row(&self.reader, merchant.owner, id).await.map_err(rejection::query)?;
        let mut row = row.ok_or_else(|| Problem::of(Code::MembershipNotFound))?;
        let now = self.clock.now();
        for new in unit.new_events().filter(|new| made.contains(&new.event_id)) {
            let personal = new.personal.as_ref().map(|(_, personal)| personal);
            row.tell(&new.event, &Told { event_id: new.event_id, at: now, personal });
        }
        let view = memberships::shown(&self.reader, vec![row]).await.map_err(rejection::query)?.pop();
        let view = view.ok_or_else(|| Problem::of(Code::MembershipNotFound))?;
        let answer = Answer::ok(Membership::at(view, now))?;
        Ok(Draft { unit, answer: answer.stamped_as(&["updated_at"]) })
    }
}

/// Save notes
///
/// Context for you alone: no buyer, receipt or page shows it.
#[utoipa::path(patch, path = "/v1/memberships/{membership_id}/notes", tag = "memberships", operation_id = "save_membership_notes",
    params(("membership_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = MembershipNotes, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The membership", body = Membership), answers::Write))]
async fn save_notes(
    Part(edit): Part<Edit>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value, hash }: Body<MembershipNotes>,
) -> Result<Response, Problem> {
    let route = "PATCH /v1/memberships/{membership_id}/notes";
    let request = Request { merchant: &merchant, request_id: &request_id, id: &id, route, key, hash };
    edit.run(request, Command::SaveNotes { notes: value.notes }).await
}

/// Correct the handle
///
/// Changes what the member is shown and found by; the identity that was verified stays.
#[utoipa::path(patch, path = "/v1/memberships/{membership_id}/profile", tag = "memberships", operation_id = "update_membership_profile",
    params(("membership_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Profile, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The membership", body = Membership), answers::Write))]
async fn update_profile(
    Part(edit): Part<Edit>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value, hash }: Body<Profile>,
) -> Result<Response, Problem> {
    let route = "PATCH /v1/memberships/{membership_id}/profile";
    let request = Request { merchant: &merchant, request_id: &request_id, id: &id, route, key, hash };
    edit.run(request, Command::UpdateProfile { platform_display: value.platform_display }).await
}

/// Give days away
///
/// Extends the paid time, from its end or from now if that is over. Nothing is charged, and there is no payment and no receipt.
#[utoipa::path(post, path = "/v1/memberships/{membership_id}/gift", tag = "memberships", operation_id = "gift_membership",
    params(("membership_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Gift, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The membership with its new end", body = Membership), answers::Write))]
async fn gift(
    Part(edit): Part<Edit>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value, hash }: Body<Gift>,
) -> Result<Response, Problem> {
    let route = "POST /v1/memberships/{membership_id}/gift";
    let request = Request { merchant: &merchant, request_id: &request_id, id: &id, route, key, hash };
    // No number of days that does not fit is one that may be given.
    let days = u32::try_from(value.days).unwrap_or(0);
    let now = edit.clock.now();
    edit.run(request, Command::Gift { days, note: value.note, now }).await
}

/// Revoke a membership
///
/// Ends it now, and with it the access that its payments bought. Doing so again changes nothing. A new payment begins it again.
#[utoipa::path(post, path = "/v1/memberships/{membership_id}/revoke", tag = "memberships", operation_id = "revoke_membership",
    params(("membership_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Revocation, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The revoked membership", body = Membership), answers::Write))]
async fn revoke(
    Part(edit): Part<Edit>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value, hash }: Body<Revocation>,
) -> Result<Response, Problem> {
    let route = "POST /v1/memberships/{membership_id}/revoke";
    let request = Request { merchant: &merchant, request_id: &request_id, id: &id, route, key, hash };
    let now = edit.clock.now();
    edit.run(request, Command::Revoke { reason: value.reason, note: value.note, now }).await
}

/// Note that the member will not go on
///
/// He keeps his access until its end, and is not reminded of it. A payment all the same renews the membership.
#[utoipa::path(post, path = "/v1/memberships/{membership_id}/cancel-renewal", tag = "memberships", operation_id = "cancel_membership_renewal",
    params(("membership_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The membership", body = Membership), answers::Write))]
async fn cancel_renewal(
    Part(edit): Part<Edit>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
) -> Result<Response, Problem> {
    let route = "POST /v1/memberships/{membership_id}/cancel-renewal";
    let request = Request { merchant: &merchant, request_id: &request_id, id: &id, route, key, hash: Hash32::of([]).0 };
    edit.run(request, Command::CancelRenewal).await
}

/// Note that the member will go on after all
#[utoipa::path(post, path = "/v1/memberships/{membership_id}/resume-renewal", tag = "memberships", operation_id = "resume_membership_renewal",
    params(("membership_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The membership", body = Membership), answers::Write))]
async fn resume_renewal(
    Part(edit): Part<Edit>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
) -> Result<Response, Problem> {
    let route = "POST /v1/memberships/{membership_id}/resume-renewal";
    let request = Request { merchant: &merchant, request_id: &request_id, id: &id, route, key, hash: Hash32::of([]).0 };
    edit.run(request, Command::ResumeRenewal).await
}
