//! Two owners, their keys and tokens, kept beside the data so that the next start has the same.

use crate::{
    http::jwt::{self, Claims, NotAccepted, Role},
    services::keys::{self, Issue, KeyError},
    stack::DevFile,
};
use ed25519_dalek::SigningKey;
use events::{
    clock::{Clock, new_id, random_bytes},
    log::Log,
    vault::{KeyPurpose, Vault, VaultError},
    vocab::{
        bytes::SolanaAddress,
        id::OwnerId,
        stream::Actor,
        words::{ActorKind, Scope},
    },
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};
use uuid::Uuid;

/// How long development tokens live.
const TOKEN_SECONDS: i64 = 30 * 86_400;

/// What the first start made and every later one finds again.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    owner_id: Uuid,
    second_owner_id: Uuid,
    live_key: String,
    sandbox_key: String,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file cannot be read or written.
    #[error("cannot use the credentials file: {0}")]
    File(#[from] io::Error),
    /// The file is damaged.
    #[error("the credentials file is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    /// A key could not be issued.
    #[error("cannot issue a key: {0}")]
    Key(#[from] KeyError),
    /// The signing key cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A token could not be signed.
    #[error("cannot sign a token: {0}")]
    Token(#[from] NotAccepted),
}

impl Credentials {
    /// Those of this data directory; made on its first start.
    pub async fn load(data_dir: &Path, log: &Log) -> Result<Self, CredentialError> {
        let path = data_dir.join("credentials.json");
        if let Ok(text) = fs::read_to_string(&path) {
            return Ok(serde_json::from_str(&text)?);
        }
        let owner: OwnerId = new_id();
        let actor = Actor { kind: ActorKind::Operator, id: Some("hilt dev".into()) };
        let clock = Clock::machine();
        let issue = async |livemode| {
            let issue = Issue::new("development", Scope::ALL);
            keys::issue(log, &clock, owner, livemode, issue, actor.clone()).await.map(|issued| issued.key)
        };
        let credentials =
            Credentials { owner_id: owner.0, second_owner_id: new_id(), live_key: issue(true).await?, sandbox_key: issue(false).await? };
        write_private(&path, &serde_json::to_vec_pretty(&credentials)?)?;
        Ok(credentials)
    }

    /// Everything a tool needs to reach the service, with fresh tokens.
    pub async fn dev_file(&self, vault: &Vault, clock: &Clock, audience: &str, places: Places) -> Result<DevFile, CredentialError> {
        let signer = vault.signer(KeyPurpose::Jwt).await?;
        let exp = clock.now().plus_seconds(TOKEN_SECONDS).seconds();
        let token = |sub: &str, role, owner_id| {
            jwt::sign(&signer, &Claims { sub: sub.into(), owner_id, role, exp, aud: audience.into(), iss: None })
        };
        Ok(DevFile {
            base_url: places.base_url,
            owner_id: self.owner_id.to_string(),
            live_key: self.live_key.clone(),
            sandbox_key: self.sandbox_key.clone(),
            owner_jwt: token("dev-owner", Role::Owner, Some(self.owner_id))?,
            second_owner_jwt: token("dev-second-owner", Role::Owner, Some(self.second_owner_id))?,
            staff_token: token("dev-staff", Role::Staff, None)?,
            second_staff_token: token("dev-second-staff", Role::Staff, None)?,
            database_url: places.database_url,
            admin_database_url: places.admin_database_url,
            nats_url: places.nats_url,
            log_origin: places.log_origin,
            log_vkey: places.log_vkey,
        })
    }

    /// The sandbox key.
    pub fn sandbox_key(&self) -> &str {
        &self.sandbox_key
    }
}

/// Where things are.
pub struct Places {
    /// The service.
    pub base_url: String,
    /// The database, as the service's role.
    pub database_url: String,
    /// The database, as the owner of the schema.
    pub admin_database_url: String,
    /// The nats-server.
    pub nats_url: String,
    /// The log's origin.
    pub log_origin: String,
    /// The log's verifier key.
    pub log_vkey: String,
}

/// The wallet that fees go to when none is configured: a key pair of this data directory's own, in the form of Solana's tools,
/// so that nothing sent to it is lost.
pub fn fee_wallet(data_dir: &Path) -> Result<SolanaAddress, CredentialError> {
    let path = data_dir.join("fee-wallet.json");
    if let Ok(text) = fs::read_to_string(&path) {
        let pair: Vec<u8> = serde_json::from_str(&text)?;
        let public: Option<[u8; 32]> = pair.get(32..64).and_then(|public| public.try_into().ok());
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "fee-wallet.json holds no key pair");
        return Ok(SolanaAddress(public.ok_or_else(damaged)?));
    }
    let key = SigningKey::from_bytes(&random_bytes());
    write_private(&path, &serde_json::to_vec(&key.to_keypair_bytes().to_vec())?)?;
    Ok(SolanaAddress(key.verifying_key().to_bytes()))
}

/// Whole or not at all, and readable by its user only.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let _ = fs::remove_file(&unfinished);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}
