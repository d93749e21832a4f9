//! RT-105: asking for an approval of something as it is now.

use super::{Edit, refused, view::ApprovalView};
use crate::{
    http::{
        answers,
        idempotency::{Answer, Draft},
        problem::{Code, Problem},
        rejection,
    },
    routes::{input, staff::Order},
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::new_id,
    log::Log,
    unit::{Unit, load},
    vocab::{
        event::{ApprovalSubject, ReviewedSetting, TreasuryWalletChange},
        id::{ApprovalId, RailSettingId, TreasuryId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    approval::{Approval, Command},
    rail_setting::{RailSetting, reviewed},
    wallet,
};
use projections::approvals::ApprovalAction;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(request))
}

/// Something to approve.
#[derive(Deserialize, ToSchema)]
struct NewApproval {
    /// `rail_setting_verification`, `fee_collection_activation` or `hilt_treasury_wallet_change`.
    action: String,
    /// The rail setting's id; for a wallet of Hilt's own, the rail.
    target: String,
    /// What was looked at, to be compared with what the setting says now; for a wallet of Hilt's own, the wallet that is to be.
    #[serde(default)]
    payload: Payload,
    /// Why.
    reason: Option<String>,
}

/// What the member of staff looked at, or wants.
#[derive(Default, Deserialize, ToSchema)]
struct Payload {
    /// The payout address.
    payout_address: Option<String>,
    /// The wallet that Hilt is to be paid at.
    treasury_wallet: Option<String>,
}

/// Ask for an approval
///
/// Another member of staff decides; what is approved is the setting as it is now, or the wallet that is named.
#[utoipa::path(post, path = "/v1/admin/access/approvals", tag = "admin", operation_id = "request_approval",
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = NewApproval, security(("bearer" = [])),
    responses((status = 201, description = "The approval", body = ApprovalView), answers::Write))]
async fn request(Part(edit): Part<Edit>, Order { act, asked }: Order<NewApproval>) -> Result<Response, Problem> {
    let unknown = || {
        let actions: Vec<_> = ApprovalAction::ALL.iter().map(|action| action.as_str()).collect();
        Problem::field(Code::ValidationFailed, "action", actions.join(", "))
    };
    let action = ApprovalAction::parse(&asked.action).ok_or_else(unknown)?;
    let approval_id: ApprovalId = new_id();
    edit.commands
        .run(act.operation(None), || async {
            let subject = Box::new(subject(&edit.log, action, &asked).await?);
            let mut unit = Unit::new(&edit.log, act.context(None, true));
            let mut approval = unit.start::<Approval>(StreamId::new(Category::Approval, approval_id));
            let said = act.said(asked.reason.as_deref().unwrap_or_default());
            unit.decide(&mut approval, Command::Request { approval_id, subject, said }, None).map_err(refused)?;
            let answer = Answer::created(ApprovalView::of_stream(&approval, edit.clock.now())?)?.stamped();
            Ok(Draft { unit, answer })
        })
        .await
}

async fn subject(log: &Log, action: ApprovalAction, asked: &NewApproval) -> Result<ApprovalSubject, Problem> {
    Ok(match action {
        ApprovalAction::RailSettingVerification => ApprovalSubject::RailSettingVerification(looked_at(log, asked).await?),
        ApprovalAction::FeeCollectionActivation => ApprovalSubject::FeeCollectionActivation(looked_at(log, asked).await?),
        ApprovalAction::HiltTreasuryWalletChange => ApprovalSubject::HiltTreasuryWalletChange(wanted(asked)?),
    })
}

/// The setting as it is now, if it is what was looked at.
async fn looked_at(log: &Log, asked: &NewApproval) -> Result<ReviewedSetting, Problem> {
    let target: RailSettingId = input::id(&asked.target, Code::RailSettingNotFound)?;
    let setting = load::<RailSetting>(log, StreamId::new(Category::RailSetting, target)).await;
    let setting = setting.map_err(|error| rejection::read(&error))?;
    let (RailSetting::Saved { setting, .. }, Some(owner)) = (&setting.state, setting.owner_id) else {
        return Err(Problem::of(Code::RailSettingNotFound));
    };
    match &asked.payload.payout_address {
        Some(address) if Some(address) != setting.payout_address.as_ref() => {
            Err(Problem::new(Code::ApprovalStale, "the setting has another payout address than the one looked at"))
        }
        _ => Ok(reviewed(owner, setting)),
    }
}

/// Hilt's wallet on the rail, as it is to be.
fn wanted(asked: &NewApproval) -> Result<TreasuryWalletChange, Problem> {
    let rail_id = input::rail("target", &asked.target)?;
    let field = "payload.treasury_wallet";
    let wallet = asked.payload.treasury_wallet.clone();
    let wallet = wallet.ok_or_else(|| Problem::field(Code::ValidationFailed, field, "is required"))?;
    wallet::check(rail_id, &wallet).map_err(|rule| Problem::field(Code::InvalidWallet, field, rule.to_string()))?;
    Ok(TreasuryWalletChange { treasury_id: TreasuryId::of(rail_id), rail_id, wallet })
}
