//! RT-090 `GET …/rails/production-readiness` and RT-091 `GET …/rails/proof-contracts`. Both only look (AC-89).

use super::rail_view::StaffRail;
use crate::{
    http::{answers, auth::Staff, problem::Problem, rejection},
    routes::rails::AdapterView,
    state::State,
};
use axum::{Json, extract::State as Part};
use ledger::rails::{Rail, proof_fields};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(production_readiness)).routes(routes!(proof_contracts))
}

/// How far every rail is from taking real payments.
#[derive(Serialize, ToSchema)]
struct Readiness {
    rails: Vec<StaffRail>,
}

/// What a proof of each rail holds.
#[derive(Serialize, ToSchema)]
struct ProofContracts {
    proof_contracts: Vec<ProofContract>,
}

/// What a proof of a rail holds, and what is done with it.
#[derive(Serialize, ToSchema)]
struct ProofContract {
    rail_id: &'static str,
    /// Null where the rail has none.
    proof_type: Option<&'static str>,
    /// Whether the form is only sketched: no adapter takes such proofs.
    scaffold: bool,
    /// What the payer's proof names, beside what every proof is bound to.
    proof_fields: &'static [&'static str],
    /// What every recorded proof is bound to.
    bound_to: &'static [&'static str],
    /// The seven parts, of an adapter that is registered.
    adapter: Option<AdapterView>,
}

/// What the service binds a proof to, whatever the rail (INV-8).
const BOUND_TO: &[&str] = &[
    "owner_id",
    "access_product_id",
    "product_id",
    "rail_id",
    "customer_identity",
    "amount_minor_units",
    "network",
    "payment_session_id",
    "requirement_hash",
];

impl From<&Rail> for ProofContract {
    fn from(rail: &Rail) -> Self {
        let proof_type = rail.adapter.as_ref().map(|adapter| adapter.proof_type).or(rail.proof_scaffold);
        ProofContract {
            rail_id: rail.rail_id.as_str(),
            proof_type,
            scaffold: rail.adapter.is_none() && proof_type.is_some(),
            proof_fields: proof_type.map(proof_fields).unwrap_or_default(),
            bound_to: if proof_type.is_some() { BOUND_TO } else { &[] },
            adapter: rail.adapter.as_ref().map(|adapter| AdapterView::new(adapter, rail.production_enabled)),
        }
    }
}

/// Gates of every rail
#[utoipa::path(get, path = "/v1/admin/access/rails/production-readiness", tag = "admin", operation_id = "rails_production_readiness",
    security(("bearer" = [])), responses((status = 200, description = "Every rail with its gates", body = Readiness), answers::Read))]
async fn production_readiness(Part(platform): Part<Platform>, _staff: Staff) -> Result<Json<Readiness>, Problem> {
    let standing = platform.standing().await.map_err(|error| rejection::read(&error))?;
    Ok(Json(Readiness { rails: standing.rails.iter().map(|rail| StaffRail::new(rail, &standing.policy.state)).collect() }))
}

/// Proof contracts of every rail
#[utoipa::path(get, path = "/v1/admin/access/rails/proof-contracts", tag = "admin", operation_id = "rails_proof_contracts",
    security(("bearer" = [])), responses((status = 200, description = "Every rail's proof", body = ProofContracts), answers::Read))]
async fn proof_contracts(Part(platform): Part<Platform>, _staff: Staff) -> Result<Json<ProofContracts>, Problem> {
    let rails = platform.rails().await.map_err(|error| rejection::read(&error))?;
    Ok(Json(ProofContracts { proof_contracts: rails.iter().map(ProofContract::from).collect() }))
}
