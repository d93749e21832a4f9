//! Why a payment is refused, in the words that x402's own facilitators use.

use super::Version;
use events::vocab::bytes::SolanaAddress;

macro_rules! reasons {
    ($( $(#[$doc:meta])* $variant:ident = $v2:literal $(or $v1:literal)? ),* $(,)?) => {
        /// Why a payment is refused.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Reason { $( $(#[$doc])* $variant ),* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$( Reason::$variant ),*];
            /// The word that the version has for it.
            pub const fn code(self, version: Version) -> &'static str {
                match (self, version) {
                    $( $( (Reason::$variant, Version::V1) => $v1, )? (Reason::$variant, _) => $v2 ),*
                }
            }
        }
    };
}

reasons! {
    /// A version that is not spoken.
    InvalidVersion = "invalid_x402_version",
    /// No payload of the scheme.
    InvalidPayload = "invalid_payload",
    /// Another scheme than `exact`.
    UnsupportedScheme = "invalid_exact_svm_unsupported_scheme" or "unsupported_scheme",
    /// Another network, or two that differ.
    NetworkMismatch = "invalid_exact_svm_network_mismatch" or "network_mismatch",
    /// Requirements that this ledger did not write, or that were altered.
    InvalidRequirements = "invalid_payment_requirements",
    /// Requirements without `extra.feePayer`.
    MissingFeePayer = "invalid_exact_svm_payload_missing_fee_payer",
    /// A fee payer that is not this facilitator's.
    FeePayerNotManaged = "invalid_exact_svm_fee_payer_not_managed_by_facilitator" or "fee_payer_not_managed_by_facilitator",
    /// The transaction names another fee payer than the requirements.
    FeePayerMismatch = "invalid_exact_svm_fee_payer_mismatch",
    /// No transaction.
    NotDecodable = "invalid_exact_svm_payload_transaction_could_not_be_decoded",
    /// The buyer's signature is missing or false.
    SignatureInvalid = "invalid_exact_svm_payload_signature_invalid",
    /// More signers than the fee payer and the buyer.
    ExcessiveSigners = "invalid_exact_svm_payload_excessive_signers",
    /// Fewer than 3 or more than 6 instructions.
    InstructionsLength = "invalid_exact_svm_payload_transaction_instructions_length",
    /// The first instruction does not set the limit of compute units.
    ComputeLimit = "invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction",
    /// A limit that no such payment needs.
    ComputeLimitTooHigh = "invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction_too_high",
    /// The second instruction does not set the price of a compute unit.
    ComputePrice = "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction",
    /// A price that would drain the fee payer.
    ComputePriceTooHigh = "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction_too_high",
    /// The third instruction is no TransferChecked.
    NoTransfer = "invalid_exact_svm_payload_no_transfer_instruction",
    /// The fee payer is among the accounts of an instruction.
    FeePayerTransferring = "invalid_exact_svm_payload_transaction_fee_payer_transferring_funds",
    /// Another token.
    MintMismatch = "invalid_exact_svm_payload_mint_mismatch",
    /// Another recipient.
    RecipientMismatch = "invalid_exact_svm_payload_recipient_mismatch",
    /// Another amount.
    AmountMismatch = "invalid_exact_svm_payload_amount_mismatch",
    /// The fourth instruction is neither a memo nor an assertion.
    UnknownFourth = "invalid_exact_svm_payload_unknown_fourth_instruction",
    /// The fifth.
    UnknownFifth = "invalid_exact_svm_payload_unknown_fifth_instruction",
    /// The sixth.
    UnknownSixth = "invalid_exact_svm_payload_unknown_sixth_instruction",
    /// Not one memo.
    MemoCount = "invalid_exact_svm_payload_memo_count",
    /// Another memo.
    MemoMismatch = "invalid_exact_svm_payload_memo_mismatch",
    /// Another wallet pays than the one that the session is for.
    PayerMismatch = "payer_wallet_mismatch",
    /// The session waits for no payment any more.
    InvalidState = "invalid_transaction_state",
    /// The chain would not carry it out.
    SimulationFailed = "invalid_exact_svm_transaction_simulation_failed" or "transaction_simulation_failed",
    /// The chain did not carry it out.
    TransactionFailed = "invalid_exact_svm_transaction_failed" or "transaction_failed",
    /// It was settled before, or another payment was made with it.
    DuplicateSettlement = "duplicate_settlement",
    /// Sent, and not final yet: settling again goes on waiting.
    SettlementPending = "settlement_pending",
    /// The chain cannot be asked.
    UnexpectedVerify = "unexpected_verify_error",
    /// The chain cannot be asked, or the ledger did not take it.
    UnexpectedSettle = "unexpected_settle_error",
}

impl Reason {
    /// Whether what was presented could be read, and is of something else than what was asked for.
    pub const fn contradicts(self) -> bool {
        use Reason::{
            AmountMismatch, FeePayerMismatch, InvalidRequirements, MemoMismatch, MintMismatch, NetworkMismatch, PayerMismatch,
            RecipientMismatch, UnsupportedScheme,
        };
        matches!(
            self,
            AmountMismatch
                | FeePayerMismatch
                | InvalidRequirements
                | MemoMismatch
                | MintMismatch
                | NetworkMismatch
                | PayerMismatch
                | RecipientMismatch
                | UnsupportedScheme
        )
    }
}

/// A refused payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// In words, for a developer. It says nothing that the sender has not sent.
    pub message: String,
    /// Who wanted to pay, as far as that is known.
    pub payer: Option<SolanaAddress>,
}

impl Refusal {
    /// Refused before anybody is known to pay.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Refusal { reason, message: message.into(), payer: None }
    }

    /// The same, of a payer.
    pub fn of(self, payer: SolanaAddress) -> Self {
        Refusal { payer: Some(payer), ..self }
    }
}
