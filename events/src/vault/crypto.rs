//! XChaCha20-Poly1305 with a random nonce in front, and keys derived from the master key.

use crate::clock::random_bytes;
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// A symmetric key, wiped when dropped and never shown.
#[derive(Clone)]
pub(super) struct Key(Zeroizing<[u8; 32]>);

/// The key that wraps all others. It comes from the deployment and is never stored beside the data.
#[derive(Clone)]
pub struct MasterKey(Key);

/// Text or bytes that are not a master key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a master key is 64 hexadecimal digits")]
pub struct NotAMasterKey;

/// Bytes that were not sealed with this key for this purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the sealed bytes do not open: wrong key or altered bytes")]
pub struct DoesNotOpen;

impl MasterKey {
    /// From 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        MasterKey(Key(Zeroizing::new(bytes)))
    }
    /// From 64 hexadecimal digits.
    pub fn parse(hex: &str) -> Result<Self, NotAMasterKey> {
        let bytes = Zeroizing::new(hex::decode(hex.trim()).map_err(|_| NotAMasterKey)?);
        <[u8; 32]>::try_from(bytes.as_slice()).map(MasterKey::from_bytes).map_err(|_| NotAMasterKey)
    }
    /// A new random one.
    pub fn generate() -> Self {
        MasterKey(Key::generate())
    }
    /// Its 64 hexadecimal digits, for the file that keeps it.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.0.as_slice()))
    }
    /// The key for one purpose: HMAC-SHA-256 of the purpose under the master key.
    pub(super) fn derive(&self, purpose: &str) -> Key {
        Key(Zeroizing::new(self.0.mac(&[b"hilt/", purpose.as_bytes()])))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl Key {
    pub(super) fn generate() -> Self {
        Key(Zeroizing::new(random_bytes()))
    }
    pub(super) fn from_slice(bytes: &[u8]) -> Result<Self, DoesNotOpen> {
        bytes.try_into().map(|bytes| Key(Zeroizing::new(bytes))).map_err(|_| DoesNotOpen)
    }
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Nonce and ciphertext of `plain`, bound to `aad`.
    pub(super) fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = random_bytes();
        let sealed = self
            .cipher()
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad })
            .expect("XChaCha20-Poly1305 fails only above 256 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// What [`Key::seal`] sealed with the same `aad`.
    pub(super) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (nonce, msg) = sealed.split_at_checked(NONCE).ok_or(DoesNotOpen)?;
        self.cipher().decrypt(XNonce::from_slice(nonce), Payload { msg, aad }).map(Zeroizing::new).map_err(|_| DoesNotOpen)
    }

    /// HMAC-SHA-256 over `parts`, which the caller separates unambiguously.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(self.as_bytes()).expect("HMAC takes keys of any length");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.as_slice().into())
    }
}
