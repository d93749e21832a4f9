//! Ed25519 keys with their history.

use super::{Vault, VaultError, crypto::Key};
use crate::vocab::{bytes::Signature64, rail::words, time::Timestamp};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, PgExecutor};
use std::{fmt, str::FromStr};

words! {
    /// What a signing key signs. Each purpose has its own key, so that no signature can pass for another.
    pub enum KeyPurpose, "a key's purpose is receipt, log, jwt, handoff, fee_payer or cose_receipt" {
        /// Receipts.
        Receipt = "receipt",
        /// Tree heads.
        Log = "log",
        /// Tokens.
        Jwt = "jwt",
        /// Handoff tokens.
        Handoff = "handoff",
        /// Solana transactions whose network fee the service pays; the public key is the wallet.
        FeePayer = "fee_payer",
        /// COSE Receipts: inclusion proofs for readers of that format.
        CoseReceipt = "cose_receipt",
    }
}

/// A public key of the service, current or retired.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKey {
    /// First 16 hexadecimal digits of its SHA-256.
    pub kid: String,
    /// What it signs.
    pub purpose: KeyPurpose,
    /// The Ed25519 public key.
    pub public: [u8; 32],
    /// When it began to sign.
    pub created_at: Timestamp,
    /// When it stopped; `None` for the current one.
    pub retired_at: Option<Timestamp>,
}

/// The key that signs now.
#[derive(Clone)]
pub struct Signer {
    kid: String,
    key: SigningKey,
}

impl Signer {
    /// A key that was given instead of made here.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        Signer { kid: kid(&key), key }
    }
    /// Which key it is.
    pub fn kid(&self) -> &str {
        &self.kid
    }
    /// Ed25519 over `message`.
    pub fn sign(&self, message: &[u8]) -> Signature64 {
        Signature64(self.key.sign(message).to_bytes())
    }
    /// Its public part.
    pub fn public(&self) -> VerifyingKey {
        self.key.verifying_key()
    }
    /// The private key in PKCS#8 DER, for libraries that sign by themselves.
    pub fn to_pkcs8(&self) -> Vec<u8> {
        // RFC 8410: a fixed prefix, then the 32-byte seed.
        const PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        [PREFIX.as_slice(), &self.key.to_bytes()].concat()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.kid)
    }
}

fn kid(key: &SigningKey) -> String {
    hex::encode(&Sha256::digest(key.verifying_key().to_bytes())[..8])
}

#[derive(FromRow)]
struct KeyRow {
    kid: String,
    purpose: String,
    public: Vec<u8>,
    created_at: i64,
    retired_at: Option<i64>,
}

impl Vault {
    /// The current key of `purpose`; the first caller anywhere makes it.
    pub async fn signer(&self, purpose: KeyPurpose) -> Result<Signer, VaultError> {
        if let Some(signer) = self.current_signer(&self.0.pool, purpose).await? {
            return Ok(signer);
        }
        self.insert_signing_key(&self.0.pool, purpose).await?;
        // Another process may have been first: then its key is the current one.
        self.current_signer(&self.0.pool, purpose).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Retires the current key of `purpose` and makes the next. Old signatures are still checked with the old key.
    pub async fn rotate_signer(&self, purpose: KeyPurpose) -> Result<Signer, VaultError> {
        let mut transaction = self.0.pool.begin().await?;
        sqlx::query(include_str!("sql/retire_signing_key.sql"))
            .bind(purpose.as_str())
            .bind(self.0.clock.now().micros())
            .execute(&mut *transaction)
            .await?;
        self.insert_signing_key(&mut *transaction, purpose).await?;
        let signer = self.current_signer(&mut *transaction, purpose).await?;
        transaction.commit().await?;
        signer.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Every public key of `purpose`, oldest first.
    pub async fn public_keys(&self, purpose: KeyPurpose) -> Result<Vec<PublicKey>, VaultError> {
        let rows: Vec<KeyRow> = sqlx::query_as(include_str!("sql/public_keys.sql")).bind(purpose.as_str()).fetch_all(&self.0.pool).await?;
        let key = |row: KeyRow| {
            let malformed = |what: &'static str| sqlx::Error::Decode(what.into());
            Ok(PublicKey {
                purpose: KeyPurpose::from_str(&row.purpose).map_err(|_| malformed("unknown purpose of a signing key"))?,
                public: row.public.try_into().map_err(|_| malformed("a public key is 32 bytes"))?,
                created_at: Timestamp::from_micros(row.created_at),
                retired_at: row.retired_at.map(Timestamp::from_micros),
                kid: row.kid,
            })
        };
        rows.into_iter().map(key).collect()
    }

    async fn current_signer(&self, executor: impl PgExecutor<'_>, purpose: KeyPurpose) -> Result<Option<Signer>, VaultError> {
        let row: Option<(String, Vec<u8>)> =
            sqlx::query_as(include_str!("sql/current_signing_key.sql")).bind(purpose.as_str()).fetch_optional(executor).await?;
        let Some((kid, wrapped)) = row else { return Ok(None) };
        let opened = self.0.signing.open(kid.as_bytes(), &wrapped).and_then(|seed| Key::from_slice(&seed));
        let seed = opened.map_err(|source| VaultError::DoesNotOpen { what: "a signing key", source })?;
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        bytes.copy_from_slice(seed.as_bytes());
        Ok(Some(Signer { kid, key: SigningKey::from_bytes(&bytes) }))
    }

    async fn insert_signing_key(&self, executor: impl PgExecutor<'_>, purpose: KeyPurpose) -> Result<(), VaultError> {
        let key = SigningKey::from_bytes(&crate::clock::random_bytes());
        let public = key.verifying_key().to_bytes();
        let kid = kid(&key);
        sqlx::query(include_str!("sql/insert_signing_key.sql"))
            .bind(&kid)
            .bind(purpose.as_str())
            .bind(public.as_slice())
            .bind(self.0.signing.seal(kid.as_bytes(), key.as_bytes()))
            .bind(self.0.clock.now().micros())
            .execute(executor)
            .await?;
        Ok(())
    }
}
