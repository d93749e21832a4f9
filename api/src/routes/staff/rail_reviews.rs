//! RT-103 and RT-104: merchants' rail settings as staff see them, and what staff make of them (TR-27, TR-28).

use super::{Act, Order, approvals::Approved, blocked};
use crate::{
    http::{
        answers,
        auth::Staff,
        body::Params,
        fresh::{Fresh, MinPosition},
        idempotency::{Answer, Commands, Draft},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    routes::{
        input,
        rail_settings::view,
        save_rail_setting::{self, RailSettingView},
    },
    state::State,
};
use axum::{
    Json,
    extract::{FromRef, State as Part},
    response::Response,
};
use events::{
    clock::Clock,
    log::Log,
    unit::{Loaded, Unit, load},
    vocab::{
        event::{ApprovalSubject, ReviewedSetting},
        id::{ApprovalId, RailSettingId},
        stream::{Category, StreamId},
    },
};
use ledger::rail_setting::{Command, RailSetting, Rejection, Review};
use projections::{
    Reader,
    rail_settings::{self, SettingStatus, Wanted},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(apply)).routes(routes!(fee_collection))
}

/// Which settings.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `saved`, `pending_review`, `verified` or `rejected`.
    status: Option<String>,
    /// The rail.
    rail_id: Option<String>,
    /// The workspace.
    owner_id: Option<String>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Settings of every workspace, newest first.
#[derive(Serialize, ToSchema)]
struct Settings {
    rail_settings: Vec<StaffSetting>,
    /// All that match.
    count: u64,
    has_more: bool,
    next_cursor: Option<String>,
}

/// A setting, and whose it is.
#[derive(Serialize, ToSchema)]
struct StaffSetting {
    owner_id: Option<String>,
    /// Why it was rejected; null when it was not.
    rejected_because: Option<String>,
    #[serde(flatten)]
    setting: RailSettingView,
}

/// What a review came to.
#[derive(Deserialize, ToSchema)]
struct Outcome {
    /// The approval that it rests on; a rejection rests on none.
    approval_id: Option<String>,
    /// `verified` (unless told) or `rejected`.
    outcome: Option<String>,
    /// Why; the approval's reason unless told.
    reason: Option<String>,
}

/// What is known of the allowance for the fee.
#[derive(Deserialize, ToSchema)]
struct FeeCollection {
    /// `active` or `revoked`.
    status: String,
    /// The approval that `active` rests on.
    approval_id: Option<String>,
    /// Why; the approval's reason unless told.
    reason: Option<String>,
}

/// Rail settings of every workspace
#[utoipa::path(get, path = "/v1/admin/access/rail-settings", tag = "admin", operation_id = "staff_rail_settings", params(ListQuery),
    security(("bearer" = [])), responses((status = 200, description = "A page of settings", body = Settings), answers::Read))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    Part(platform): Part<Platform>,
    _staff: Staff,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<Settings>, Problem> {
    let asked = Asked::by_offset(query.limit, None, query.cursor.as_deref())?;
    let unknown = || Problem::field(Code::ValidationFailed, "status", "saved, pending_review, verified or rejected");
    let not_an_id = |_| Problem::field(Code::ValidationFailed, "owner_id", "a uuid");
    let wanted = Wanted {
        status: query.status.as_deref().map(|text| SettingStatus::parse(text).ok_or_else(unknown)).transpose()?,
        rail: query.rail_id.as_deref().map(|text| input::rail("rail_id", text)).transpose()?,
        owner: query.owner_id.as_deref().map(str::parse).transpose().map_err(not_an_id)?,
    };
    fresh.wait("rail_settings", None, min.or_head(&log)).await?;
    let page = rail_settings::for_staff(&reader, wanted, asked.window()).await.map_err(rejection::query)?;
    let rails = platform.shown().await.map_err(|error| rejection::read(&error))?;
    let (mut rows, count, now) = (page.items, page.total, clock.now());
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    let setting = |row: rail_settings::RailSetting| {
        let (owner_id, rejected_because) = (row.meta.owner_id.map(|owner| owner.to_string()), row.rejected_because.clone());
        view(row, &rails, now).map(|setting| StaffSetting { owner_id, rejected_because, setting })
    };
    Ok(Json(Settings {
        rail_settings: rows.into_iter().filter_map(setting).collect(),
        count,
        has_more: more.has_more,
        next_cursor: more.next_cursor,
    }))
}

/// What every word on a setting needs.
#[derive(Clone)]
struct Edit {
    commands: Commands,
    log: Log,
    platform: Platform,
}

impl FromRef<State> for Edit {
    fn from_ref(state: &State) -> Self {
        Edit { commands: state.commands.clone(), log: state.log.clone(), platform: state.platform.clone() }
    }
}

/// What is to be decided on a setting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Verify,
    Reject,
    ActivateFees,
    RevokeFees,
}

