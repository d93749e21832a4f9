//! What a Base or EVM session will ask for (RT-063, AC-71, MON-10). Until such a rail is released nobody is asked: staff look at it, and
//! buyers never see it (INV-33).
//!
//! Nothing is held in between (INV-36). By default the buyer makes one transfer, of everything to the merchant, and Hilt takes its fee,
//! and no more, from an allowance that the merchant has given and may revoke (INV-37). Only a merchant who asks for it has buyers make
//! two transfers, one for each side.

use crate::check::rejections;
use crate::wallet;
use events::vocab::{
    event::FeeCollection,
    money::{FeeBps, Minor},
    rail::{FeeCollectionMode, RailId},
    words::TransferRole,
};
use serde_json::{Value, json};

/// Native USDC on the chains where Circle issues it. A bridged token is another token.
const NATIVE_USDC: [(&str, &str); 5] = [
    ("eip155:1", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"),
    ("eip155:10", "0x0b2c639c533813f4aa9d7837caf62653d097ff85"),
    ("eip155:137", "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"),
    ("eip155:8453", "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"),
    ("eip155:42161", "0xaf88d065e77c8cc2239327c5edb3a432268e5831"),
];
/// The one network of `base_usdc`.
pub const BASE: &str = "eip155:8453";
/// `transfer(address,uint256)`.
const TRANSFER: &str = "a9059cbb";

/// What a requirement is written from.
#[derive(Clone, PartialEq, Debug)]
pub struct Author {
    /// `base_usdc` or `evm_usdc`.
    pub rail_id: RailId,
    /// CAIP-2.
    pub network: String,
    /// The merchant's payout.
    pub payout_address: String,
    /// How the fee is collected, as the merchant has set it.
    pub fee_collection: Option<FeeCollection>,
    /// Whether that has been verified.
    pub fee_collection_active: bool,
    /// What the buyer pays, in minor units of USDC.
    pub gross: Minor,
    /// The rate.
    pub fee_bps: FeeBps,
    /// Where the rate came from.
    pub fee_policy: String,
    /// Hilt's wallet, which a buyer's second transfer goes to.
    pub fee_wallet: Option<String>,
}

/// A requirement.
#[derive(Clone, PartialEq, Debug)]
pub struct EvmRequirement {
    /// Its chain.
    pub network: String,
    /// The token.
    pub token_contract: &'static str,
    /// What the buyer transfers.
    pub transfers: Vec<Transfer>,
    /// What each side ends with; they add up to the gross amount.
    pub merchant_amount: Minor,
    /// See `merchant_amount`.
    pub fee_amount: Minor,
    author: Author,
    model: FeeCollectionMode,
}

/// One ERC-20 transfer of the buyer's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Whose part it carries.
    pub role: TransferRole,
    /// The recipient.
    pub pay_to: String,
    /// How much.
    pub amount: Minor,
}

rejections! {
    /// Why no requirement can be written.
    pub enum Rejection {
        /// The rail is none of these chains'.
        NotAnEvmRail {
            /// The rail.
            rail: RailId,
        } = "rail_session_adapter_not_implemented", "{rail} asks for no ERC-20 transfer";
        /// `base_usdc` is on Base, and elsewhere native USDC must exist.
        UnknownNetwork = "validation_failed", "network: is no chain on which the rail's native USDC is known";
        /// Nobody has said where the merchant is paid.
        PayoutAddressRequired = "payout_address_required", "the rail has no payout address";
        /// An address that cannot exist.
        InvalidWallet {
            /// Which field.
            field: &'static str,
            /// Which rule.
            rule: wallet::Invalid,
        } = "invalid_wallet", "{field}: {rule}";
        /// Billing later is never allowed for buyers' sessions (INV-27).
        NotInstant = "merchant_fee_collection_not_instant", "deferred billing is not allowed for buyer sessions";
        /// A fee is due, and neither an allowance nor a split is set up (INV-27).
        CollectionRequired = "merchant_fee_collection_not_active", "a fee is due and no fee collection is set up";
        /// An allowance has nobody who may draw on it.
        CollectorRequired = "fee_collector_address_required", "the fee collector has no address";
        /// A split has nowhere to send the fee.
        FeeWalletRequired = "fee_wallet_required", "a fee is due and Hilt has no wallet on EVM chains";
    }
}

