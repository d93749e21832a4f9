//! The encrypted channel between the service and one wallet.

use super::base58;
use crypto_box::{PublicKey, SalsaBox, SecretKey, aead::Aead as _};
use curve25519_dalek::{montgomery::MontgomeryPoint, traits::IsIdentity as _};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// The largest answer is a signed transaction, base58 in JSON, encrypted, base58 again.
const MAX_DATA: usize = 4_096;

/// What is not Phantom's, or was altered on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotPhantoms(pub &'static str);

/// A public X25519 key; base58 in links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncryptionKey(pub [u8; 32]);

/// The 24 bytes that no two messages of a channel may share; base58 in links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nonce(pub [u8; 24]);

/// An encrypted message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// Its nonce.
    pub nonce: Nonce,
    /// Ciphertext with its tag.
    pub data: Vec<u8>,
}

/// The service's private key of one connection.
#[derive(Clone)]
pub struct DappKey(Zeroizing<[u8; 32]>);

/// A channel to one wallet.
pub struct Channel(SalsaBox);

impl DappKey {
    /// From 32 random or remembered bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        DappKey(Zeroizing::new(bytes))
    }
    /// The bytes, for the vault.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// Its public part.
    pub fn public(&self) -> EncryptionKey {
        EncryptionKey(SecretKey::from_bytes(*self.0).public_key().to_bytes())
    }
    /// The channel to the wallet with that key. A key with which anyone could compute the shared secret is refused.
    pub fn channel(&self, wallet: &EncryptionKey) -> Result<Channel, NotPhantoms> {
        let shared = MontgomeryPoint(wallet.0).mul_clamped(*self.0);
        if shared.is_identity() {
            return Err(NotPhantoms("phantom_encryption_public_key is a point of low order"));
        }
        Ok(Channel(SalsaBox::new(&PublicKey::from_bytes(wallet.0), &SecretKey::from_bytes(*self.0))))
    }
}

impl fmt::Debug for DappKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DappKey(..)")
    }
}

impl Channel {
    /// Encrypts `plain`; `nonce` is fresh.
    pub fn seal(&self, nonce: Nonce, plain: &[u8]) -> Sealed {
        let data = self.0.encrypt(&nonce.0.into(), plain).expect("XSalsa20-Poly1305 fails only above 256 GiB");
        Sealed { nonce, data }
    }
    /// Decrypts what the other side sealed.
    pub fn open(&self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, NotPhantoms> {
        let opened = self.0.decrypt(&sealed.nonce.0.into(), sealed.data.as_slice());
        opened.map(Zeroizing::new).map_err(|_| NotPhantoms("data does not open with the keys of this connection"))
    }
}

impl Sealed {
    /// Reads the two parameters of an answer.
    pub fn parse(nonce: &str, data: &str) -> Result<Self, NotPhantoms> {
        let bytes = base58(data, MAX_DATA).ok_or(NotPhantoms("data is not base58, or too long"))?;
        Ok(Sealed { nonce: nonce.parse()?, data: bytes })
    }
    /// The ciphertext as links carry it.
    pub fn data_base58(&self) -> String {
        bs58::encode(&self.data).into_string()
    }
}

macro_rules! base58_text {
    ($name:ident, $field:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&bs58::encode(self.0).into_string())
            }
        }
        impl FromStr for $name {
            type Err = NotPhantoms;
            fn from_str(text: &str) -> Result<Self, NotPhantoms> {
                let bytes = base58(text, 64).and_then(|bytes| bytes.try_into().ok());
                bytes.map($name).ok_or(NotPhantoms($field))
            }
        }
    };
}

base58_text!(EncryptionKey, "phantom_encryption_public_key is base58 of exactly 32 bytes");
base58_text!(Nonce, "nonce is base58 of exactly 24 bytes");
