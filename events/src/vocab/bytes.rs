//! Fixed-size byte strings: binary in MessagePack, text in JSON.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, Visitor},
};
use std::{fmt, str::FromStr};

/// Text that is not the expected byte string.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// Reads a byte string of one length, without a copy in between.
struct Exactly<const N: usize>;

impl<const N: usize> Visitor<'_> for Exactly<N> {
    type Value = [u8; N];
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }
    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
        bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

macro_rules! byte_strings {
    ($( $(#[$doc:meta])* $name:ident [$size:literal] $encode:ident $decode:ident $rule:literal ),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $size]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&$encode(&self.0)) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self) }
        }
        impl FromStr for $name {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                $decode(text).and_then(|bytes| bytes.try_into().ok()).map($name).ok_or(Malformed($rule))
            }
        }
        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] { &self.0 }
        }
        impl TryFrom<&[u8]> for $name {
            type Error = Malformed;
            fn try_from(bytes: &[u8]) -> Result<Self, Malformed> { bytes.try_into().map($name).map_err(|_| Malformed($rule)) }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_bytes(&self.0) }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                } else {
                    deserializer.deserialize_bytes(Exactly).map($name)
                }
            }
        }
    )*};
}

fn to_hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}
fn from_hex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok()
}
fn to_0x(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
fn from_0x(text: &str) -> Option<Vec<u8>> {
    from_hex(text.strip_prefix("0x")?)
}
/// Addresses and signatures stand in claims, receipts and answers; the general way costs ten times as much.
fn to_base58(bytes: &[u8]) -> String {
    if let Ok(bytes) = bytes.try_into() {
        let mut text = [0; 44];
        let length = five8::encode_32(bytes, &mut text);
        return ascii(&text, length);
    }
    if let Ok(bytes) = bytes.try_into() {
        let mut text = [0; 88];
        let length = five8::encode_64(bytes, &mut text);
        return ascii(&text, length);
    }
    bs58::encode(bytes).into_string()
}
fn ascii(text: &[u8], length: u8) -> String {
    String::from_utf8_lossy(text.get(..usize::from(length)).unwrap_or(text)).into_owned()
}
/// Long input cannot be valid and base58 decoding is quadratic, so it is refused before decoding.
fn from_base58(text: &str) -> Option<Vec<u8>> {
    if text.len() > 96 { None } else { bs58::decode(text).into_vec().ok() }
}
fn to_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
fn from_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

byte_strings! {
    /// A SHA-256 hash; hex in JSON.
    Hash32[32] to_hex from_hex "a hash is 64 hexadecimal digits",
    /// A Solana address (wallet, mint or token account); base58 in JSON. Strict: exactly 32 bytes.
    SolanaAddress[32] to_base58 from_base58 "a Solana address is base58 of exactly 32 bytes",
    /// A Solana transaction signature; base58 in JSON.
    TxSignature[64] to_base58 from_base58 "a Solana transaction signature is base58 of exactly 64 bytes",
    /// An EVM address; `0x` and lower-case hex in JSON. What people type is checked for its checksum elsewhere.
    EvmAddress[20] to_0x from_0x "an EVM address is 0x and 40 hexadecimal digits",
    /// A hash of a block or a transaction of an EVM chain; `0x` and lower-case hex in JSON.
    EvmHash[32] to_0x from_0x "an EVM hash is 0x and 64 hexadecimal digits",
    /// An Ed25519 signature; base64 in JSON.
    Signature64[64] to_base64 from_base64 "a signature is base64 of exactly 64 bytes",
}

impl Hash32 {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        use sha2::Digest as _;
        Hash32(sha2::Sha256::digest(bytes).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base58_is_the_same_by_the_quick_way_and_by_the_general_one() {
        let hashes = (0..200_u32).map(|n| Hash32::of(n.to_be_bytes()).0);
        let zeros = (0..=32).map(|zeros| std::array::from_fn(|at| if at < zeros { 0 } else { 0xff }));
        for bytes in hashes.chain(zeros) {
            let address = SolanaAddress(bytes);
            assert_eq!(address.to_string(), bs58::encode(bytes).into_string());
            assert_eq!(address.to_string().parse(), Ok(address));
            let both: [u8; 64] = std::array::from_fn(|at| bytes[at % 32]);
            assert_eq!(TxSignature(both).to_string(), bs58::encode(both).into_string());
            let padded: [u8; 64] = std::array::from_fn(|at| if at < 32 { 0 } else { bytes[at - 32] });
            assert_eq!(TxSignature(padded).to_string(), bs58::encode(padded).into_string());
        }
    }
}
