//! Who is calling, and what they may do (contract §7).
//!
//! A handler names the kind of caller it is for in its signature: [`Merchant`], [`Staff`], [`LogReader`].

use super::{
    jwt::{Claims, Role, Verifier},
    keyring::{Key, Keyring},
    limits::KeyAllowance,
    problem::{Code, Problem},
};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use events::vocab::{
    id::OwnerId,
    stream::Actor,
    words::{ActorKind, Scope},
};
use std::sync::Arc;

/// The header that carries an API key.
pub const X_HILT_KEY: HeaderName = HeaderName::from_static("x-hilt-key");

/// Tells who a credential belongs to.
#[derive(Clone)]
pub struct Auth {
    keyring: Keyring,
    verifier: Arc<Verifier>,
}

impl Auth {
    /// Keys of `keyring`, tokens by `verifier`.
    pub fn new(keyring: Keyring, verifier: Verifier) -> Self {
        Auth { keyring, verifier: Arc::new(verifier) }
    }

    fn token(&self, presented: &str) -> Result<Claims, Problem> {
        self.verifier.verify(presented).map_err(|reason| {
            tracing::debug!(%reason, "bearer token refused");
            Problem::of(Code::InvalidToken)
        })
    }

    /// Whose request it is.
    pub(super) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let key = match headers.get(&X_HILT_KEY) {
            Some(value) => Some(self.keyring.find(value.to_str().map_err(|_| Problem::of(Code::InvalidApiKey))?).await?),
            None => None,
        };
        let token = match headers.get(header::AUTHORIZATION) {
            Some(value) => Some(self.token(bearer(value.to_str().ok()).ok_or_else(|| Problem::of(Code::InvalidToken))?)?),
            None => None,
        };
        match (key, token) {
            (None, None) => Err(Problem::of(Code::AuthRequired).next_action("Send X-Hilt-Key, or Authorization: Bearer.")),
            (Some((key, _)), Some(token)) if token.role != Role::Owner || token.owner_id != Some(key.owner.0) => {
                Err(Problem::of(Code::CredentialConflict))
            }
            (Some((key, allowance)), _) => Ok(Caller::Key(key, allowance)),
            (None, Some(token)) => Ok(Caller::Token(token)),
        }
    }
}

fn bearer(value: Option<&str>) -> Option<&str> {
    let (scheme, token) = value?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whose request it is. The guard puts it on the request, so that a credential is looked at once.
#[derive(Clone)]
pub(super) enum Caller {
    /// A key, and how much it is used.
    Key(Arc<Key>, Arc<KeyAllowance>),
    /// A bearer token.
    Token(Claims),
}

/// The caller that the guard found; asked for here where no guard stood before the route.
async fn found<S>(parts: &Parts, state: &S) -> Result<Caller, Problem>
where
    Auth: FromRef<S>,
{
    match parts.extensions.get::<Caller>() {
        Some(caller) => Ok(caller.clone()),
        None => Auth::from_ref(state).caller(&parts.headers).await,
    }
}

/// A merchant: a key, or the owner's dashboard session.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// The workspace that everything is limited to (CV-9).
    pub owner: OwnerId,
    /// Who, for the events.
    pub actor: Actor,
    access: Access,
}

/// What a merchant's credential lets him do.
#[derive(Clone, Debug)]
pub(super) enum Access {
    Key(Arc<Key>),
    Session,
}

impl Access {
    /// What that caller's credential lets him do, if he is a merchant.
    pub(super) fn of(caller: &Caller) -> Result<Self, Problem> {
        match caller {
            Caller::Key(key, _) => Ok(Access::Key(key.clone())),
            Caller::Token(Claims { role: Role::Owner, owner_id: Some(_), .. }) => Ok(Access::Session),
            Caller::Token(_) => Err(Problem::of(Code::MerchantRequired)),
        }
    }

    fn livemode(&self) -> bool {
        match self {
            Access::Key(key) => key.livemode,
            Access::Session => true,
        }
    }

