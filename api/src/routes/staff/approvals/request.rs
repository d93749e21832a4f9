//! RT-105: asking for an approval of something as it is now.

use super::{Edit, refused, signature, view::ApprovalView};
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
        event::{ApprovalSubject, ReviewedSetting, SubjectErasure, TreasuryWalletChange},
        id::{ApprovalId, RailSettingId, SubjectId, TreasuryId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    approval::Command,
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
pub(super) struct NewApproval {
    /// Its id, a uuid that nothing else has: chosen by whoever signs the request, or answered by `POST …/statement`.
    pub approval_id: Option<String>,
    /// `rail_setting_verification`, `fee_collection_activation`, `hilt_treasury_wallet_change` or `subject_erasure`.
    action: String,
    /// The rail setting's id; for a wallet of Hilt's own, the rail; for an erasure, the person's subject id.
    target: String,
    /// What was looked at, to be compared with what the setting says now; for a wallet of Hilt's own, the wallet that is to be.
    #[serde(default)]
    payload: Payload,
    /// Why; of an erasure a code of a-z, 0-9 and _, for it stays in the log.
    pub reason: Option<String>,
    /// Base64 of the operator's Ed25519 signature over the request's statement; required of who has a key.
    signature: Option<String>,
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
    let approval_id = chosen_id(&asked)?;
    let signature = signature(asked.signature.as_deref())?;
    edit.commands
        .run(act.operation(None), || async {
            let subject = Box::new(subject(&edit, &asked).await?);
            let mut unit = Unit::new(&edit.log, act.context(None, true));
            let mut approval = edit.approval(approval_id).await?;
            let said = act.said(asked.reason.as_deref().unwrap_or_default());
            let signing = edit.signing(&mut unit, &act, signature).await?;
            unit.decide(&mut approval, Command::Request { approval_id, subject, said, signing }, None).map_err(refused)?;
            let answer = Answer::created(ApprovalView::of_stream(&approval, edit.clock.now())?)?.stamped();
            Ok(Draft { unit, answer })
        })
        .await
}

/// The id that the caller chose, or a new one.
pub(super) fn chosen_id(asked: &NewApproval) -> Result<ApprovalId, Problem> {
    let not_an_id = |_| Problem::field(Code::ValidationFailed, "approval_id", "a uuid");
    asked.approval_id.as_deref().map_or_else(|| Ok(new_id()), |text| text.parse().map_err(not_an_id))
}

/// What is asked for, as it is now.
pub(super) async fn subject(edit: &Edit, asked: &NewApproval) -> Result<ApprovalSubject, Problem> {
    let unknown = || {
        let actions: Vec<_> = ApprovalAction::ALL.iter().map(|action| action.as_str()).collect();
        Problem::field(Code::ValidationFailed, "action", actions.join(", "))
    };
    let log = &edit.log;
    Ok(match ApprovalAction::parse(&asked.action).ok_or_else(unknown)? {
        ApprovalAction::RailSettingVerification => ApprovalSubject::RailSettingVerification(looked_at(log, asked).await?),
        ApprovalAction::FeeCollectionActivation => ApprovalSubject::FeeCollectionActivation(looked_at(log, asked).await?),
        ApprovalAction::HiltTreasuryWalletChange => ApprovalSubject::HiltTreasuryWalletChange(wanted(asked)?),
        ApprovalAction::SubjectErasure => ApprovalSubject::SubjectErasure(person(edit, asked).await?),
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

/// The person, if he is known and can still be read.
async fn person(edit: &Edit, asked: &NewApproval) -> Result<SubjectErasure, Problem> {
    let subject_id: SubjectId = input::id(&asked.target, Code::SubjectNotFound)?;
    let standing = edit.vault.standing(subject_id).await.map_err(|error| rejection::read(&error))?;
    match standing.ok_or_else(|| Problem::of(Code::SubjectNotFound))?.erased {
        true => Err(Problem::of(Code::IdentityErased)),
        false => Ok(SubjectErasure { subject_id }),
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
