//! The text that a wallet signs. Everything that the proof is about is in it, so that a signature for one site, product, identity,
//! wallet or time is worth nothing anywhere else.

use events::vocab::{bytes::SolanaAddress, id::IdentitySessionId, time::Timestamp, words::IdentityType};
use std::fmt;

/// What the text says. Values hold no line breaks, or one of them could pass for another line; whoever reads them in from outside
/// sees to that.
#[derive(Clone, Debug)]
pub struct Challenge<'a> {
    /// Origin of the site that asks: `https://www.hilt.so`.
    pub origin: &'a str,
    /// What will be bought.
    pub slug: &'a str,
    /// The kind of identity.
    pub identity_type: IdentityType,
    /// The identity.
    pub identity_value: &'a str,
    /// Its handle.
    pub identity_display: Option<&'a str>,
    /// The wallet that is to sign.
    pub wallet: SolanaAddress,
    /// The session.
    pub session_id: IdentitySessionId,
    /// 16 random bytes.
    pub nonce: [u8; 16],
    /// Now.
    pub issued_at: Timestamp,
    /// When the time for signing is over.
    pub expires_at: Timestamp,
}

impl fmt::Display for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Sign this message to verify your wallet on {}.", self.origin)?;
        writeln!(f)?;
        writeln!(f, "It costs nothing and moves no money. It says that this wallet pays for this identity.")?;
        writeln!(f)?;
        writeln!(f, "Site: {}", self.origin)?;
        writeln!(f, "Product: {}", self.slug)?;
        write!(f, "Identity: {} {}", self.identity_type, self.identity_value)?;
        match self.identity_display {
            Some(display) => writeln!(f, " ({display})")?,
            None => writeln!(f)?,
        }
        writeln!(f, "Wallet: {}", self.wallet)?;
        writeln!(f, "Session: {}", self.session_id)?;
        writeln!(f, "Nonce: {}", hex::encode(self.nonce))?;
        writeln!(f, "Issued At: {}", self.issued_at)?;
        write!(f, "Expiration Time: {}", self.expires_at)
    }
}
