//! Phantom on a phone (RT-020..024): deep links that open the wallet, and what it sends back.
//!
//! Both sides encrypt with a NaCl box (X25519, XSalsa20-Poly1305): the service has a fresh key pair for each connection, the wallet
//! another. What comes back is as trustworthy as any client's word: a message's signature and a transaction are checked by those who
//! use them.

mod channel;
mod link;
mod refusal;

#[cfg(test)]
mod tests;

pub use channel::{Channel, DappKey, EncryptionKey, Nonce, NotPhantoms, Sealed};
pub use link::{Cluster, connect, sign_message, sign_transaction};
pub use refusal::Refusal;

use events::vocab::bytes::{Signature64, SolanaAddress};
use serde::Deserialize;
use zeroize::Zeroizing;

/// The vault's word for the service's key of one payment.
pub const DAPP_KEY_SECRET: &str = "phantom_dapp_key";
/// The vault's word for the wallet's token.
pub const SESSION_SECRET: &str = "phantom_session";
/// Both: what nobody needs once the payment's time is over.
pub const SECRETS: [&str; 2] = [DAPP_KEY_SECRET, SESSION_SECRET];

/// A session token that Phantom may reasonably hand out.
const MAX_SESSION: usize = 2_048;
/// A serialized transaction is one packet.
const MAX_TRANSACTION: usize = 1_232;

/// What the wallet answers to `connect`.
pub struct Connected {
    /// The wallet.
    pub wallet: SolanaAddress,
    /// The wallet's token for later requests: secret, and opaque to us.
    pub session: Zeroizing<String>,
}

/// Reads the answer to `connect`.
pub fn connected(plain: &[u8]) -> Result<Connected, NotPhantoms> {
    #[derive(Deserialize)]
    struct Answer {
        public_key: SolanaAddress,
        session: String,
    }
    let Answer { public_key, session } = parse(plain)?;
    let session = Zeroizing::new(session);
    match session.len() {
        1..=MAX_SESSION => Ok(Connected { wallet: public_key, session }),
        _ => Err(NotPhantoms("session is empty or too long")),
    }
}

/// Reads the answer to `signMessage`.
pub fn signed_message(plain: &[u8]) -> Result<Signature64, NotPhantoms> {
    #[derive(Deserialize)]
    struct Answer {
        signature: String,
    }
    let Answer { signature } = parse(plain)?;
    let bytes = base58(&signature, 96).ok_or(NotPhantoms("signature is not base58"))?;
    Signature64::try_from(bytes.as_slice()).map_err(|_| NotPhantoms("signature is not 64 bytes"))
}

/// Reads the answer to `signTransaction`: the serialized transaction.
pub fn signed_transaction(plain: &[u8]) -> Result<Vec<u8>, NotPhantoms> {
    #[derive(Deserialize)]
    struct Answer {
        transaction: String,
    }
    let Answer { transaction } = parse(plain)?;
    let bytes = base58(&transaction, 2 * MAX_TRANSACTION).ok_or(NotPhantoms("transaction is not base58"))?;
    match bytes.len() {
        1..=MAX_TRANSACTION => Ok(bytes),
        _ => Err(NotPhantoms("transaction is empty or larger than a packet")),
    }
}

/// Serde's words may quote what the wallet sent, so they are not repeated.
fn parse<'a, T: Deserialize<'a>>(plain: &'a [u8]) -> Result<T, NotPhantoms> {
    serde_json::from_slice(plain).map_err(|_| NotPhantoms("the decrypted data does not have the documented fields"))
}

/// Base58 of at most `longest` characters: decoding takes quadratic time.
fn base58(text: &str, longest: usize) -> Option<Vec<u8>> {
    if text.len() > longest { None } else { bs58::decode(text).into_vec().ok() }
}
