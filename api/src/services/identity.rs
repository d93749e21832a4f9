//! Completing an identity session: from the plain route, and from Phantom's deep link.

use super::buyer::Identity;
use crate::http::{
    problem::{Code, Problem},
    rejection,
};
use events::{
    log::{Context, Log},
    unit::{Loaded, Unit, is_conflict, load},
    vault::Vault,
    vocab::{
        bytes::{Signature64, SolanaAddress},
        event::EventType,
        id::{IdentitySessionId, OwnerId},
        personal::Personal,
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::ActorKind,
    },
};
use ledger::identity_session::{self, IdentitySession, Rejection};
use serde::Serialize;
use utoipa::ToSchema;

/// A caller that loses a race looks again this many times.
const ATTEMPTS: u32 = 8;

/// A wallet's signature for a session.
pub struct Complete<'a> {
    /// The session.
    pub session_id: IdentitySessionId,
    /// The wallet that signed.
    pub wallet: SolanaAddress,
    /// Its signature over the message.
    pub signature: Signature64,
    /// Now.
    pub now: Timestamp,
    /// The request.
    pub request_id: &'a str,
}

/// A proved identity (RT-015).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Proved {
    /// The session.
    pub session_id: String,
    /// `VERIFIED`.
    pub status: &'static str,
    /// The wallet that signed.
    pub wallet_address: String,
    /// Its software.
    pub wallet_source: Option<String>,
    /// The kind of identity.
    pub identity_type: String,
    /// The identity.
    pub identity_value: Option<String>,
    /// Its handle.
    pub identity_display: Option<String>,
    /// When the signature was checked.
    #[schema(value_type = String, format = DateTime)]
    pub verified_at: Timestamp,
    /// When the time for signing was over.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// The workspace, for the caller's own reads.
    #[serde(skip)]
    pub owner: Option<OwnerId>,
}

/// A session with what was sealed beside its beginning.
pub struct Opened {
    /// The session.
    pub loaded: Loaded<IdentitySession>,
    /// The identity and the message; empty when the person is erased.
    pub personal: Personal,
}

/// Reads a session.
pub async fn open(log: &Log, vault: &Vault, session_id: IdentitySessionId) -> Result<Opened, Problem> {
    let stream = StreamId::new(Category::IdentitySession, session_id);
    let loaded = load::<IdentitySession>(log, stream).await.map_err(|error| rejection::read(&error))?;
    if loaded.is_new() {
        return Err(Problem::of(Code::IdentitySessionNotFound));
    }
    let events = log.read_stream(stream, 0).await.map_err(|error| rejection::read(&error))?;
    let started = events.iter().find(|event| event.envelope.event_type == EventType::IdentitySessionStarted);
    let personal = match started {
        Some(started) => vault.open(started).await.map_err(|error| rejection::read(&error))?.unwrap_or_default(),
        None => Personal::default(),
    };
    Ok(Opened { loaded, personal })
}

/// Checks the signature and records what came of it. A wrong signature is on record when this returns its refusal.
pub async fn complete(log: &Log, vault: &Vault, asked: &Complete<'_>) -> Result<(Proved, Option<u64>), Problem> {
    for _ in 0..ATTEMPTS {
        let Opened { mut loaded, personal } = open(log, vault, asked.session_id).await?;
        let mut unit = Unit::new(log, context(&loaded, asked));
        let command = identity_session::Command::Complete {
            wallet: asked.wallet,
            message: personal.text.clone().unwrap_or_default(),
            signature: asked.signature,
            now: asked.now,
        };
        let cause = loaded.last_event;
        unit.decide(&mut loaded, command, cause).map_err(|refused| refusal(&refused))?;
        let proved = proved(&loaded, &personal);
        let position = match unit.is_empty() {
            true => None,
            false => match unit.commit().await {
                Ok(appended) => Some(appended.last_position),
                Err(error) if is_conflict(&error) => continue,
                Err(error) => return Err(rejection::append(error)),
            },
        };
        return proved.map(|proved| (proved, position)).ok_or_else(|| refusal(&Rejection::InvalidSignature));
    }
    Err(Problem::of(Code::Conflict).retry_after(1))
}

/// The wallet's software, one word.
pub fn wallet_source(text: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let is_word = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    match is_word {
        true => Ok(Some(text.to_owned())),
        false => Err(Problem::field(Code::ValidationFailed, "wallet_source", "is a word such as EXTERNAL_PHANTOM or PHANTOM_MOBILE")),
    }
}

fn refusal(refused: &Rejection) -> Problem {
    match refused {
        Rejection::InvalidSignature => {
            Problem::field(Code::InvalidSignature, "signed_message_b64", "is not the wallet's signature over challenge_message")
        }
        Rejection::WalletMismatch => {
            Problem::field(Code::WalletMismatch, "wallet_address", "is not the wallet that this session was started with")
        }
        refused => rejection::decided(refused.code(), refused),
    }
}

fn proved(session: &Loaded<IdentitySession>, personal: &Personal) -> Option<Proved> {
    let (started, verified_at) = (session.state.started()?, session.state.verified_at()?);
    let identity = Identity::sealed(Some(personal));
    Some(Proved {
        session_id: started.session_id.to_string(),
        status: "VERIFIED",
        wallet_address: started.wallet.to_string(),
        wallet_source: started.wallet_source.clone(),
        identity_type: started.identity_type.to_string(),
        identity_value: identity.as_ref().map(|identity| identity.value.clone()),
        identity_display: identity.and_then(|identity| identity.display),
        verified_at,
        expires_at: started.expires_at,
        owner: session.owner_id,
    })
}

fn context(session: &Loaded<IdentitySession>, asked: &Complete<'_>) -> Context {
    Context {
        owner_id: session.owner_id,
        livemode: session.livemode.unwrap_or(true),
        actor: Actor { kind: ActorKind::Public, id: None },
        request_id: Some(asked.request_id.to_owned()),
        correlation_id: session.correlation_id.unwrap_or(session.stream.id),
    }
}
