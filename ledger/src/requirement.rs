//! What a session asks to be paid (INV-15, RT-063): the binding, its JSON and its hash.

use events::vocab::{
    bytes::{Hash32, SolanaAddress},
    event::{PaymentCreated, PaymentRequirementAuthored, PaymentSessionCreated, RequiredTransfer},
    id::{AccessProductId, EntitlementId, OwnerId, PaymentId, ProductId, SessionId},
    money::{FeeBps, Minor},
    rail::RailId,
    time::Timestamp,
    words::{FeeSource, PaymentProtocol, TransferRole},
};
use serde_json::{Value, json};

/// Everything that a requirement ties together.
#[derive(Clone, PartialEq, Debug)]
pub struct Binding {
    /// The workspace.
    pub owner_id: OwnerId,
    /// The session.
    pub session_id: SessionId,
    /// What is bought.
    pub access_product_id: AccessProductId,
    /// The hosted product behind it.
    pub product_id: ProductId,
    /// What will be activated.
    pub entitlement_id: EntitlementId,
    /// The checkout payment.
    pub payment_id: PaymentId,
    /// The rail.
    pub rail_id: RailId,
    /// CAIP-2.
    pub network: String,
    /// The mint.
    pub asset: SolanaAddress,
    /// `HILT:<nonce>`.
    pub memo: String,
    /// What the buyer pays.
    pub gross: Minor,
    /// The merchant's part.
    pub merchant_amount: Minor,
    /// Hilt's part.
    pub fee_amount: Minor,
    /// The rate.
    pub fee_bps: FeeBps,
    /// Where the rate came from.
    pub fee_policy: String,
    /// The legs of the one transaction.
    pub required_transfers: Vec<RequiredTransfer>,
    /// Until when.
    pub expires_at: Timestamp,
    /// In an x402 session, the hash of what its clients are asked for.
    pub payment_requirements_hash: Option<Hash32>,
}

impl Binding {
    /// What `payment` asks for, for `session`; x402 is bound to it by [`Binding::for_x402`].
    pub fn of(owner_id: OwnerId, session: &PaymentSessionCreated, payment: &PaymentCreated, network: &str) -> Self {
        Binding {
            owner_id,
            session_id: session.session_id,
            access_product_id: session.access_product_id,
            product_id: session.product_id,
            entitlement_id: session.entitlement_id,
            payment_id: session.payment_id,
            rail_id: session.rail_id,
            network: network.to_owned(),
            asset: payment.asset.mint,
            memo: payment.memo(),
            gross: payment.amount,
            merchant_amount: payment.merchant_amount,
            fee_amount: payment.fee_amount,
            fee_bps: payment.fee_bps,
            fee_policy: payment.fee_policy.clone(),
            required_transfers: required_transfers(payment),
            expires_at: session.expires_at,
            payment_requirements_hash: None,
        }
    }

    /// The same requirement, bound to what x402 clients are asked for.
    pub fn for_x402(self, payment_requirements_hash: Hash32) -> Self {
        Binding { payment_requirements_hash: Some(payment_requirements_hash), ..self }
    }

    /// The binding behind a requirement that was authored.
    pub fn authored(owner_id: OwnerId, session: &PaymentSessionCreated, requirement: &PaymentRequirementAuthored) -> Self {
        Binding {
            owner_id,
            session_id: session.session_id,
            access_product_id: session.access_product_id,
            product_id: session.product_id,
            entitlement_id: session.entitlement_id,
            payment_id: session.payment_id,
            rail_id: requirement.rail_id,
            network: requirement.network.clone(),
            asset: requirement.asset,
            memo: requirement.memo.clone(),
            gross: requirement.gross,
            merchant_amount: requirement.merchant_amount,
            fee_amount: requirement.fee_amount,
            fee_bps: requirement.fee_bps,
            fee_policy: requirement.fee_policy.clone(),
            required_transfers: requirement.required_transfers.clone(),
            expires_at: requirement.expires_at,
            payment_requirements_hash: requirement.x402.as_ref().map(|x402| x402.payment_requirements_hash),
        }
    }

    /// SHA-256 of the RFC 8785 form of [`requirement_json`].
    pub fn hash(&self) -> Hash32 {
        Hash32::of(canonical(&requirement_json(self)))
    }
}

/// The requirement as the API shows it, but for `requirement_hash`, which is the hash of this and is put beside it.
pub fn requirement_json(binding: &Binding) -> Value {
    let transfers: Vec<Value> = binding
        .required_transfers
        .iter()
        .map(|leg| json!({ "role": leg.role.as_str(), "pay_to": leg.pay_to.to_string(), "amount_minor_units": leg.amount.units() }))
        .collect();
    let mut json = json!({
        "owner_id": binding.owner_id.to_string(),
        "payment_session_id": binding.session_id.to_string(),
        "access_product_id": binding.access_product_id.to_string(),
        "product_id": binding.product_id.to_string(),
        "pending_entitlement_id": binding.entitlement_id.to_string(),
        "payment_id": binding.payment_id.to_string(),
        "rail_id": binding.rail_id.as_str(),
        "network": binding.network,
        "asset": binding.asset.to_string(),
        "memo": binding.memo,
        "gross_amount_minor_units": binding.gross.units(),
        "merchant_amount_minor_units": binding.merchant_amount.units(),
        "hilt_fee_minor_units": binding.fee_amount.units(),
        "fee_bps": binding.fee_bps.get(),
        "fee_policy": binding.fee_policy,
        "required_transfers": transfers,
        "expires_at": binding.expires_at.to_string(),
    });
    if let Some(hash) = binding.payment_requirements_hash {
        json["payment_protocol"] = json!(PaymentProtocol::X402.as_str());
        json["fee_source"] = json!(FeeSource::MerchantReceivable.as_str());
        json["payment_requirements_hash"] = json!(hash.to_string());
    }
    json
}

/// RFC 8785 bytes of `value`. Integers must be at most 2⁵³ − 1, which [`Minor`] guarantees.
pub fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("a JSON value has text keys and finite numbers, so it has a canonical form")
}

/// The legs of a payment: the merchant's, and Hilt's if the buyer sends it and it is not zero.
pub fn required_transfers(payment: &PaymentCreated) -> Vec<RequiredTransfer> {
    let leg = |role, pay_to, amount| RequiredTransfer { role, pay_to, amount };
    let legs = match payment.fee_source {
        FeeSource::MerchantReceivable => vec![leg(TransferRole::Merchant, payment.merchant_wallet, payment.amount)],
        FeeSource::BuyerTransfer => {
            let fee = payment.fee_wallet.map(|wallet| leg(TransferRole::Fee, wallet, payment.fee_amount));
            [Some(leg(TransferRole::Merchant, payment.merchant_wallet, payment.merchant_amount)), fee].into_iter().flatten().collect()
        }
    };
    legs.into_iter().filter(|leg| leg.amount != Minor::ZERO).collect()
}
