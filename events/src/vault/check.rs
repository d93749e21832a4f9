//! Does everything that is kept encrypted still open?

use super::{Vault, VaultError, crypto::Key};
use ed25519_dalek::SigningKey;
use futures::TryStreamExt as _;
use uuid::Uuid;

/// What was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Opened {
    /// Keys of persons.
    pub subject_keys: u64,
    /// Secrets.
    pub secrets: u64,
    /// Private signing keys.
    pub signing_keys: u64,
}

impl Vault {
    /// Opens every key and secret that is kept, and says which is the first that does not open: it was altered, exchanged for
    /// another row's, or wrapped by another master key. Each is bound to its row by what it is authenticated with.
    pub async fn check(&self) -> Result<Result<Opened, String>, VaultError> {
        let mut opened = Opened::default();
        let mut subjects = sqlx::query_as::<_, (Uuid, Vec<u8>)>(include_str!("sql/wrapped_subject_keys.sql")).fetch(&self.0.pool);
        while let Some((subject, wrapped)) = subjects.try_next().await? {
            if self.0.subjects.open(subject.as_bytes(), &wrapped).is_err() {
                return Ok(Err(format!("log.subject_keys: the key of subject {subject} does not open")));
            }
            opened.subject_keys += 1;
        }
        let mut secrets = sqlx::query_as::<_, (Uuid, String, Vec<u8>)>(include_str!("sql/wrapped_secrets.sql")).fetch(&self.0.pool);
        while let Some((id, kind, wrapped)) = secrets.try_next().await? {
            if self.0.secrets.open(&super::secrets::associated(id, &kind), &wrapped).is_err() {
                return Ok(Err(format!("log.secrets: the secret {id} of kind {kind} does not open")));
            }
            opened.secrets += 1;
        }
        let mut keys = sqlx::query_as::<_, (String, Vec<u8>, Vec<u8>)>(include_str!("sql/wrapped_signing_keys.sql")).fetch(&self.0.pool);
        while let Some((kid, public, wrapped)) = keys.try_next().await? {
            let seed = self.0.signing.open(kid.as_bytes(), &wrapped).and_then(|seed| Key::from_slice(&seed));
            let fits = seed.is_ok_and(|seed| {
                let mut bytes = zeroize::Zeroizing::new([0; 32]);
                bytes.copy_from_slice(seed.as_bytes());
                SigningKey::from_bytes(&bytes).verifying_key().as_bytes().as_slice() == public
            });
            if !fits {
                return Ok(Err(format!("log.signing_keys: the private part of key {kid} does not open, or is another key's")));
            }
            opened.signing_keys += 1;
        }
        Ok(Ok(opened))
    }
}
