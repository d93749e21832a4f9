//! RT-102 `PUT …/rails/{rail_id}/capability`: the platform's policy on a rail. Opening a gate is refused unless the live set holds.

use super::{Order, rail_view::StaffRail, refused};
use crate::{
    http::{
        answers,
        idempotency::{Answer, Commands, Draft},
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    routes::input,
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{log::Log, unit::Unit, vocab::rail::CapabilityStatus};
use ledger::platform::{Command, UpdateCapability};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::{Platform, Standing};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(update))
}

/// What to say of a rail. What is left out stays as it is; an empty text or list takes away what was said.
#[derive(Deserialize, ToSchema)]
struct Update {
    /// `production_available`, `sandbox_available`, `private_alpha_target` or `review_required`.
    status: Option<String>,
    /// The gate of live sessions.
    production_enabled: Option<bool>,
    /// The gate of sandbox sessions.
    sandbox_enabled: Option<bool>,
    /// `open` or `closed`: whether settled payments become access.
    live_apply_gate: Option<String>,
    /// Who provides the chain's word, and how many must agree.
    provider_policy: Option<String>,
    /// What a provider's webhook is good for.
    webhook_policy: Option<String>,
    /// Which tokens count.
    token_policy: Option<String>,
    /// When a payment is final.
    finality_policy: Option<String>,
    /// Chains that an EVM rail may settle on (CAIP-2).
    allowlisted_chains: Option<Vec<String>>,
    /// Where secrets are kept: `env:NAME` or `secret:path`. Never a secret.
    secret_references: Option<Vec<String>>,
    /// Why.
    reason: Option<String>,
}

/// Say what a rail is
#[utoipa::path(put, path = "/v1/admin/access/rails/{rail_id}/capability", tag = "admin", operation_id = "set_rail_capability",
    params(("rail_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Update, security(("bearer" = [])),
    responses((status = 200, description = "The rail", body = StaffRail), answers::Write))]
async fn update(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(platform): Part<Platform>,
    path: Segment,
    Order { act, asked }: Order<Update>,
) -> Result<Response, Problem> {
    let rail_id = input::rail("rail_id", &path.0)?;
    let status = asked.status.as_deref().map(|text| input::word::<CapabilityStatus>("status", text)).transpose()?;
    let open = match asked.live_apply_gate.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("closed") => Some(false),
        Some(_) => return Err(Problem::field(Code::ValidationFailed, "live_apply_gate", "open or closed")),
    };
    let answer = commands
        .run(act.operation(None), || async {
            let mut unit = Unit::new(&log, act.context(None, true));
            let Standing { mut policy, rails } = platform.standing().await.map_err(|error| rejection::read(&error))?;
            let said = act.said(asked.reason.as_deref().unwrap_or_default());
            let command = UpdateCapability {
                rail: rails.get(rail_id).clone(),
                status,
                production_enabled: asked.production_enabled,
                sandbox_enabled: asked.sandbox_enabled,
                provider_policy: asked.provider_policy.clone(),
                webhook_policy: asked.webhook_policy.clone(),
                token_policy: asked.token_policy.clone(),
                finality_policy: asked.finality_policy.clone(),
                allowlisted_chains: asked.allowlisted_chains.clone(),
                secret_references: asked.secret_references.clone(),
                said: said.clone(),
            };
            let cause = policy.last_event;
            unit.decide(&mut policy, Command::UpdateCapability(Box::new(command)), cause).map_err(refused)?;
            if let Some(open) = open {
                let rail = Box::new(platform.built_with().under(&policy.state).get(rail_id).clone());
                let cause = policy.last_event;
                unit.decide(&mut policy, Command::SetLiveApply { rail, open, said }, cause).map_err(refused)?;
            }
            let rails = platform.built_with().under(&policy.state);
            Ok(Draft { unit, answer: Answer::ok(StaffRail::new(rails.get(rail_id), &policy.state))? })
        })
        .await;
    // This process shows it at once; the others within their bound.
    platform.rails().await.map_err(|error| rejection::read(&error))?;
    answer
}
