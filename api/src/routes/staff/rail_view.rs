//! A rail as staff see it: what it was built with, what was said of it, and which gates hold.

use crate::routes::rails::AdapterView;
use ledger::{
    platform::{Platform, RailPolicy},
    rails::{Gate, KillSwitch, Rail},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A rail for staff.
#[derive(Serialize, ToSchema)]
pub struct StaffRail {
    rail_id: &'static str,
    status: &'static str,
    network: Option<&'static str>,
    settlement_asset: &'static str,
    supports_sandbox: bool,
    supports_live: bool,
    requires_review: bool,
    production_enabled: bool,
    sandbox_enabled: bool,
    /// `open` or `closed`: whether settled payments become access.
    live_apply_gate: &'static str,
    /// Whether every gate of the live set holds.
    production_ready: bool,
    /// The live set, each with whether it holds.
    gates: Vec<GateView>,
    /// Those that do not hold, by name.
    closed_gates: Vec<&'static str>,
    kill_switch: SwitchView,
    /// Where the rail settles on chains of its own choice: each with its switch.
    chains: Vec<ChainView>,
    adapter: Option<AdapterView>,
    provider_policy: Option<String>,
    webhook_policy: Option<String>,
    token_policy: Option<String>,
    finality_policy: Option<String>,
    allowlisted_chains: Vec<String>,
    /// Where secrets are kept; never secrets.
    secret_references: Vec<String>,
    /// The last word on the rail's capability; null while it is as it was built.
    changed_by: Option<String>,
    /// Why.
    reason: Option<String>,
}

/// A gate of the live set.
#[derive(Serialize, ToSchema)]
struct GateView {
    gate: &'static str,
    passed: bool,
}

/// An emergency stop.
#[derive(Serialize, ToSchema)]
struct SwitchView {
    /// `tripped` or `not_tripped`.
    state: &'static str,
    /// Who tripped it.
    tripped_by: Option<String>,
    /// Why.
    reason: Option<String>,
}

/// One chain of a rail.
#[derive(Serialize, ToSchema)]
struct ChainView {
    /// CAIP-2.
    chain: String,
    /// Whether sessions may be opened on it but for its switch.
    allowed: bool,
    #[serde(flatten)]
    switch: SwitchView,
}

impl StaffRail {
    /// `rail` as it stands under `policy`.
    pub fn new(rail: &Rail, policy: &Platform) -> Self {
        let policy = policy.rail(rail.rail_id);
        let said = policy.and_then(|policy| policy.capability.as_ref());
        let closed_gates = rail.closed_gates().names();
        StaffRail {
            rail_id: rail.rail_id.as_str(),
            status: rail.status.as_str(),
            network: rail.network,
            settlement_asset: rail.settlement_asset,
            supports_sandbox: rail.supports_sandbox,
            supports_live: rail.supports_live,
            requires_review: rail.requires_review,
            production_enabled: rail.production_enabled,
            sandbox_enabled: rail.sandbox_enabled,
            live_apply_gate: if rail.live_apply_open { "open" } else { "closed" },
            production_ready: closed_gates.is_empty(),
            gates: Gate::ALL.iter().map(|gate| GateView { gate: gate.as_str(), passed: rail.passes(*gate) }).collect(),
            closed_gates,
            kill_switch: SwitchView::new(rail.kill_switch, policy, &None),
            chains: chains(rail, policy),
            adapter: rail.adapter.as_ref().map(|adapter| AdapterView::new(adapter, rail.production_enabled)),
            provider_policy: said.and_then(|said| said.provider_policy.clone()),
            webhook_policy: said.and_then(|said| said.webhook_policy.clone()),
            token_policy: said.and_then(|said| said.token_policy.clone()),
            finality_policy: said.and_then(|said| said.finality_policy.clone()),
            allowlisted_chains: rail.allowlisted_chains.clone(),
            secret_references: said.map(|said| said.secret_references.clone()).unwrap_or_default(),
            changed_by: said.map(|said| said.by.clone()),
            reason: said.map(|said| said.reason.clone()),
        }
    }
}

impl SwitchView {
    fn new(state: KillSwitch, policy: Option<&RailPolicy>, chain: &Option<String>) -> Self {
        let tripped = policy.and_then(|policy| policy.tripped.get(chain));
        SwitchView {
            state: state.as_str(),
            tripped_by: tripped.map(|tripped| tripped.by.clone()),
            reason: tripped.map(|tripped| tripped.reason.clone()),
        }
    }
}

/// The chains that it may settle on, and those that were switched off before they were allowed.
fn chains(rail: &Rail, policy: Option<&RailPolicy>) -> Vec<ChainView> {
    let mut names: Vec<String> = rail.chains().map(str::to_owned).chain(rail.tripped_chains.iter().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    let view = |chain: String| {
        let tripped = rail.tripped_chains.contains(&chain);
        let state = if tripped { KillSwitch::Tripped } else { KillSwitch::NotTripped };
        let allowed = rail.chains().any(|known| known == chain);
        ChainView { switch: SwitchView::new(state, policy, &Some(chain.clone())), allowed, chain }
    };
    names.into_iter().map(view).collect()
}
