//! What clients and resource servers send, read leniently in what does not matter and not at all where it could be misread.

use super::{Reason, Refusal, Version};
use crate::solana::message::{MAX_TRANSACTION_BYTES, Transaction};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

/// A payment header is longer only if it carries something else than a payment.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;

/// A payment requirement as somebody repeats it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// `exact`.
    pub scheme: String,
    /// CAIP-2, or version 1's name.
    pub network: String,
    /// The mint.
    pub asset: String,
    /// The merchant.
    pub pay_to: String,
    /// Version 2's amount.
    #[serde(default)]
    pub amount: Option<String>,
    /// Version 1's amount.
    #[serde(default)]
    pub max_amount_required: Option<String>,
    /// For how long the client may take.
    #[serde(default)]
    pub max_timeout_seconds: Option<u64>,
    /// What Solana needs beside.
    #[serde(default)]
    pub extra: Option<Extra>,
}

/// `extra` of a requirement.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extra {
    /// Who pays the network.
    #[serde(default)]
    pub fee_payer: Option<String>,
    /// `HILT:<nonce>`.
    #[serde(default)]
    pub memo: Option<String>,
}

/// A payment as it is presented.
#[derive(Clone, PartialEq, Debug)]
pub struct Presented {
    /// In which version.
    pub version: Version,
    /// The requirement that it names: version 2's `accepted`. Version 1 names scheme and network only.
    pub accepted: Option<Requirement>,
    /// Version 1's network.
    network: Option<String>,
    scheme: Option<String>,
    transaction: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPayload {
    x402_version: u64,
    #[serde(default)]
    accepted: Option<Requirement>,
    #[serde(default)]
    scheme: Option<String>,
    #[serde(default)]
    network: Option<String>,
    payload: RawSvm,
}

#[derive(Deserialize)]
struct RawSvm {
    transaction: String,
}

/// The JSON in a `PAYMENT-SIGNATURE` or `X-PAYMENT` header.
pub fn decode_header(text: &str) -> Option<Value> {
    let text = text.trim();
    (text.len() <= MAX_HEADER_BYTES).then(|| STANDARD.decode(text).ok())?.and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

impl Presented {
    /// Reads a payment payload.
    pub fn parse(payload: &Value) -> Result<Self, Refusal> {
        let version = payload.get("x402Version").and_then(Value::as_u64);
        if version.is_some_and(|number| Version::of(number).is_none()) {
            return Err(Refusal::new(Reason::InvalidVersion, "x402Version is 1 or 2"));
        }
        let malformed = |error: serde_json::Error| Refusal::new(Reason::InvalidPayload, shape(&error));
        let raw = RawPayload::deserialize(payload).map_err(malformed)?;
        let version = Version::of(raw.x402_version).ok_or_else(|| Refusal::new(Reason::InvalidVersion, "x402Version is 1 or 2"))?;
        if version == Version::V2 && raw.accepted.is_none() {
            return Err(Refusal::new(Reason::InvalidPayload, "paymentPayload.accepted is missing"));
        }
        let RawPayload { accepted, scheme, network, payload, .. } = raw;
        Ok(Presented { version, accepted, network, scheme, transaction: payload.transaction })
    }

    /// Whether it is of the scheme, and of the requirement that the resource server presents it for.
    pub fn fits(&self, required: &Requirement) -> Result<(), Refusal> {
        let (scheme, network) = match &self.accepted {
            Some(accepted) if self.version == Version::V2 => (Some(&accepted.scheme), Some(&accepted.network)),
            _ => (self.scheme.as_ref(), self.network.as_ref()),
        };
        if scheme.is_none_or(|scheme| scheme != "exact") || required.scheme != "exact" {
            return Err(Refusal::new(Reason::UnsupportedScheme, "the scheme is `exact`"));
        }
        if network != Some(&required.network) {
            return Err(Refusal::new(Reason::NetworkMismatch, "the payload is of another network than the requirements"));
        }
        let differs = self.accepted.as_ref().and_then(|accepted| accepted.differs(required));
        match differs {
            Some(field) => {
                Err(Refusal::new(Reason::InvalidRequirements, format!("paymentPayload.accepted.{field} is not the requirements'")))
            }
            None => Ok(()),
        }
    }

    /// The transaction in it.
    pub fn transaction(&self) -> Result<Transaction, Refusal> {
        let refused = |why: &str| Refusal::new(Reason::NotDecodable, format!("payload.transaction: {why}"));
        // Base64 is a third longer than what it stands for.
        if self.transaction.len() > MAX_TRANSACTION_BYTES * 2 {
            return Err(refused("longer than a transaction can be"));
        }
        let bytes = STANDARD.decode(&self.transaction).map_err(|_| refused("not base64"))?;
        Transaction::parse(&bytes).map_err(|error| refused(&error.to_string()))
    }
}

impl Requirement {
    /// Reads a requirement.
    pub fn parse(requirement: &Value) -> Result<Self, Refusal> {
        Requirement::deserialize(requirement).map_err(|error| Refusal::new(Reason::InvalidRequirements, shape(&error)))
    }

    /// The amount, which both versions' fields must agree on if both are there.
    pub fn units(&self) -> Option<u64> {
        let read = |text: &Option<String>| text.as_deref().map(str::parse::<u64>);
        match (read(&self.amount), read(&self.max_amount_required)) {
            (Some(Ok(units)), None) | (None, Some(Ok(units))) => Some(units),
            (Some(Ok(one)), Some(Ok(other))) if one == other => Some(one),
            _ => None,
        }
    }

    /// The memo that ties it to a payment of the ledger.
    pub fn memo(&self) -> Option<&str> {
        self.extra.as_ref()?.memo.as_deref()
    }

    /// Who pays the network.
    pub fn fee_payer(&self) -> Option<&str> {
        self.extra.as_ref()?.fee_payer.as_deref()
    }

    /// The first field in which two requirements differ.
    fn differs(&self, other: &Requirement) -> Option<&'static str> {
        let same = [
            ("asset", self.asset == other.asset),
            ("payTo", self.pay_to == other.pay_to),
            ("amount", self.units() == other.units()),
            ("extra.feePayer", self.fee_payer() == other.fee_payer()),
            ("extra.memo", self.memo() == other.memo()),
        ];
        same.into_iter().find(|(_, same)| !same).map(|(field, _)| field)
    }
}

/// What serde says is missing, without the values that it quotes.
fn shape(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.strip_prefix("missing field ") {
        Some(rest) => format!("missing field {}", rest.split('`').nth(1).unwrap_or_default()),
        None => "a field has the wrong type".to_owned(),
    }
}
