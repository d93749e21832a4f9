//! The trial balance of the journal: an owner's own, and for staff and auditors everyone's.

use crate::{
    http::{
        answers,
        auth::{LogReader, Merchant},
        body::Params,
        fresh::{Fresh, MinPosition},
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::vocab::{event::AttestedBalance, id::OwnerId};
use projections::{
    Reader,
    journal::{self, TrialBalance},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(own))
}

/// Routes of this file for staff and auditors.
pub fn staff_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(all))
}

/// Sums of all postings. In every asset and mode the debits are the credits.
#[derive(Serialize, ToSchema)]
#[schema(as = TrialBalance)]
struct TrialBalanceAnswer {
    /// Whether in every asset and mode the debits are the credits.
    balanced: bool,
    /// One line for each asset, mode and account that has moved.
    lines: Vec<TrialBalanceLine>,
}

/// The sums of one account.
#[derive(Serialize, ToSchema)]
struct TrialBalanceLine {
    asset_symbol: String,
    asset_decimals: u8,
    /// The mint; for SOL itself, the address of wrapped SOL.
    asset_mint: String,
    livemode: bool,
    /// `buyer`: what buyers paid. `merchant`: what reached the merchant. `fee`: what Hilt earned. `receivable`: what the merchant owes of it.
    account: &'static str,
    /// In minor units, as decimal digits: a sum may be larger than JSON's integers are exact.
    debit_minor_units: String,
    /// Likewise.
    credit_minor_units: String,
}

impl TrialBalanceAnswer {
    fn new(lines: Vec<AttestedBalance>) -> Self {
        let balanced = TrialBalance::unbalanced(&lines).is_none();
        let line = |line: AttestedBalance| TrialBalanceLine {
            asset_symbol: line.asset.symbol,
            asset_decimals: line.asset.decimals,
            asset_mint: line.asset.mint.to_string(),
            livemode: line.livemode,
            account: line.account.as_str(),
            debit_minor_units: line.debit.to_string(),
            credit_minor_units: line.credit.to_string(),
        };
        TrialBalanceAnswer { balanced, lines: lines.into_iter().map(line).collect() }
    }
}

/// Trial balance
#[utoipa::path(get, path = "/v1/journal/trial-balance", tag = "receipts", operation_id = "get_trial_balance",
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The trial balance", body = TrialBalanceAnswer), answers::Read))]
async fn own(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
) -> Result<Json<TrialBalanceAnswer>, Problem> {
    merchant.require_live()?;
    fresh.wait("journal", Some(merchant.owner), min).await?;
    let lines = journal::trial_balance(&reader, Some(merchant.owner), Some(true)).await.map_err(rejection::query)?;
    Ok(Json(TrialBalanceAnswer::new(lines)))
}

/// Whose.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only this workspace's; everyone's unless told.
    owner_id: Option<String>,
}

/// Trial balance of all workspaces
#[utoipa::path(get, path = "/v1/admin/access/journal/trial-balance", tag = "admin", operation_id = "staff_trial_balance", params(Asked),
    security(("bearer" = [])), responses((status = 200, description = "The trial balance", body = TrialBalanceAnswer), answers::Read))]
async fn all(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    _reader: LogReader,
    min: MinPosition,
    Params(asked): Params<Asked>,
) -> Result<Json<TrialBalanceAnswer>, Problem> {
    let not_an_id = |_| Problem::field(Code::ValidationFailed, "owner_id", "a uuid");
    let owner: Option<OwnerId> = asked.owner_id.as_deref().map(str::parse).transpose().map_err(not_an_id)?;
    fresh.wait("journal", owner, min).await?;
    let lines = journal::trial_balance(&reader, owner, None).await.map_err(rejection::query)?;
    Ok(Json(TrialBalanceAnswer::new(lines)))
}
