//! Standard Webhooks signatures (OPS-52, Q-14).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::{
    clock::random_bytes,
    vocab::{bytes::Hash32, id::EndpointId, time::Timestamp},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;
use uuid::Uuid;

/// What a secret's text begins with.
pub const PREFIX: &str = "whsec_";
/// What the vault keeps signing secrets as. An endpoint's first one is the endpoint's; see [`rotated`] for later ones.
pub const PURPOSE: &str = "webhook_signing_secret";

/// Whose the vault says a later secret is, by its hash: two of one endpoint sign while one is rotated out.
pub fn rotated(endpoint: EndpointId, hash: Hash32) -> Uuid {
    Uuid::new_v5(&endpoint.0, &hash.0)
}

/// An endpoint's signing secret. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Text that is not a signing secret. It does not repeat the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a signing secret is whsec_ and base64 of 24 to 64 bytes")]
pub struct MalformedSecret;

impl Secret {
    /// A fresh one: 32 bytes.
    pub fn generate() -> Self {
        Secret(random_bytes::<32>().to_vec())
    }
    /// The secret written as `text`.
    pub fn parse(text: &str) -> Result<Self, MalformedSecret> {
        let bytes = text.strip_prefix(PREFIX).and_then(|base64| STANDARD.decode(base64).ok());
        bytes.filter(|bytes| (24..=64).contains(&bytes.len())).map(Secret).ok_or(MalformedSecret)
    }
    /// The text shown to the merchant, once (INV-88).
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }
    /// What the log keeps of it.
    pub fn hash(&self) -> Hash32 {
        Hash32::of(self.reveal())
    }
    /// The `webhook-signature` of a message: `v1,` and base64 of the HMAC-SHA256 over `id.timestamp.body`.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{}.", at.seconds()).as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the Standard Webhooks libraries test themselves with.
    #[test]
    fn the_signature_is_the_standards_own() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_micros(1_614_265_330_999_999);
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_32_bytes_and_reads_back() {
        let secret = Secret::generate();
        assert_eq!(secret.0.len(), 32);
        assert_eq!(Secret::parse(&secret.reveal()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_ne!(secret, Secret::generate());
    }

    #[test]
    fn what_is_not_a_secret_is_refused() {
        for text in ["", "whsec_", "whsec_!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAA"] {
            assert_eq!(Secret::parse(text), Err(MalformedSecret));
        }
    }
}