/// Writes the requirement that `author` asks for.
pub fn author(author: Author) -> Result<EvmRequirement, Rejection> {
    let native = match author.rail_id {
        RailId::BaseUsdc => author.network == BASE,
        RailId::EvmUsdc => true,
        rail => return Err(Rejection::NotAnEvmRail { rail }),
    };
    let token = NATIVE_USDC.iter().find(|(network, _)| native && *network == author.network);
    let (_, token_contract) = token.ok_or(Rejection::UnknownNetwork)?;
    if author.payout_address.is_empty() {
        return Err(Rejection::PayoutAddressRequired);
    }
    wallet::evm(&author.payout_address).map_err(|rule| Rejection::InvalidWallet { field: "payout_address", rule })?;
    let parts = author.fee_bps.split(author.gross);
    let model = model(&author, parts.fee)?;
    let leg = |role, pay_to: &str, amount| Transfer { role, pay_to: pay_to.to_owned(), amount };
    let transfers = match model {
        FeeCollectionMode::BuyerSplitTransfer if parts.fee != Minor::ZERO => {
            let fee_wallet = author.fee_wallet.as_deref().ok_or(Rejection::FeeWalletRequired)?;
            wallet::evm(fee_wallet).map_err(|rule| Rejection::InvalidWallet { field: "fee_wallet", rule })?;
            vec![leg(TransferRole::Merchant, &author.payout_address, parts.merchant), leg(TransferRole::Fee, fee_wallet, parts.fee)]
        }
        _ => vec![leg(TransferRole::Merchant, &author.payout_address, author.gross)],
    };
    Ok(EvmRequirement {
        network: author.network.clone(),
        token_contract,
        transfers,
        merchant_amount: parts.merchant,
        fee_amount: parts.fee,
        model,
        author,
    })
}

/// How the fee will be collected; without a fee nothing has to be set up.
fn model(author: &Author, fee: Minor) -> Result<FeeCollectionMode, Rejection> {
    let collection = match &author.fee_collection {
        Some(collection) => collection,
        None if fee == Minor::ZERO => return Ok(FeeCollectionMode::MerchantAllowancePull),
        None => return Err(Rejection::CollectionRequired),
    };
    match collection.model {
        FeeCollectionMode::DeferredMerchantBilling => Err(Rejection::NotInstant),
        FeeCollectionMode::MerchantAllowancePull if fee != Minor::ZERO && collection.collector_address.is_none() => {
            Err(Rejection::CollectorRequired)
        }
        model => Ok(model),
    }
}

impl EvmRequirement {
    /// As a session's answer will show it.
    pub fn json(&self) -> Value {
        let Author { rail_id, gross, fee_bps, fee_policy, .. } = &self.author;
        let transfers: Vec<Value> = self.transfers.iter().map(|leg| self.leg(leg)).collect();
        let split = self.model == FeeCollectionMode::BuyerSplitTransfer && self.transfers.len() == 2;
        json!({
            "rail_id": rail_id,
            "network": self.network,
            "asset": self.token_contract,
            "proof_type": "erc20_transfer_v1",
            "gross_amount_minor_units": gross,
            "merchant_amount_minor_units": self.merchant_amount,
            "hilt_fee_minor_units": self.fee_amount,
            "fee_bps": fee_bps,
            "fee_policy": fee_policy,
            "required_transfers": transfers,
            "buyer_signature_requirement": if split { "batched_split_transfer" } else { "single_transfer_to_merchant" },
            "fee_collection": self.collection(),
            "wallet_batching": { "wallet_send_calls": if split { self.send_calls() } else { Value::Null } },
        })
    }

    fn leg(&self, leg: &Transfer) -> Value {
        json!({
            "role": leg.role,
            "pay_to": leg.pay_to,
            "amount_minor_units": leg.amount,
            "token_contract": self.token_contract,
            "data": calldata(&leg.pay_to, leg.amount),
        })
    }

    /// What Hilt may take from the merchant's allowance: its fee, never more than the merchant allows at once.
    fn collection(&self) -> Value {
        let Some(collection) = &self.author.fee_collection else {
            return json!({ "model": self.model, "status": "not_required" });
        };
        let pulled = match (self.model, collection.limit) {
            (FeeCollectionMode::MerchantAllowancePull, Some(limit)) => Some(self.fee_amount.min(limit)),
            (FeeCollectionMode::MerchantAllowancePull, None) => Some(self.fee_amount),
            _ => None,
        };
        json!({
            "model": self.model,
            "status": if self.author.fee_collection_active { "active" } else { "pending_verification" },
            "collector_address": collection.collector_address,
            "token_contract": collection.token_contract,
            "fee_allowance_limit_minor_units": collection.limit,
            "pull_amount_minor_units": pulled,
            "pulled_after": "verified_payment",
        })
    }

    /// EIP-5792: a template, whose `from` is the buyer's wallet to fill in.
    fn send_calls(&self) -> Value {
        let call = |leg: &Transfer| json!({ "to": self.token_contract, "data": calldata(&leg.pay_to, leg.amount), "value": "0x0" });
        let chain = self.network.strip_prefix("eip155:").and_then(|id| id.parse::<u64>().ok()).unwrap_or_default();
        json!({
            "method": "wallet_sendCalls",
            "params": [{
                "version": "2.0.0",
                "chainId": format!("0x{chain:x}"),
                "from": null,
                "atomicRequired": true,
                "calls": self.transfers.iter().map(call).collect::<Vec<_>>(),
            }],
        })
    }
}

/// An ERC-20 `transfer` as a transaction carries it: the function, and two words of 32 bytes.
fn calldata(pay_to: &str, amount: Minor) -> String {
    format!("0x{TRANSFER}{:0>64}{:064x}", pay_to.trim_start_matches("0x").to_lowercase(), amount.units())
}
