//! Rails: the ways a payment can settle (RAIL-1..8).

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! words {
    ($( $(#[$doc:meta])* pub enum $name:ident, $rule:literal { $( $(#[$vdoc:meta])* $variant:ident = $text:literal ),* $(,)? } )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub enum $name { $( $(#[$vdoc])* #[serde(rename = $text)] $variant ),* }
        impl $name {
            /// Every value, in the contract's order.
            pub const ALL: &'static [$name] = &[$( $name::$variant ),*];
            /// The contract's word.
            pub const fn as_str(self) -> &'static str { match self { $( $name::$variant => $text ),* } }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
        impl FromStr for $name {
            type Err = crate::vocab::bytes::Malformed;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text { $( $text => Ok($name::$variant), )* _ => Err(crate::vocab::bytes::Malformed($rule)) }
            }
        }
    )*};
}
pub(crate) use words;

words! {
    /// A rail by its wire name.
    pub enum RailId, "unknown rail" {
        /// USDC on Solana: the only production rail at launch (INV-21).
        SolanaUsdc = "solana_usdc",
        /// The x402 protocol, listed as a rail (DIS-8).
        X402 = "x402",
        /// Native USDC on Base.
        BaseUsdc = "base_usdc",
        /// USDC on allow-listed EVM chains.
        EvmUsdc = "evm_usdc",
        /// The USDT family row: listed, never configurable (DIS-26).
        Usdt = "usdt",
        /// USDT on Solana.
        SolanaUsdt = "solana_usdt",
        /// USDT as an ERC-20.
        Erc20Usdt = "erc20_usdt",
        /// USDT on TRON.
        TronUsdt = "tron_usdt",
    }
    /// How far a rail has come (OBJ-15).
    pub enum CapabilityStatus, "status is production_available, sandbox_available, private_alpha_target or review_required" {
        /// Settles real payments.
        ProductionAvailable = "production_available",
        /// Has a shape to develop against.
        SandboxAvailable = "sandbox_available",
        /// A future rail, hidden behind its gates.
        PrivateAlphaTarget = "private_alpha_target",
        /// Waits for a review of its risks.
        ReviewRequired = "review_required",
    }
    /// Whether a setting or an object moves real money.
    pub enum Mode, "mode is live or sandbox" {
        /// Real money.
        Live = "live",
        /// None.
        Sandbox = "sandbox",
    }
    /// How Hilt's fee is collected on EVM rails (RT-056).
    pub enum FeeCollectionMode, "fee_collection_mode is merchant_allowance_pull, buyer_split_transfer or deferred_merchant_billing" {
        /// From the merchant's allowance, after the buyer's payment is verified.
        MerchantAllowancePull = "merchant_allowance_pull",
        /// As a second transfer signed by the buyer.
        BuyerSplitTransfer = "buyer_split_transfer",
        /// Billed later; never allowed for buyer-one-sign sessions.
        DeferredMerchantBilling = "deferred_merchant_billing",
    }
}
