//! Handoff tokens (RT-008, DIS-5): `hilt_handoff_` and, URL-safe, a signed reference to a handoff. Who the buyer is stays in the log,
//! sealed; the token says only which handoff it is, for which product and until when.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use events::{
    vault::{KeyPurpose, Vault, VaultError},
    vocab::{
        bytes::Signature64,
        id::{HandoffId, ProductId},
        time::Timestamp,
    },
};
use uuid::Uuid;

/// How every token begins.
pub const PREFIX: &str = "hilt_handoff_";

/// Version, key id, handoff, product, expiry in seconds; then the signature over all of it.
const SIGNED: usize = 1 + 8 + 16 + 16 + 8;
const LENGTH: usize = SIGNED + 64;
const VERSION: u8 = 1;

/// What a token refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandoffToken {
    /// The handoff.
    pub handoff_id: HandoffId,
    /// The product it is for.
    pub product_id: ProductId,
    /// When it ends; whole seconds.
    pub expires_at: Timestamp,
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours, or altered.
    #[error("the handoff token is not one that this service signed")]
    NotOurs,
    /// The keys cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl HandoffToken {
    /// Signs it with the current key.
    pub async fn sign(&self, vault: &Vault) -> Result<String, VaultError> {
        let signer = vault.signer(KeyPurpose::Handoff).await?;
        let mut bytes = self.payload(signer.kid());
        let signature = signer.sign(&bytes);
        bytes.extend_from_slice(&signature.0);
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token signed by the current key or by one that was current once.
    pub async fn verify(text: &str, vault: &Vault) -> Result<Self, TokenError> {
        let (token, kid, signature) = HandoffToken::parse(text).ok_or(TokenError::NotOurs)?;
        let keys = vault.public_keys(KeyPurpose::Handoff).await?;
        let key = keys.iter().find(|key| key.kid == kid).ok_or(TokenError::NotOurs)?;
        let key = VerifyingKey::from_bytes(&key.public).map_err(|_| TokenError::NotOurs)?;
        let signed = key.verify_strict(&token.payload(&kid), &Signature::from_bytes(&signature.0));
        signed.map(|()| token).map_err(|_| TokenError::NotOurs)
    }

    fn payload(&self, kid: &str) -> Vec<u8> {
        let mut kid_bytes = [0; 8];
        // A key id is 16 hexadecimal digits; another would not verify.
        let _ = hex::decode_to_slice(kid, &mut kid_bytes);
        let seconds = self.expires_at.seconds().to_be_bytes();
        [&[VERSION][..], &kid_bytes, self.handoff_id.0.as_bytes(), self.product_id.0.as_bytes(), &seconds].concat()
    }

    fn parse(text: &str) -> Option<(Self, String, Signature64)> {
        let encoded = text.strip_prefix(PREFIX).filter(|encoded| encoded.len() <= 2 * LENGTH)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok().filter(|bytes| bytes.len() == LENGTH && bytes[0] == VERSION)?;
        let (signed, signature) = bytes.split_at_checked(SIGNED)?;
        let uuid = |at: usize| Uuid::from_slice(signed.get(at..at + 16)?).ok();
        let seconds = i64::from_be_bytes(signed.get(41..49)?.try_into().ok()?);
        let token = HandoffToken {
            handoff_id: uuid(9)?.into(),
            product_id: uuid(25)?.into(),
            expires_at: Timestamp::from_micros(seconds.checked_mul(1_000_000)?),
        };
        Some((token, hex::encode(signed.get(1..9)?), Signature64::try_from(signature).ok()?))
    }
}
