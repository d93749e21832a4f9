//! What a session asks of an x402 client (RT-063, MON-11): one requirement of scheme `exact`, written by Hilt from the merchant's
//! verified payout and the platform's token and network (INV-16). The buyer makes one transfer, of the whole amount to the merchant;
//! the fee is between the merchant and Hilt.

use events::vocab::{
    bytes::{Hash32, SolanaAddress},
    event::{PaymentRequirementAuthored, RequiredTransfer, X402Requirement},
    money::Minor,
    words::TransferRole,
};
use serde_json::{Value, json};

use crate::requirement::canonical;

/// The only scheme spoken: exactly this amount, in one transfer.
pub const SCHEME: &str = "exact";
/// What a proof of such a payment is.
pub const PROOF_TYPE: &str = "x402_payment_signature_v1";
/// How long a client may take from the requirement to a payment that is final, in seconds.
pub const MAX_TIMEOUT_SECONDS: u32 = 60;

/// What the author of a requirement adds for x402.
#[derive(Clone, PartialEq, Debug)]
pub struct Terms {
    /// What the payment opens: a URL, or a path of the merchant's server.
    pub resource: String,
    /// Who pays the network: a key of the facilitator.
    pub fee_payer: SolanaAddress,
    /// See [`MAX_TIMEOUT_SECONDS`].
    pub max_timeout_seconds: u32,
}

/// Everything that `accepts[0]` says.
#[derive(Clone, PartialEq, Debug)]
pub struct Accepts<'a> {
    /// CAIP-2.
    pub network: &'a str,
    /// The mint.
    pub asset: SolanaAddress,
    /// The merchant's payout.
    pub pay_to: SolanaAddress,
    /// What he receives, in minor units.
    pub amount: Minor,
    /// `HILT:<nonce>`.
    pub memo: &'a str,
    /// What it opens.
    pub resource: &'a str,
    /// Who pays the network.
    pub fee_payer: SolanaAddress,
    /// For how long the client may take.
    pub max_timeout_seconds: u32,
}

impl<'a> Accepts<'a> {
    /// What a requirement that was authored asks for, if it is an x402 session's; `resource` is sealed beside it.
    pub fn authored(requirement: &'a PaymentRequirementAuthored, resource: &'a str) -> Option<Self> {
        let X402Requirement { fee_payer, max_timeout_seconds, .. } = requirement.x402.as_ref()?;
        let leg = merchant_leg(&requirement.required_transfers)?;
        Some(Accepts {
            network: &requirement.network,
            asset: requirement.asset,
            pay_to: leg.pay_to,
            amount: leg.amount,
            memo: &requirement.memo,
            resource,
            fee_payer: *fee_payer,
            max_timeout_seconds: *max_timeout_seconds,
        })
    }

    /// As clients of version 2 read it. `maxAmountRequired` and `resource` are version 1's names, which extra fields do not disturb.
    pub fn json(&self) -> Value {
        json!({
            "scheme": SCHEME,
            "network": self.network,
            "asset": self.asset.to_string(),
            "amount": self.amount.to_string(),
            "maxAmountRequired": self.amount.to_string(),
            "payTo": self.pay_to.to_string(),
            "resource": self.resource,
            "maxTimeoutSeconds": self.max_timeout_seconds,
            "proof_type": PROOF_TYPE,
            "extra": { "feePayer": self.fee_payer.to_string(), "memo": self.memo },
        })
    }

    /// SHA-256 of the RFC 8785 form of [`Accepts::json`]: the `payment_requirements_hash`.
    pub fn hash(&self) -> Hash32 {
        Hash32::of(canonical(&self.json()))
    }
}

/// The merchant's leg; an x402 payment has no other.
pub fn merchant_leg(legs: &[RequiredTransfer]) -> Option<&RequiredTransfer> {
    legs.iter().find(|leg| leg.role == TransferRole::Merchant)
}
