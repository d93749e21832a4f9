//! RT-054 `GET /v1/access/rails`: the platform's rails as they are, and the views of a rail that other routes share.

use crate::{
    http::{answers, auth::Merchant, problem::Problem, rejection},
    state::State,
};
use axum::{Json, extract::State as Part};
use events::vocab::{rail::RailId, words::PaymentProtocol};
use ledger::{
    rail_gates::{RailOptions, Verdict},
    rails::{Adapter, Rail, Rails},
};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use std::{cell::RefCell, sync::Arc};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Every rail.
#[derive(Serialize, ToSchema)]
struct RailList {
    /// In a fixed order.
    rails: Vec<RailView>,
}

/// A rail as the platform describes it (RAIL-1..8).
#[derive(Serialize, ToSchema)]
pub struct RailView {
    /// Its wire name.
    #[schema(example = "solana_usdc")]
    pub id: &'static str,
    /// The same.
    pub rail_id: &'static str,
    /// `production_available`, `sandbox_available`, `private_alpha_target` or `review_required`.
    pub status: &'static str,
    /// Its network, where there is one.
    pub network: Option<&'static str>,
    /// What it settles in.
    pub settlement_asset: &'static str,
    /// Whether a sandbox shape exists.
    pub supports_sandbox: bool,
    /// Whether it settles real payments.
    pub supports_live: bool,
    /// Whether a review comes before use.
    pub requires_review: bool,
    /// The gate of live payment sessions.
    pub production_enabled: bool,
    /// The gate of sandbox sessions; it never leads to live access.
    pub sandbox_enabled: bool,
    /// When a payment counts.
    pub confirmation_policy: &'static str,
    /// How evidence is kept from counting twice.
    pub replay_protection_policy: &'static str,
    /// How settlement is verified.
    pub settlement_verification_status: &'static str,
    /// What activates an entitlement.
    pub entitlement_activation_support: &'static str,
    /// `not_tripped` or `tripped`.
    pub kill_switch_state: &'static str,
}

impl From<&Rail> for RailView {
    fn from(rail: &Rail) -> Self {
        RailView {
            id: rail.rail_id.as_str(),
            rail_id: rail.rail_id.as_str(),
            status: rail.status.as_str(),
            network: rail.network,
            settlement_asset: rail.settlement_asset,
            supports_sandbox: rail.supports_sandbox,
            supports_live: rail.supports_live,
            requires_review: rail.requires_review,
            production_enabled: rail.production_enabled,
            sandbox_enabled: rail.sandbox_enabled,
            confirmation_policy: rail.confirmation_policy,
            replay_protection_policy: rail.replay_protection_policy,
            settlement_verification_status: rail.settlement_verification_status,
            entitlement_activation_support: rail.entitlement_activation_support,
            kill_switch_state: rail.kill_switch.as_str(),
        }
    }
}

/// A [`RailView`] as it is sent. Written once for as long as the rails stand as they do: every entitlement check shows one.
#[derive(Clone)]
pub struct RailText(Arc<RawValue>);

/// The views of these rails.
type Written = (Arc<Rails>, Vec<(RailId, RailText)>);

thread_local! {
    /// What this thread has written last.
    static WRITTEN: RefCell<Option<Written>> = const { RefCell::new(None) };
}

impl RailText {
    /// The view of one of `rails`.
    pub fn of(rails: &Arc<Rails>, id: RailId) -> Result<Self, serde_json::Error> {
        WRITTEN.with_borrow_mut(|written| {
            let (_, texts) = match written {
                Some(current) if Arc::ptr_eq(&current.0, rails) => current,
                _ => written.insert((rails.clone(), Vec::new())),
            };
            if let Some((_, text)) = texts.iter().find(|(known, _)| *known == id) {
                return Ok(text.clone());
            }
            let text = RailText(to_raw_value(&RailView::from(rails.get(id)))?.into());
            texts.push((id, text.clone()));
            Ok(text)
        })
    }
}

impl Serialize for RailText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The contract that a rail's adapter declares (INV-28).
#[derive(Clone, Serialize, ToSchema)]
pub struct AdapterView {
    /// How a buyer is led to pay.
    pub session_strategy: &'static str,
    /// What creates the session.
    pub session_implementation: &'static str,
    /// Whether a payment requirement can be written for the rail.
    pub implemented: bool,
    /// Whether a session can be created now.
    pub creatable: bool,
    /// The protocol around the payment, where the rail is one.
    pub payment_protocol: Option<&'static str>,
    /// The rail that settles.
    pub settlement_rail_id: &'static str,
    /// The form of the proof.
    pub proof_type: &'static str,
    /// How settlement and finality are verified.
    pub settlement_verification_status: &'static str,
    /// How replays are refused.
    pub replay_protection_policy: &'static str,
    /// How a settlement becomes a receipt.
    pub receipt_mapping_status: &'static str,
    /// What an activation must cite.
    pub entitlement_activation_evidence: &'static str,
    /// What support and auditors are given.
    pub support_evidence: &'static str,
}

