//! What the wallet says when it does not do what it was asked.

/// A refusal, by the wallet's `errorCode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The buyer said no.
    UserRejected,
    /// The wallet does not know the connection any more.
    Unauthorized,
    /// The wallet cannot reach the network.
    Disconnected,
    /// The wallet thinks that the transaction would fail.
    TransactionRejected,
    /// Anything else.
    Failed,
}

impl Refusal {
    /// The refusal of that `errorCode`.
    pub fn of(error_code: &str) -> Self {
        match error_code.trim() {
            "4001" => Refusal::UserRejected,
            "4100" => Refusal::Unauthorized,
            "4900" => Refusal::Disconnected,
            "-32003" => Refusal::TransactionRejected,
            _ => Refusal::Failed,
        }
    }
    /// A stable word for answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Refusal::UserRejected => "user_rejected",
            Refusal::Unauthorized => "wallet_not_connected",
            Refusal::Disconnected => "wallet_offline",
            Refusal::TransactionRejected => "transaction_rejected",
            Refusal::Failed => "wallet_failed",
        }
    }
}
