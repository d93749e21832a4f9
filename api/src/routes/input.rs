//! Parsing that several routes share: text into the vocabulary's types, with the field named.

use crate::http::problem::{Code, Problem};
use events::vocab::{bytes::SolanaAddress, personal::Personal, rail::RailId, time::Timestamp};
use std::str::FromStr;

/// A rail by its wire name.
pub fn rail(field: &str, text: &str) -> Result<RailId, Problem> {
    text.parse().map_err(|_| Problem::field(Code::UnknownRail, field, "must be a rail that GET /v1/access/rails lists"))
}

/// The one rail that the given fields name, if any; several must agree (CV-11, DIS-19).
pub fn agreeing_rails(fields: &[(&str, &Option<String>)]) -> Result<Option<RailId>, Problem> {
    let mut agreed: Option<(&str, RailId)> = None;
    for (field, text) in fields {
        let Some(text) = text else { continue };
        let named = rail(field, text)?;
        match agreed {
            Some((other, rail)) if rail != named => {
                return Err(Problem::field(Code::RailConflict, *field, format!("contradicts {other}")));
            }
            _ => agreed = Some((field, named)),
        }
    }
    Ok(agreed.map(|(_, rail)| rail))
}

/// A word of a closed set.
pub fn word<T: FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|rule: T::Err| Problem::field(Code::ValidationFailed, field, rule.to_string()))
}

/// An id; one that is no uuid is one that does not exist.
pub fn id<T: FromStr>(text: &str, missing: Code) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::of(missing))
}

/// An instant in RFC 3339, with any offset.
pub fn instant(field: &str, text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text).map_err(|_| Problem::field(Code::ValidationFailed, field, "must be a time as 2027-01-31T00:00:00Z"))
}

/// A Solana wallet, strictly.
pub fn solana_wallet(field: &str, text: &str) -> Result<SolanaAddress, Problem> {
    text.parse().map_err(|rule: events::vocab::bytes::Malformed| Problem::field(Code::InvalidWallet, field, rule.to_string()))
}

/// Who the customer is, as the caller says it: at least one of the three (INV-20).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Customer {
    /// The merchant's own id.
    pub external_customer_id: Option<String>,
    /// A wallet.
    pub wallet: Option<String>,
    /// An e-mail address, in lower case.
    pub email: Option<String>,
}

impl Customer {
    /// Reads the identity fields; `customer_reference` is the other name of `external_customer_id` (RT-066).
    pub fn parse(
        external_customer_id: &Option<String>,
        customer_reference: &Option<String>,
        wallet: &Option<String>,
        email: &Option<String>,
    ) -> Result<Self, Problem> {
        let filled = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let external_customer_id = match (filled(external_customer_id), filled(customer_reference)) {
            (Some(one), Some(other)) if one != other => {
                return Err(Problem::field(Code::ValidationFailed, "customer_reference", "contradicts external_customer_id"));
            }
            (one, other) => one.or(other),
        };
        let wallet = filled(wallet);
        if let Some(wallet) = &wallet
            && ledger::wallet::solana(wallet).is_err()
            && ledger::wallet::evm(wallet).is_err()
            && ledger::wallet::tron(wallet).is_err()
        {
            return Err(Problem::field(Code::InvalidWallet, "wallet", "is an address on no chain we know"));
        }
        let email = filled(email).map(|email| email.to_lowercase());
        if let Some(email) = &email
            && !(email.len() <= 254
                && email
                    .split_once('@')
                    .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !email.contains(char::is_whitespace)))
        {
            return Err(Problem::field(Code::ValidationFailed, "email", "must be an e-mail address"));
        }
        if external_customer_id.as_ref().is_some_and(|id| id.len() > 255) {
            return Err(Problem::field(Code::ValidationFailed, "external_customer_id", "is at most 255 bytes"));
        }
        if external_customer_id.is_none() && wallet.is_none() && email.is_none() {
            return Err(Problem::field(
                Code::CustomerIdentityRequired,
                "external_customer_id",
                "one of external_customer_id, wallet and email is required",
            ));
        }
        Ok(Customer { external_customer_id, wallet, email })
    }

    /// What identifies the person, the most specific first.
    pub fn identities(&self) -> Vec<(&'static str, &str)> {
        let all = [("external_customer_id", &self.external_customer_id), ("wallet", &self.wallet), ("email", &self.email)];
        all.into_iter().filter_map(|(kind, value)| value.as_deref().map(|value| (kind, value))).collect()
    }

    /// The part to seal.
    pub fn personal(&self) -> Personal {
        Personal { external_customer_id: self.external_customer_id.clone(), email: self.email.clone(), ..Personal::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn rails_that_agree_are_one_and_rails_that_do_not_are_refused() {
        assert_eq!(
            agreeing_rails(&[("rail", &text("solana_usdc")), ("settlement_rail", &text("solana_usdc"))]).unwrap(),
            Some(RailId::SolanaUsdc)
        );
        assert_eq!(agreeing_rails(&[("rail", &None)]).unwrap(), None);
        assert_eq!(
            agreeing_rails(&[("rail", &text("x402")), ("settlement_rail", &text("solana_usdc"))]).unwrap_err().code,
            "rail_conflict"
        );
        assert_eq!(agreeing_rails(&[("rail", &text("paypal"))]).unwrap_err().code, "unknown_rail");
    }

    #[test]
    fn a_customer_needs_one_identity_and_all_must_be_valid() {
        assert_eq!(Customer::parse(&None, &None, &None, &text(" ")).unwrap_err().code, "customer_identity_required");
        assert_eq!(Customer::parse(&None, &text("c1"), &None, &None).unwrap().external_customer_id, text("c1"));
        assert_eq!(Customer::parse(&text("c2"), &text("c1"), &None, &None).unwrap_err().code, "validation_failed");
        assert_eq!(Customer::parse(&None, &None, &text("not a wallet!"), &None).unwrap_err().code, "invalid_wallet");
        assert_eq!(Customer::parse(&None, &None, &None, &text("Buyer@Example.com")).unwrap().email, text("buyer@example.com"));
    }
}