impl AdapterView {
    /// The contract of `adapter`, and whether it can create a session now.
    pub fn new(adapter: &Adapter, creatable: bool) -> Self {
        AdapterView {
            session_strategy: adapter.session_strategy,
            session_implementation: adapter.session_implementation,
            implemented: true,
            creatable,
            payment_protocol: adapter.payment_protocol,
            settlement_rail_id: adapter.settlement_rail_id,
            proof_type: adapter.proof_type,
            settlement_verification_status: adapter.settlement_verification_status,
            replay_protection_policy: adapter.replay_protection_policy,
            receipt_mapping_status: adapter.receipt_mapping_status,
            entitlement_activation_evidence: adapter.entitlement_activation_evidence,
            support_evidence: adapter.support_evidence,
        }
    }

    /// The contract of a session that was created: the protocol's if it has one, with the rail that settles it.
    pub fn of_session(rails: &Rails, rail: RailId, protocol: Option<PaymentProtocol>) -> Option<Self> {
        let of = match protocol {
            Some(PaymentProtocol::X402) => RailId::X402,
            None => rail,
        };
        let adapter = rails.get(of).adapter.as_ref()?;
        Some(AdapterView { settlement_rail_id: rail.as_str(), ..AdapterView::new(adapter, true) })
    }
}

/// What a checkout may offer: rails that can create a session, and for the others why not.
#[derive(Clone, Serialize, ToSchema)]
pub struct SessionOptions {
    /// The field of the session request that selects a rail: `rail`.
    pub selection_field: &'static str,
    /// Whether the caller must name a rail: more than one can create a session.
    pub rail_required: bool,
    /// The rail taken when none is named; null when none or several can create a session.
    pub auto_select_rail: Option<&'static str>,
    /// The only rails to show to buyers and agents.
    pub session_creatable_rails: Vec<CreatableRail>,
    /// For operators, with the reason.
    pub session_blocked_rails: Vec<SessionBlockedRail>,
}

/// A rail that can create a session.
#[derive(Clone, Serialize, ToSchema)]
pub struct CreatableRail {
    /// Which rail.
    pub rail_id: &'static str,
}

/// A rail that cannot.
#[derive(Clone, Serialize, ToSchema)]
pub struct SessionBlockedRail {
    /// Which rail.
    pub rail_id: &'static str,
    /// Why.
    pub payment_session_blocker: &'static str,
}

impl From<&RailOptions> for SessionOptions {
    fn from(options: &RailOptions) -> Self {
        let blocked = |verdict: &Verdict| {
            let blocker = verdict.session_blocker?;
            Some(SessionBlockedRail { rail_id: verdict.rail.rail_id.as_str(), payment_session_blocker: blocker.code() })
        };
        SessionOptions {
            selection_field: "rail",
            rail_required: options.rail_required(),
            auto_select_rail: options.auto_select().map(RailId::as_str),
            session_creatable_rails: options.creatable().map(|verdict| CreatableRail { rail_id: verdict.rail.rail_id.as_str() }).collect(),
            session_blocked_rails: options.rails.iter().filter_map(blocked).collect(),
        }
    }
}

/// Rails and their capabilities
///
/// Read this before creating products or sessions: `production_enabled` gates live sessions, `sandbox_enabled` only demo shapes.
#[utoipa::path(get, path = "/v1/access/rails", tag = "access", operation_id = "list_rails", security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "Every rail", body = RailList), answers::Read))]
async fn list(Part(platform): Part<Platform>, _merchant: Merchant) -> Result<Json<RailList>, Problem> {
    let rails = platform.rails().await.map_err(|error| rejection::read(&error))?;
    Ok(Json(RailList { rails: rails.iter().map(RailView::from).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_x402_row_is_the_contracts_sample() {
        let row = serde_json::to_value(RailView::from(ledger::rails::Rails::standard().get(RailId::X402))).unwrap();
        let sample = serde_json::json!({
            "rail_id": "x402",
            "status": "sandbox_available",
            "supports_sandbox": true,
            "supports_live": false,
            "requires_review": true,
            "production_enabled": false,
            "sandbox_enabled": true,
            "confirmation_policy": "Developer-demo shape only; no Hilt live settlement confirmation in V0.",
            "replay_protection_policy": "Required before live use: facilitator proof uniqueness, nonce/payment header replay guard, and receipt proof mapping.",
            "settlement_verification_status": "sandbox_shape_only",
            "entitlement_activation_support": "sandbox_or_manually_seeded_checks_only_no_live_activation",
            "kill_switch_state": "not_tripped"
        });
        for (key, value) in sample.as_object().unwrap() {
            assert_eq!(row.get(key), Some(value), "{key}");
        }
    }
}
