//! RT-101 `PUT …/rails/{rail_id}/kill-switch`: the emergency stop, of a rail or of one chain of it (INV-30).

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
use events::{log::Log, unit::Unit};
use ledger::platform::Command;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::{Platform, Standing};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(switch))
}

/// A switch to set.
#[derive(Deserialize, ToSchema)]
struct SetSwitch {
    /// `tripped` or `not_tripped`.
    state: String,
    /// Why.
    reason: Option<String>,
    /// One chain (CAIP-2) of an EVM rail; the whole rail unless told.
    #[schema(example = "eip155:8453")]
    chain: Option<String>,
}

/// Trip or clear a rail's kill switch
///
/// While it is tripped, no session is opened on the rail and no settled payment becomes access; access that stands stays.
#[utoipa::path(put, path = "/v1/admin/access/rails/{rail_id}/kill-switch", tag = "admin", operation_id = "set_kill_switch",
    params(("rail_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = SetSwitch, security(("bearer" = [])),
    responses((status = 200, description = "The rail", body = StaffRail), answers::Write))]
async fn switch(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(platform): Part<Platform>,
    path: Segment,
    Order { act, asked }: Order<SetSwitch>,
) -> Result<Response, Problem> {
    let rail_id = input::rail("rail_id", &path.0)?;
    let tripped = match asked.state.as_str() {
        "tripped" => true,
        "not_tripped" => false,
        _ => return Err(Problem::field(Code::ValidationFailed, "state", "tripped or not_tripped")),
    };
    let answer = commands
        .run(act.operation(None), || async {
            let mut unit = Unit::new(&log, act.context(None, true));
            let Standing { mut policy, rails } = platform.standing().await.map_err(|error| rejection::read(&error))?;
            let rail = Box::new(rails.get(rail_id).clone());
            let said = act.said(asked.reason.as_deref().unwrap_or_default());
            let cause = policy.last_event;
            unit.decide(&mut policy, Command::Switch { rail, chain: asked.chain.clone(), tripped, said }, cause).map_err(refused)?;
            let rails = platform.built_with().under(&policy.state);
            Ok(Draft { unit, answer: Answer::ok(StaffRail::new(rails.get(rail_id), &policy.state))? })
        })
        .await;
    // This process shows it at once; the others within their bound.
    platform.rails().await.map_err(|error| rejection::read(&error))?;
    answer
}
