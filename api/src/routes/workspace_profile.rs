//! `GET` and `PUT /v1/workspace/profile`: how a workspace shows itself on checkout pages, receipts and invoices.

use super::context;
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Body,
        fresh::{Fresh, MinPosition},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        problem::Problem,
        rejection,
        request_id::RequestId,
    },
    services::workspace,
    state::State,
};
use axum::{Json, extract::State as Part, response::Response};
use events::{log::Log, unit::Unit, vault::Vault, vocab::time::Timestamp};
use ledger::workspace::{self as rules, Profile, Workspace};
use projections::{Reader, workspaces};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(save))
}

/// How a workspace shows itself. Saving replaces all of it: what is left out is cleared.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
struct ProfileFields {
    /// The name that buyers see.
    #[schema(example = "Example Merchant")]
    merchant_name: Option<String>,
    /// The name on invoices.
    legal_name: Option<String>,
    /// The address on invoices, line by line; eight lines at most.
    address_lines: Option<Vec<String>>,
    /// VAT number or the like.
    tax_id: Option<String>,
    /// Where buyers ask for help.
    support_email: Option<String>,
    /// The merchant's own site.
    website: Option<String>,
    /// Shown beside the name.
    logo_url: Option<String>,
    /// A colour, `#rrggbb`.
    #[schema(example = "#1d4ed8")]
    accent_hex: Option<String>,
}

/// The profile, and since when it is so.
#[derive(Serialize, ToSchema)]
struct ProfileView {
    #[serde(flatten)]
    profile: ProfileFields,
    /// Null before the first.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl From<ProfileFields> for Profile {
    fn from(fields: ProfileFields) -> Self {
        Profile {
            merchant_name: fields.merchant_name,
            legal_name: fields.legal_name,
            address_lines: fields.address_lines.unwrap_or_default(),
            tax_id: fields.tax_id,
            support_email: fields.support_email,
            website: fields.website,
            logo_url: fields.logo_url,
            accent_hex: fields.accent_hex,
        }
    }
}

impl From<Profile> for ProfileFields {
    fn from(profile: Profile) -> Self {
        ProfileFields {
            merchant_name: profile.merchant_name,
            legal_name: profile.legal_name,
            address_lines: Some(profile.address_lines),
            tax_id: profile.tax_id,
            support_email: profile.support_email,
            website: profile.website,
            logo_url: profile.logo_url,
            accent_hex: profile.accent_hex,
        }
    }
}

/// The workspace's profile
#[utoipa::path(get, path = "/v1/workspace/profile", tag = "workspace", operation_id = "get_workspace_profile",
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The profile; empty before the first", body = ProfileView), answers::Read))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
) -> Result<Json<ProfileView>, Problem> {
    fresh.wait("workspaces", Some(merchant.owner), min).await?;
    let row = workspaces::find(&reader, merchant.owner).await.map_err(rejection::query)?;
    let updated_at = row.as_ref().map(|row| row.meta.updated_at);
    let profile: Profile = row.and_then(|row| row.profile).and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default();
    Ok(Json(ProfileView { profile: profile.into(), updated_at }))
}

/// Save the workspace's profile, whole
#[utoipa::path(put, path = "/v1/workspace/profile", tag = "workspace", operation_id = "save_workspace_profile", request_body = ProfileFields,
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The profile", body = ProfileView), answers::Write))]
async fn save(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: body, hash }: Body<ProfileFields>,
) -> Result<Response, Problem> {
    let refused = |why: rules::Rejection| rejection::decided(why.code(), why);
    let profile = Profile::from(body).checked().map_err(refused)?;
    let operation = Operation { owner: merchant.owner, name: "PUT /v1/workspace/profile".into(), key, request_hash: hash };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
            let mut loaded = unit.load::<Workspace>(workspace::stream(merchant.owner)).await.map_err(|error| rejection::read(&error))?;
            let command = rules::Command::SaveProfile {
                merchant: workspace::merchant(&vault, merchant.owner).await?,
                profile: profile.clone(),
                stored: workspace::stored_profile(&log, &vault, merchant.owner).await?,
            };
            unit.decide(&mut loaded, command, None).map_err(refused)?;
            let view = ProfileView { profile: profile.clone().into(), updated_at: loaded.updated_at };
            Ok(Draft { unit, answer: Answer::ok(view)?.stamped_as(&["updated_at"]) })
        })
        .await
}
