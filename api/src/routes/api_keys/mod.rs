//! API keys (RT-077): the owner's dashboard session makes, rotates, lists and revokes them, and no key does (INV-83).

mod create;
mod read;
mod revoke;
mod rotate;

use crate::{
    http::{idempotency::Answer, problem::Problem},
    services::keys::Issued,
    state::State,
};
use events::vocab::{event::ApiKeyIssued, id::ApiKeyId, time::Timestamp, words::Scope};
use projections::api_keys::{ApiKey, KeyStatus};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(create::routes()).merge(read::routes()).merge(rotate::routes()).merge(revoke::routes())
}

/// An API key, without the key itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiKeyView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: ApiKeyId,
    /// Your own words for it.
    #[schema(example = "backend, production")]
    pub label: String,
    /// Its first characters, to recognise it by.
    #[schema(example = "hk_live_2f9a01")]
    pub prefix: String,
    /// What it may do.
    #[schema(value_type = Vec<String>, example = json!(["access:read"]))]
    pub permissions: Vec<Scope>,
    /// Whether it moves real money.
    pub livemode: bool,
    /// Whether a live key may use the sandbox too; a sandbox key may anyway.
    pub sandbox_capable: bool,
    /// `active`, `rotating` (it has a successor and still works), `expired` or `revoked`.
    #[schema(example = "active")]
    pub status: &'static str,
    /// When it stops working by itself: its own end, or the end of the overlap with its successor.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The key that it took the place of.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub rotated_from: Option<ApiKeyId>,
    /// The key that took its place.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub rotated_to: Option<ApiKeyId>,
    /// When it was last used, to the minute; null before its first use.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl ApiKeyView {
    fn of_row(row: ApiKey, last_used_at: Option<Timestamp>, now: Timestamp) -> Self {
        let over = row.works_until.is_some_and(|until| until <= now);
        let status = match (row.status, over, row.rotated_to) {
            (KeyStatus::Revoked, _, _) => "revoked",
            (KeyStatus::Active, true, _) => "expired",
            (KeyStatus::Active, false, Some(_)) => "rotating",
            (KeyStatus::Active, false, None) => "active",
        };
        ApiKeyView {
            id: ApiKeyId(row.meta.id),
            label: row.label,
            prefix: row.prefix,
            permissions: row.scopes,
            livemode: row.meta.livemode,
            sandbox_capable: row.sandbox_capable,
            status,
            expires_at: row.works_until,
            rotated_from: row.rotated_from,
            rotated_to: row.rotated_to,
            last_used_at,
            revoked_at: row.revoked_at,
            created_at: row.meta.created_at,
        }
    }

    fn issued(facts: ApiKeyIssued, livemode: bool, created_at: Timestamp) -> Self {
        ApiKeyView {
            id: facts.key_id,
            label: facts.label,
            prefix: facts.prefix,
            permissions: facts.scopes,
            livemode,
            sandbox_capable: facts.sandbox_capable,
            status: "active",
            expires_at: facts.expires_at,
            rotated_from: facts.rotated_from,
            rotated_to: None,
            last_used_at: None,
            revoked_at: None,
            created_at,
        }
    }
}

/// A new API key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IssuedApiKey {
    /// What is kept of it.
    #[serde(flatten)]
    pub view: ApiKeyView,
    /// The key, for the header `X-Hilt-Key`. Shown once: a repeated request gets `null` here, and `idempotent_replay`.
    #[schema(required, value_type = Option<String>, example = "hk_live_2f9a01c4…")]
    pub api_key: String,
}

/// `201` with the key, which a replay of the answer leaves out.
fn shown_once(issued: Issued, livemode: bool, now: Timestamp) -> Result<Answer, Problem> {
    let answer = IssuedApiKey { view: ApiKeyView::issued(issued.facts, livemode, now), api_key: issued.key };
    Ok(Answer::created(answer)?.once(&["/api_key"]).stamped())
}