    pub(super) fn require(&self, scope: Scope) -> Result<&Self, Problem> {
        match self {
            Access::Key(key) if !key.scopes.contains(&scope) => {
                Err(Problem::new(Code::ScopeRequired, format!("the key lacks the permission {scope}"))
                    .next_action(format!("Use a key with {scope}.")))
            }
            _ => Ok(self),
        }
    }

    pub(super) fn require_live(&self) -> Result<&Self, Problem> {
        match self.livemode() {
            true => Ok(self),
            false => Err(Problem::of(Code::LiveKeyRequired)
                .next_action("Use a live key: the owner issues one, or approves the agent's setup intent.")),
        }
    }

    pub(super) fn require_sandbox(&self) -> Result<&Self, Problem> {
        match self {
            Access::Key(key) if key.livemode && !key.sandbox_capable => Err(Problem::of(Code::SandboxKeyRequired)),
            _ => Ok(self),
        }
    }

    pub(super) fn require_session(&self) -> Result<&Self, Problem> {
        match self {
            Access::Session => Ok(self),
            Access::Key(_) => Err(Problem::of(Code::DashboardSessionRequired)),
        }
    }
}

impl Merchant {
    /// The merchant that a caller is, if he is one.
    pub(super) fn of(caller: Caller) -> Result<Self, Problem> {
        match caller {
            Caller::Key(key, _) => Ok(Merchant { owner: key.owner, actor: key.actor.clone(), access: Access::Key(key) }),
            Caller::Token(Claims { role: Role::Owner, owner_id: Some(owner), sub, .. }) => {
                Ok(Merchant { owner: OwnerId(owner), actor: actor(ActorKind::Owner, sub), access: Access::Session })
            }
            Caller::Token(_) => Err(Problem::of(Code::MerchantRequired)),
        }
    }
    /// The key's mode; a dashboard session works on live objects unless the request says otherwise.
    pub fn livemode(&self) -> bool {
        self.access.livemode()
    }
    /// May do what `scope` covers. A dashboard session may do everything.
    pub fn require(&self, scope: Scope) -> Result<&Self, Problem> {
        self.access.require(scope).map(|_| self)
    }
    /// A live key or a dashboard session.
    pub fn require_live(&self) -> Result<&Self, Problem> {
        self.access.require_live().map(|_| self)
    }
    /// A sandbox key, a live key marked sandbox-capable, or a dashboard session (DIS-27, INV-40).
    pub fn require_sandbox(&self) -> Result<&Self, Problem> {
        self.access.require_sandbox().map(|_| self)
    }
    /// The owner's dashboard session, not a key.
    pub fn require_session(&self) -> Result<&Self, Problem> {
        self.access.require_session().map(|_| self)
    }
}

/// Hilt's staff.
#[derive(Clone, Debug)]
pub struct Staff {
    /// Who, for the events.
    pub actor: Actor,
}

impl Staff {
    /// Which member of staff, by an opaque id.
    pub fn id(&self) -> &str {
        self.actor.id.as_deref().unwrap_or_default()
    }
}

/// Staff, or an auditor: those who may read the log (RT-116).
#[derive(Clone, Debug)]
pub struct LogReader {
    /// Who, for the events.
    pub actor: Actor,
}

fn actor(kind: ActorKind, id: impl ToString) -> Actor {
    Actor { kind, id: Some(id.to_string()) }
}

impl<S: Send + Sync> FromRequestParts<S> for Merchant
where
    Auth: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Merchant::of(found(parts, state).await?)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff
where
    Auth: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match found(parts, state).await? {
            Caller::Token(Claims { role: Role::Staff, sub, .. }) => Ok(Staff { actor: actor(ActorKind::Staff, sub) }),
            _ => Err(Problem::of(Code::StaffRequired)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LogReader
where
    Auth: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match found(parts, state).await? {
            Caller::Token(Claims { role: Role::Staff, sub, .. }) => Ok(LogReader { actor: actor(ActorKind::Staff, sub) }),
            Caller::Token(Claims { role: Role::Auditor, sub, .. }) => Ok(LogReader { actor: actor(ActorKind::Auditor, sub) }),
            _ => Err(Problem::of(Code::StaffRequired)),
        }
    }
}
