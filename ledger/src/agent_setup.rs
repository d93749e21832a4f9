//! Setup intents of agents (OBJ-30, TR-44): an agent tries the sandbox at once, and an owner decides what it may do with real money.

mod manifest;
mod rules;

pub use manifest::{Asked, AskedApp, AskedProduct, AskedResource, AskedWebhook, Manifest};

use crate::check::rejections;
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::{AgentSetupApproved, AgentSetupBootstrapped, AgentSetupExpired, AgentSetupRejected, Event},
        id::{ApiKeyId, OwnerId, SetupIntentId, SubjectId},
        stream::Fact,
        time::Timestamp,
        words::Scope,
    },
};

/// How long an intent may live, in hours.
pub const HOURS: std::ops::RangeInclusive<i64> = 1..=168;
/// How long one lives unless the agent says otherwise, in hours.
pub const DEFAULT_HOURS: i64 = 24;

/// A setup intent.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum AgentSetup {
    /// There is none.
    #[default]
    Absent,
    /// An agent began.
    Begun {
        /// What it began with.
        intent: Box<AgentSetupBootstrapped>,
        /// Hash of the manifest that was attached last.
        manifest: Option<Hash32>,
        /// What has become of it.
        standing: Standing,
    },
}

/// What has become of an intent.
#[derive(Clone, PartialEq, Debug)]
pub enum Standing {
    /// Waits for an owner.
    Pending,
    /// An owner approved.
    Approved(Box<AgentSetupApproved>),
    /// An owner refused.
    Rejected(AgentSetupRejected),
    /// Nobody approved in time.
    Expired,
}

impl Standing {
    /// The contract's word at `now`: the clock ends an intent that nobody has recorded as ended.
    pub fn as_str(&self, expires_at: Timestamp, now: Timestamp) -> &'static str {
        match self {
            Standing::Pending if now < expires_at => "pending_approval",
            Standing::Pending | Standing::Expired => "expired",
            Standing::Approved(_) => "approved",
            Standing::Rejected(_) => "rejected",
        }
    }
}

/// What is asked of an intent.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Begin (RT-071).
    Bootstrap(Box<Bootstrap>),
    /// Say what is going to be built (RT-074); the same again changes nothing. Also after approval, until the token's time is over.
    AttachManifest {
        /// The manifest, normalised, as JSON text.
        manifest: String,
        /// Now.
        now: Timestamp,
    },
    /// Grant permissions on an owner's workspace (RT-072).
    Approve {
        /// The workspace.
        owner_id: OwnerId,
        /// What is granted, among what was asked for; all of it unless said.
        permissions: Option<Vec<Scope>>,
        /// The live key that is issued in the same append.
        live_key_id: Option<ApiKeyId>,
        /// Now.
        now: Timestamp,
    },
    /// Refuse.
    Reject {
        /// The workspace.
        owner_id: OwnerId,
        /// Told to the agent.
        reason: Option<String>,
        /// Now.
        now: Timestamp,
    },
    /// Put its end on record.
    Expire {
        /// Now.
        now: Timestamp,
    },
}

/// See [`Command::Bootstrap`].
#[derive(Clone, PartialEq, Debug)]
pub struct Bootstrap {
    /// Its id, and that of the agent's workspace.
    pub setup_intent_id: SetupIntentId,
    /// SHA-256 of the setup token.
    pub token_hash: Hash32,
    /// The sandbox key that is issued in the same append.
    pub sandbox_key_id: ApiKeyId,
    /// Who the agent says it is.
    pub agent_name: String,
    /// What it runs in.
    pub agent_platform: Option<String>,
    /// What for.
    pub requested_use_case: Option<String>,
    /// What it asks for.
    pub requested_permissions: Vec<Scope>,
    /// How long it waits for an owner, in hours.
    pub ttl_hours: Option<i64>,
    /// Whose key seals what the agent says.
    pub subject_id: SubjectId,
    /// Now.
    pub now: Timestamp,
}

rejections! {
    /// Why a command on an intent is refused.
    pub enum Rejection {
        /// There is no such intent.
        NotFound = "setup_intent_not_found", "there is no such setup intent";
        /// A field breaks a rule.
        InvalidField {
            /// Which.
            field: &'static str,
            /// What it must be.
            rule: &'static str,
        } = "validation_failed", "{field}: {rule}";
        /// It asks for nothing.
        PermissionsRequired = "permissions_required", "requested_permissions: names at least one permission";
        /// The id is in use for another intent.
        AlreadyExists = "already_exists", "the setup intent exists with other content";
        /// Its time is over.
        Expired = "setup_intent_expired", "the setup intent is expired";
        /// It was decided before.
        NotPending = "setup_intent_not_pending", "the setup intent is approved or rejected";
        /// More is granted than the agent asked for.
        PermissionNotRequested = "permission_not_requested", "permissions: are some of those that the agent asked for, at least one";
    }
}

impl Decider for AgentSetup {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match (state, command) {
            (AgentSetup::Absent, Command::Bootstrap(bootstrap)) => bootstrap.fact().map(|fact| vec![fact]),
            (AgentSetup::Begun { intent, .. }, Command::Bootstrap(bootstrap)) => match bootstrap.fact()?.event {
                Event::AgentSetupBootstrapped(again) if again == **intent => Ok(vec![]),
                _ => Err(Rejection::AlreadyExists),
            },
            (AgentSetup::Absent, _) => Err(Rejection::NotFound),
            (AgentSetup::Begun { intent, manifest, standing }, command) => rules::decide(intent, *manifest, standing, command),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (AgentSetup::Absent, Event::AgentSetupBootstrapped(intent)) => {
                AgentSetup::Begun { intent: Box::new(intent.clone()), manifest: None, standing: Standing::Pending }
            }
            (AgentSetup::Begun { intent, standing, .. }, Event::AgentSetupManifestAttached(attached)) => {
                AgentSetup::Begun { intent, manifest: Some(attached.manifest_hash), standing }
            }
            (AgentSetup::Begun { intent, manifest, standing }, event) => {
                AgentSetup::Begun { intent, manifest, standing: after(event).unwrap_or(standing) }
            }
            (state, _) => state,
        }
    }
}

/// Where an event leaves an intent, if it decides it.
fn after(event: &Event) -> Option<Standing> {
    match event {
        Event::AgentSetupApproved(approved) => Some(Standing::Approved(Box::new(approved.clone()))),
        Event::AgentSetupRejected(rejected) => Some(Standing::Rejected(rejected.clone())),
        Event::AgentSetupExpired(AgentSetupExpired { .. }) => Some(Standing::Expired),
        _ => None,
    }
}

impl AgentSetup {
    /// What it began with, once it has.
    pub fn intent(&self) -> Option<&AgentSetupBootstrapped> {
        match self {
            AgentSetup::Absent => None,
            AgentSetup::Begun { intent, .. } => Some(intent),
        }
    }
    /// What has become of it, once it has begun.
    pub fn standing(&self) -> Option<&Standing> {
        match self {
            AgentSetup::Absent => None,
            AgentSetup::Begun { standing, .. } => Some(standing),
        }
    }
    /// Whether a manifest is attached.
    pub fn has_manifest(&self) -> bool {
        matches!(self, AgentSetup::Begun { manifest: Some(_), .. })
    }
    /// The workspace that decided it.
    pub fn decided_by(&self) -> Option<OwnerId> {
        match self.standing()? {
            Standing::Approved(approved) => Some(approved.owner_id),
            Standing::Rejected(rejected) => Some(rejected.owner_id),
            Standing::Pending | Standing::Expired => None,
        }
    }
}
