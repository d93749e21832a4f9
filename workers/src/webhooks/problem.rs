//! Why webhook work could not go on for the moment.

use events::{
    codec::CodecError,
    log::{AppendError, ReadError},
    vault::VaultError,
    vocab::id::{DeliveryId, EndpointId, EventId},
};

/// What went wrong. All but the last three pass by themselves.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The log did not answer.
    #[error("the log: {0}")]
    Read(#[from] ReadError),
    /// The log did not take it.
    #[error("the log: {0}")]
    Append(#[from] AppendError),
    /// The vault did not answer.
    #[error("the vault: {0}")]
    Vault(#[from] VaultError),
    /// A read model did not answer, or lags too far behind.
    #[error("the read models: {0}")]
    Projection(String),
    /// An event does not decode.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A rule refuses what should always be allowed.
    #[error("the ledger refuses: {0}")]
    Refused(&'static str),
    /// The vault does not hold the secret whose hash the log holds.
    #[error("the signing secret of endpoint {0} is missing")]
    SecretMissing(EndpointId),
    /// The log does not hold what an event in it goes back to.
    #[error("what is told of event {0} is not in the log")]
    EventMissing(EventId),
    /// A delivery has no message.
    #[error("delivery {0} has no message in the log")]
    MessageMissing(DeliveryId),
}
