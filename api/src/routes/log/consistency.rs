//! That the log has only grown (RFC 9162 §2.1.4).

use crate::{
    http::{
        answers,
        body::Params,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::proof::{Checkpointer, TreeError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(consistency))
}

/// Between which sizes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Size of the older tree.
    from: u64,
    /// Size of the newer tree; that of the newest signed checkpoint unless told, and never beyond it.
    to: Option<u64>,
}

/// A proof that the newer tree begins with the older one.
#[derive(Serialize, ToSchema)]
struct ConsistencyProof {
    from: u64,
    to: u64,
    /// The hashes in the order of RFC 9162, base64. None where the sizes are equal or the older is 0.
    hashes: Vec<String>,
}

/// Prove that the log has only grown
///
/// Check it with the roots of two signed checkpoints of these sizes. The tiles show the same.
#[utoipa::path(get, path = "/v1/log/consistency", tag = "log", operation_id = "log_consistency", params(Asked),
    responses((status = 200, description = "The proof", body = ConsistencyProof), answers::List))]
async fn consistency(Part(checkpointer): Part<Checkpointer>, Params(asked): Params<Asked>) -> Result<Json<ConsistencyProof>, Problem> {
    let signed = checkpointer.latest().await.map_err(|error| rejection::read(&error))?.map_or(0, |head| head.size);
    let to = asked.to.unwrap_or(signed);
    let beyond = |field| Problem::field(Code::ValidationFailed, field, format!("at most {signed}, which is what is signed"));
    if to > signed {
        return Err(beyond("to"));
    }
    let hashes = match checkpointer.tree().consistency(asked.from, to).await {
        Ok(hashes) => hashes,
        Err(TreeError::Proof(_)) => return Err(Problem::field(Code::ValidationFailed, "from", format!("at most {to}, the newer size"))),
        Err(error) => return Err(rejection::read(&error)),
    };
    Ok(Json(ConsistencyProof { from: asked.from, to, hashes: hashes.iter().map(|hash| STANDARD.encode(hash.0)).collect() }))
}