impl Edit {
    /// Decides on the setting, and on the approval that permits it, in one append: an approval is applied once.
    async fn decide(
        &self,
        act: &Act,
        id: RailSettingId,
        word: Word,
        approval_id: Option<ApprovalId>,
        reason: Option<&str>,
    ) -> Result<Response, Problem> {
        let setting = self.setting(id).await?;
        let (owner, livemode) = (setting.owner_id, setting.livemode.unwrap_or(true));
        self.commands
            .run(act.operation(owner), || async {
                let mut unit = Unit::new(&self.log, act.context(owner, livemode));
                let mut setting = self.setting(id).await?;
                let standing = self.platform.standing().await.map_err(|error| rejection::read(&error))?;
                unit.rely_on(&standing.policy);
                let RailSetting::Saved { setting: saved, .. } = &setting.state else { return Err(Problem::of(Code::RailSettingNotFound)) };
                let rail = standing.rails.get(saved.rail_id);
                let said = act.said(reason.unwrap_or_default());
                let mut approved = None;
                let review = match (word, approval_id) {
                    (Word::Reject, _) => Review::Reject(said),
                    (Word::RevokeFees, _) => Review::RevokeFees(said),
                    (Word::Verify | Word::ActivateFees, None) => {
                        return Err(Problem::field(
                            Code::ValidationFailed,
                            "approval_id",
                            "is required: another member of staff agrees first",
                        ));
                    }
                    (Word::Verify | Word::ActivateFees, Some(approval_id)) => {
                        let found = Approved::find(&self.log, approval_id).await?;
                        let reviewed = permitted(&found.subject, word, id)?.clone();
                        let production_enabled = rail.production_enabled;
                        let said = if reason.is_some() { said } else { act.said(&found.word.event.reason) };
                        let approval = found.word.clone();
                        approved = Some(found);
                        match word {
                            Word::ActivateFees => Review::ActivateFees { reviewed, approval, production_enabled, said },
                            _ => Review::Verify { reviewed, approval, production_enabled, said },
                        }
                    }
                };
                let cause = approved.as_ref().and_then(|approved| approved.approval.last_event).or(setting.last_event);
                let made = unit.decide(&mut setting, Command::Review(Box::new(review)), cause).map_err(|refused| {
                    let problem = rejection::decided(refused.code(), &refused);
                    match refused {
                        Rejection::PlatformNotProductionEnabled => blocked(problem, rail.closed_gates().names()),
                        _ => problem,
                    }
                })?;
                if let (Some(approved), Some(applied_event)) = (approved, made.last().copied()) {
                    approved.apply(&mut unit, act, applied_event)?;
                }
                let shown = save_rail_setting::view(&setting.state, rail).ok_or_else(|| Problem::of(Code::Internal))?;
                Ok(Draft { unit, answer: Answer::ok(shown)? })
            })
            .await
    }

    async fn setting(&self, id: RailSettingId) -> Result<Loaded<RailSetting>, Problem> {
        let setting = load::<RailSetting>(&self.log, StreamId::new(Category::RailSetting, id)).await;
        let setting = setting.map_err(|error| rejection::read(&error))?;
        if setting.is_new() { Err(Problem::of(Code::RailSettingNotFound)) } else { Ok(setting) }
    }
}

/// What the approval permits, if it is of this action and this setting.
fn permitted(subject: &ApprovalSubject, word: Word, id: RailSettingId) -> Result<&ReviewedSetting, Problem> {
    let reviewed = match (subject, word) {
        (ApprovalSubject::RailSettingVerification(reviewed), Word::Verify)
        | (ApprovalSubject::FeeCollectionActivation(reviewed), Word::ActivateFees) => reviewed,
        _ => return Err(Problem::new(Code::ApprovalNotApproved, "the approval is of another action")),
    };
    match reviewed.setting_id == id {
        true => Ok(reviewed),
        false => Err(Problem::new(Code::ApprovalNotApproved, "the approval is of another rail setting")),
    }
}

fn approval_id(text: &Option<String>) -> Result<Option<ApprovalId>, Problem> {
    text.as_deref().map(|text| input::id(text, Code::ApprovalNotFound)).transpose()
}

/// Verify or reject a rail setting
///
/// Verification rests on an approval and is refused on a rail that takes no real payments; a rejection needs no second person.
#[utoipa::path(post, path = "/v1/admin/access/rail-settings/{id}/apply-verification", tag = "admin",
    operation_id = "apply_rail_setting_verification",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Outcome, security(("bearer" = [])),
    responses((status = 200, description = "The setting", body = RailSettingView), answers::Write))]
async fn apply(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<Outcome>) -> Result<Response, Problem> {
    let id: RailSettingId = path.id(Code::RailSettingNotFound)?;
    let word = match asked.outcome.as_deref() {
        None | Some("verified") => Word::Verify,
        Some("rejected") => Word::Reject,
        Some(_) => return Err(Problem::field(Code::ValidationFailed, "outcome", "verified or rejected")),
    };
    edit.decide(&act, id, word, approval_id(&asked.approval_id)?, asked.reason.as_deref()).await
}

/// Say whether a merchant's fee can be collected
///
/// `active` rests on an approval of `fee_collection_activation`; `revoked` needs no second person.
#[utoipa::path(put, path = "/v1/admin/access/rail-settings/{id}/fee-collection", tag = "admin", operation_id = "set_fee_collection",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = FeeCollection, security(("bearer" = [])),
    responses((status = 200, description = "The setting", body = RailSettingView), answers::Write))]
async fn fee_collection(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<FeeCollection>) -> Result<Response, Problem> {
    let id: RailSettingId = path.id(Code::RailSettingNotFound)?;
    let word = match asked.status.as_str() {
        "active" => Word::ActivateFees,
        "revoked" => Word::RevokeFees,
        _ => return Err(Problem::field(Code::ValidationFailed, "status", "active or revoked")),
    };
    edit.decide(&act, id, word, approval_id(&asked.approval_id)?, asked.reason.as_deref()).await
}
