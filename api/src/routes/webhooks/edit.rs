//! What every change of one endpoint needs.

use super::{WebhookView, create::refused_problem};
use crate::{
    http::{
        auth::{Auth, Merchant},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::context,
    state::State,
};
use axum::{
    extract::{FromRef, FromRequestParts, MatchedPath},
    http::request::Parts,
    response::Response,
};
use events::{
    log::Log,
    unit::{Loaded, Unit},
    vault::Vault,
    vocab::{
        bytes::Hash32,
        id::EndpointId,
        stream::{Category, StreamId},
    },
};
use ledger::webhook_endpoint::{Command, DELETED, Receiver, WebhookEndpoint};
use std::sync::Mutex;
use workers::webhooks::sign::{self, Secret};

/// Changes endpoints.
#[derive(Clone)]
pub(super) struct Edit {
    commands: Commands,
    /// The log.
    pub log: Log,
    /// Secrets.
    pub vault: Vault,
}

impl FromRef<State> for Edit {
    fn from_ref(state: &State) -> Self {
        Edit { commands: state.commands.clone(), log: state.log.clone(), vault: state.vault.clone() }
    }
}

/// One request to change one endpoint.
pub(super) struct Asked {
    /// Whose.
    pub merchant: Merchant,
    request_id: String,
    id: Segment,
    /// `POST /v1/access/webhooks/{id}/pause`, as the idempotency key's operation.
    route: String,
    key: Option<String>,
    hash: [u8; 32],
}

impl<S> FromRequestParts<S> for Asked
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let merchant = Merchant::from_request_parts(parts, state).await?;
        let id = Segment::from_request_parts(parts, state).await?;
        let OptionalKey(key) = OptionalKey::from_request_parts(parts, state).await?;
        let Ok(RequestId(request_id)) = RequestId::from_request_parts(parts, state).await;
        let template = MatchedPath::from_request_parts(parts, state).await.map_err(|_| Problem::of(Code::NotFound))?;
        let route = format!("{} {}", parts.method, template.as_str());
        Ok(Asked { merchant, request_id, id, route, key, hash: Hash32::of([]).0 })
    }
}

impl Asked {
    /// The endpoint that the path names.
    pub fn endpoint(&self) -> Result<EndpointId, Problem> {
        self.id.id(Code::WebhookNotFound)
    }
    /// With a body of that hash.
    pub fn with(self, hash: [u8; 32]) -> Self {
        Asked { hash, ..self }
    }
}

impl Edit {
    /// Decides `command` and answers with the endpoint as it is then.
    pub async fn run(&self, asked: Asked, command: Command) -> Result<Response, Problem> {
        self.run_as(asked, command, None, |_, webhook| Answer::ok(webhook)).await
    }

    /// The same with an answer of its own. `secret` is kept before the event that is about it: whoever sees the event finds it.
    pub async fn run_as(
        &self,
        asked: Asked,
        command: Command,
        secret: Option<&Secret>,
        answer: impl Fn(&Unit<'_>, WebhookView) -> Result<Answer, Problem>,
    ) -> Result<Response, Problem> {
        let id = asked.endpoint()?;
        let Asked { merchant, request_id, route, key, hash, .. } = asked;
        let merchant = &merchant;
        let operation = Operation { owner: merchant.owner, name: format!("{route} {id}"), key, request_hash: hash };
        // Hashes of secrets that sign no more once the command is carried out.
        let done_with = Mutex::new(Vec::new());
        let response = self
            .commands
            .run(operation, || async {
                let mut unit = Unit::new(&self.log, context(merchant, merchant.livemode(), &request_id));
                let mut endpoint = load(&unit, merchant, id).await?;
                let before = endpoint.state.clone();
                unit.decide(&mut endpoint, command.clone(), None).map_err(|refused| refused_problem(&refused))?;
                if let Some(secret) = secret {
                    let kept = self.vault.put_secret(sign::rotated(id, secret.hash()), sign::PURPOSE, secret.reveal().as_bytes()).await;
                    kept.map_err(|error| rejection::read(&error))?;
                }
                if let Ok(mut done_with) = done_with.lock() {
                    *done_with = dropped(&before, &endpoint.state);
                }
                let created_at = endpoint.created_at.ok_or_else(|| Problem::of(Code::WebhookNotFound))?;
                let webhook = WebhookView::of(&endpoint.state, merchant.livemode(), created_at);
                let webhook = webhook.ok_or_else(|| Problem::of(Code::WebhookNotFound))?;
                let answer = answer(&unit, webhook)?;
                Ok(Draft { unit, answer })
            })
            .await?;
        self.destroy(id, done_with.into_inner().unwrap_or_default()).await;
        Ok(response)
    }

    /// What stays after a crash here is encrypted and signs nothing.
    async fn destroy(&self, id: EndpointId, hashes: Vec<Hash32>) {
        for hash in hashes {
            for kept_as in [sign::rotated(id, hash), id.0] {
                let kept = self.vault.get_secret(kept_as, sign::PURPOSE).await.ok().flatten();
                let same = kept.and_then(|kept| String::from_utf8(kept).ok()).is_some_and(|text| Hash32::of(text) == hash);
                if same && let Err(error) = self.vault.delete_secret(kept_as, sign::PURPOSE).await {
                    tracing::warn!(endpoint.id = %id, %error, "a signing secret that is not used any more could not be destroyed");
                }
            }
        }
    }
}

/// Another owner's endpoint, or one of the other mode, is one that does not exist (INV-19).
pub(super) async fn load(unit: &Unit<'_>, merchant: &Merchant, id: EndpointId) -> Result<Loaded<WebhookEndpoint>, Problem> {
    let stream = StreamId::new(Category::WebhookEndpoint, id);
    let endpoint = unit.load::<WebhookEndpoint>(stream).await.map_err(|error| rejection::read(&error))?;
    match endpoint.owner_id == Some(merchant.owner) && endpoint.livemode == Some(merchant.livemode()) {
        true => Ok(endpoint),
        false => Err(Problem::of(Code::WebhookNotFound)),
    }
}

/// Hashes of secrets that signed before and do not any more.
fn dropped(before: &WebhookEndpoint, after: &WebhookEndpoint) -> Vec<Hash32> {
    let hashes = |receiver: &Receiver| {
        let previous = receiver.previous_secret.map(|(hash, _)| hash);
        std::iter::once(receiver.secret_hash).chain(previous).collect::<Vec<_>>()
    };
    let before = before.receiver().map(hashes).unwrap_or_default();
    let after = match after {
        WebhookEndpoint::Disabled { reason, .. } if reason == DELETED => Vec::new(),
        after => after.receiver().map(hashes).unwrap_or_default(),
    };
    before.into_iter().filter(|hash| !after.contains(hash)).collect()
}
