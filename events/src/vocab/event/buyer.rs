//! Who a buyer is, and how he came: identity sessions, handoffs, Phantom deep links. Identities are sealed.

use crate::vocab::{
    bytes::{Hash32, SolanaAddress, TxSignature},
    id::*,
    time::Timestamp,
    words::*,
};
use serde::{Deserialize, Serialize};

/// A wallet is asked to prove that it pays for an identity (TR-10). Sealed beside it: the identity, and the message to sign.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IdentitySessionStarted {
    pub session_id: IdentitySessionId,
    pub product_id: ProductId,
    pub subject_id: SubjectId,
    pub wallet: SolanaAddress,
    pub wallet_source: Option<String>,
    pub identity_type: IdentityType,
    /// SHA-256 of the message to sign.
    pub message_hash: Hash32,
    pub expires_at: Timestamp,
}

/// The wallet signed the message in time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IdentitySessionVerified {
    pub session_id: IdentitySessionId,
    pub verified_at: Timestamp,
}

/// A signature that is not the wallet's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IdentitySessionRejected {
    pub session_id: IdentitySessionId,
    pub reason: String,
}

/// Nobody signed in time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IdentitySessionExpired {
    pub session_id: IdentitySessionId,
    pub expired_at: Timestamp,
}

/// The first confirmed payment used it up.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IdentitySessionConsumed {
    pub session_id: IdentitySessionId,
    pub payment_id: PaymentId,
    /// The event that permits it: `payment.confirmed`.
    pub payment_event: EventId,
}

/// A buyer who is known before checkout (TR-11). Sealed beside it: the identity.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HandoffIssued {
    pub handoff_id: HandoffId,
    pub product_id: ProductId,
    pub subject_id: SubjectId,
    pub source: HandoffSource,
    pub identity_type: IdentityType,
    pub expires_at: Timestamp,
}

/// A checkout page read it, for the first time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HandoffResolved {
    pub handoff_id: HandoffId,
    pub resolved_at: Timestamp,
}

/// A buyer went to Discord to say who he is (RT-012); what comes back is issued as this handoff.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DiscordConnectStarted {
    pub handoff_id: HandoffId,
    pub product_id: ProductId,
    pub expires_at: Timestamp,
}

/// A key pair for one payment's deep links; the secret key is in the vault.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PhantomSessionOpened {
    pub phantom_session_id: PhantomSessionId,
    pub payment_id: PaymentId,
    /// X25519, base58.
    pub dapp_public_key: SolanaAddress,
    pub expires_at: Timestamp,
}

/// Phantom answered with the buyer's wallet; its session token is in the vault.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PhantomSessionConnected {
    pub phantom_session_id: PhantomSessionId,
    /// X25519, base58.
    pub phantom_public_key: SolanaAddress,
    pub wallet: SolanaAddress,
}

/// Phantom signed an identity session's message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PhantomMessageSigned {
    pub phantom_session_id: PhantomSessionId,
    pub identity_session_id: IdentitySessionId,
}

/// Phantom signed the payment's transaction, which the service broadcasts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PhantomTransactionSigned {
    pub phantom_session_id: PhantomSessionId,
    pub tx_signature: TxSignature,
}
