//! What is asked of a payment, and why it may be refused.

use crate::{Cited, check::rejections};
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    event::{Asset, MembershipTerms, Place, PriceQuote, SettlementEvidenced},
    id::{AccessProductId, EntitlementId, IdentitySessionId, PaymentId, ProductId, SessionId, SubjectId},
    money::FeeBps,
    personal::Personal,
    time::Timestamp,
    words::{FeeSource, Outcome, Trigger},
};

/// What is asked of a payment.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Ask for it (TR-4).
    Create(Box<Create>),
    /// A transaction for it was announced (TR-5). The same one again changes nothing.
    RecordBroadcast {
        /// The transaction.
        tx: TxSignature,
        /// Who says to have paid.
        payer_wallet: Option<SolanaAddress>,
        /// With which wallet software.
        wallet_source: Option<String>,
        /// Now.
        now: Timestamp,
    },
    /// Somebody looked at the chain (TR-6). A watcher that sees the same again is not recorded.
    RecordAttempt {
        /// Which transaction he looked for.
        tx: TxSignature,
        /// Who looked.
        trigger: Trigger,
        /// What he found.
        outcome: Outcome,
        /// Why, when not passed.
        reason: Option<String>,
    },
    /// The chain shows the transaction that pays it, and something else is missing (TR-5). It takes the place of one that was only
    /// announced.
    LinkPaid {
        /// The transaction.
        tx: TxSignature,
        /// Who paid.
        payer: SolanaAddress,
        /// The block's time, or now where the chain gives none.
        paid_at: Timestamp,
    },
    /// It is paid (TR-7). The transaction is linked first when that has not happened.
    Confirm {
        /// The settlement that permits it.
        settlement: Cited<SettlementEvidenced>,
        /// The verified identity session that it uses up.
        identity_session_id: Option<IdentitySessionId>,
        /// The block's time, or now where the chain gives none: a payment made in time counts, however late it is seen.
        paid_at: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// Its transaction failed or does not match (TR-8).
    Fail {
        /// The transaction.
        tx: TxSignature,
        /// A stable code.
        reason: String,
        /// Now.
        now: Timestamp,
    },
    /// Its time is over (TR-9).
    Expire {
        /// Now.
        now: Timestamp,
    },
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// Its id.
    pub payment_id: PaymentId,
    /// What is bought.
    pub product_id: ProductId,
    /// What is bought, on the access API.
    pub access_product_id: Option<AccessProductId>,
    /// The session it belongs to.
    pub session_id: Option<SessionId>,
    /// What it will activate.
    pub entitlement_id: Option<EntitlementId>,
    /// Who buys.
    pub subject_id: SubjectId,
    /// 16 random bytes.
    pub nonce: [u8; 16],
    /// What is paid with.
    pub asset: Asset,
    /// The gross amount in minor units.
    pub amount: u64,
    /// The rate in force ([`crate::fee::rate`]).
    pub fee_bps: FeeBps,
    /// Where the rate came from.
    pub fee_policy: String,
    /// Where the merchant's part goes.
    pub merchant_wallet: SolanaAddress,
    /// Where the fee goes; needed unless it comes to zero or is not the buyer's to send.
    pub fee_wallet: Option<SolanaAddress>,
    /// The only wallet that may pay, when the buyer named one.
    pub payer_wallet: Option<SolanaAddress>,
    /// How memberships run, when the product has them.
    pub membership: Option<MembershipTerms>,
    /// Whether it settles only together with a verified identity session (INV-66).
    pub identity_required: bool,
    /// Its place among the payments that the product may have.
    pub place: Option<Place>,
    /// The price of the asset now, where one is needed.
    pub quote: Option<PriceQuote>,
    /// When it ends if nobody pays: 30 minutes from now.
    pub expires_at: Timestamp,
    /// Who sends the fee.
    pub fee_source: FeeSource,
    /// The buyer's identity, as far as he said it.
    pub personal: Personal,
}

rejections! {
    /// Why a payment command is refused.
    pub enum Rejection {
        /// There is no such payment.
        NotFound = "payment_not_found", "there is no such payment";
        /// An amount of 0 or beyond 2⁵³ − 1.
        AmountOutOfRange = "amount_out_of_range", "amount_minor_units: is an integer from 1 to 9007199254740991";
        /// A fee is due and there is nowhere to send it.
        FeeWalletRequired = "fee_wallet_required", "a fee is due and no fee wallet is configured";
        /// The id is in use for another payment.
        AlreadyExists = "already_exists", "the payment exists with other content";
        /// One payment, one transaction (INV-67).
        TxConflict = "tx_conflict", "this payment is linked to a different transaction";
        /// The time is over and no transaction was recorded before (INV-68, Q-15).
        Expired = "payment_expired", "the payment session has expired";
        /// The payment failed on chain and stays failed.
        Failed = "tx_failed", "the payment's transaction failed";
        /// The payment is paid and cannot fail or expire any more.
        AlreadyConfirmed = "payment_already_confirmed", "the payment is confirmed";
        /// The settlement is another payment's, or of other amounts.
        SettlementMismatch {
            /// Which field differs.
            field: &'static str,
        } = "settlement_mismatch", "{field} of the settlement is not the payment's";
        /// Another wallet paid than the one that was named (INV-66).
        PayerWalletMismatch = "payer_wallet_mismatch", "payer_wallet: is not the wallet that this payment was started with";
        /// It settles only together with a verified identity session (INV-66).
        IdentityRequired = "identity_verification_required", "this payment needs a verified identity session";
        /// The time is not over.
        NotExpiredYet = "not_expired_yet", "the payment has not expired yet";
        /// A transaction is recorded, so that the payment may still be confirmed.
        PendingConfirmation = "payment_pending_confirmation", "a transaction is recorded and may still be confirmed";
    }
}
