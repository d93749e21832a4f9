//! Why the chain could not be asked: never a statement about a payment.

use super::Network;

/// The chain could not be asked, or its answer could not be read: nothing is known about the payment.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Solana RPC {method}: {reason}")]
pub struct RpcUnavailable {
    /// The JSON-RPC method that was called.
    pub method: &'static str,
    /// What went wrong.
    pub reason: Unavailable,
}

/// Why the chain could not be asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unavailable {
    /// No complete HTTP answer.
    #[error("{0}")]
    Transport(&'static str),
    /// The provider limits this client's rate.
    #[error("rate limited by the provider")]
    RateLimited,
    /// An HTTP status other than success.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The node says of itself that it is unhealthy or behind.
    #[error("the node is unhealthy (JSON-RPC error {0})")]
    Unhealthy(i64),
    /// The node refuses the question; asking again changes nothing.
    #[error("the node refused the question (JSON-RPC error {0})")]
    Refused(i64),
    /// The answer does not have the documented form.
    #[error("unreadable answer: {0}")]
    Malformed(String),
    /// The node's answers contradict one another.
    #[error("contradictory answers: {0}")]
    Contradiction(&'static str),
    /// The node is on another cluster than configured.
    #[error("the node is on {found}, not on {expected}")]
    WrongNetwork {
        /// The configured cluster.
        expected: Network,
        /// The node's cluster.
        found: Network,
    },
}

impl Unavailable {
    /// A stable word for metrics and health reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Unavailable::Transport(_) => "rpc_transport",
            Unavailable::RateLimited => "rpc_rate_limited",
            Unavailable::Status(_) => "rpc_http_status",
            Unavailable::Unhealthy(_) => "rpc_unhealthy",
            Unavailable::Refused(_) => "rpc_refused",
            Unavailable::Malformed(_) => "rpc_malformed",
            Unavailable::Contradiction(_) => "rpc_contradiction",
            Unavailable::WrongNetwork { .. } => "rpc_wrong_network",
        }
    }

    /// Whether the same question may be answered a moment later.
    pub(super) const fn is_transient(&self) -> bool {
        match self {
            Unavailable::Transport(_) | Unavailable::RateLimited | Unavailable::Unhealthy(_) => true,
            Unavailable::Status(status) => *status >= 500,
            Unavailable::Refused(_) | Unavailable::Malformed(_) | Unavailable::Contradiction(_) | Unavailable::WrongNetwork { .. } => false,
        }
    }
}
