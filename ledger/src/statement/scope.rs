//! What a statement is of, and the one way in for its lines.

use super::{own, solana, stripe};
use events::vocab::{
    bytes::{Hash32, SolanaAddress},
    event::StatementAsset,
    id::StatementId,
    money::{SignedMinor, currency_decimals},
    time::Timestamp,
    words::{StatementFormat, StatementSource},
};
use std::fmt;

/// What a statement is of: an account, what its amounts are of, and from when to when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// Where the account is.
    pub source: StatementSource,
    /// A wallet, or an account of Stripe's.
    pub account: String,
    /// What is counted.
    pub asset: StatementAsset,
    /// Whether it concerns real money.
    pub livemode: bool,
    /// The first moment it covers.
    pub period_start: Timestamp,
    /// The first moment it does not cover any more.
    pub period_end: Timestamp,
}

/// A line of a statement: something moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Line of the file, or element of its array, from 1.
    pub line: u32,
    /// What the log would call it.
    pub reference: String,
    /// The source's own id, where that is another.
    pub id: Option<String>,
    /// When it moved.
    pub at: Timestamp,
    /// In the asset's minor unit; below zero for what left the account.
    pub amount: SignedMinor,
}

/// Which part of a scope cannot be, and the rule that it breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct ScopeInvalid {
    /// The field.
    pub field: &'static str,
    /// The rule.
    pub rule: &'static str,
}

/// Why a file cannot be read, and where. It never repeats what the file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// Where: `line 3, column amount`.
    pub place: String,
    /// The rule that is broken there.
    pub rule: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.rule)
    }
}
impl std::error::Error for Unreadable {}

impl Unreadable {
    /// At a field of a line.
    pub(super) fn at(line: u32, column: &str, rule: impl Into<String>) -> Self {
        Unreadable { place: format!("line {line}, column {column}"), rule: rule.into() }
    }
    /// At a field of an element of a JSON array.
    pub(super) fn item(item: u32, field: &str, rule: impl Into<String>) -> Self {
        Unreadable { place: format!("item {item}, field {field}"), rule: rule.into() }
    }
    /// Of the file as a whole.
    pub(super) fn file(rule: impl Into<String>) -> Self {
        Unreadable { place: "file".to_owned(), rule: rule.into() }
    }
    /// What serde says of JSON that is none.
    pub(super) fn json(error: &serde_json::Error) -> Self {
        Unreadable { place: format!("line {}, column {}", error.line(), error.column()), rule: "is not JSON".to_owned() }
    }
}

/// SOL itself has no mint; wrapped SOL's stands for it, as in payments.
pub(super) const SOL: &str = "So11111111111111111111111111111111111111112";

/// What a statement of that source can be of. `mint` is USDC's on the chain that is meant.
pub fn asset(source: StatementSource, code: &str, mint: SolanaAddress) -> Result<StatementAsset, ScopeInvalid> {
    let of = |code: &str, decimals, mint| StatementAsset { code: code.to_owned(), decimals, mint };
    match (source, code) {
        (StatementSource::SolanaUsdc, "USDC") => Ok(of(code, 6, Some(mint))),
        (StatementSource::SolanaUsdc, "SOL") => Ok(of(code, 9, SOL.parse().ok())),
        (StatementSource::SolanaUsdc, _) => Err(ScopeInvalid { field: "asset", rule: "is USDC or SOL" }),
        (StatementSource::Stripe, currency) => Ok(of(currency, currency_decimals(currency), None)),
    }
}

/// How a source's own ids look: nothing that a person could be named with.
const LONGEST_ID: usize = 96;

impl Scope {
    /// The scope, if there can be such a one.
    pub fn checked(self) -> Result<Self, ScopeInvalid> {
        let invalid = |field, rule| Err(ScopeInvalid { field, rule });
        match self.source {
            StatementSource::SolanaUsdc => {
                if self.account.parse::<SolanaAddress>().is_err() {
                    return invalid("account", "is a Solana address: base58 of exactly 32 bytes");
                }
                if self.asset.mint.is_none() {
                    return invalid("mint", "is required of an asset on Solana");
                }
            }
            StatementSource::Stripe => {
                if !is_stripe_id(&self.account, "acct_") {
                    return invalid("account", "is an id of Stripe's that begins with acct_");
                }
                if self.asset.code.len() != 3 || !self.asset.code.bytes().all(|byte| byte.is_ascii_lowercase()) {
                    return invalid("asset", "is a currency by ISO 4217 in lower case");
                }
                if self.asset.mint.is_some() {
                    return invalid("mint", "is for assets on Solana");
                }
            }
        }
        match self.period_start < self.period_end {
            true => Ok(self),
            false => invalid("to", "is later than from"),
        }
    }

    /// Which statement a file of that hash is.
    pub fn statement(&self, digest: &Hash32) -> StatementId {
        let asset = match &self.asset.mint {
            Some(mint) => mint.to_string(),
            None => self.asset.code.clone(),
        };
        StatementId::of(self.source, &self.account, &asset, self.livemode, digest)
    }

    /// Reads a file whole, or says where it cannot be read.
    pub fn read(&self, format: StatementFormat, bytes: &[u8]) -> Result<Vec<Item>, Unreadable> {
        match (format, self.source) {
            (StatementFormat::Csv, _) => own::csv(self, bytes),
            (StatementFormat::Json, _) => own::json(self, bytes),
            (StatementFormat::SolanaRpc, StatementSource::SolanaUsdc) => solana::read(self, bytes),
            (StatementFormat::StripeCsv, StatementSource::Stripe) => stripe::read(self, bytes),
            (StatementFormat::SolanaRpc | StatementFormat::StripeCsv, _) => Err(Unreadable::file("is of another source's format")),
        }
    }

    /// Whether the statement covers that moment.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.period_start <= at && at < self.period_end
    }

    /// Whether a text can be an id of the source's.
    pub(crate) fn id_rule(&self, id: &str) -> Result<(), &'static str> {
        match self.source {
            StatementSource::SolanaUsdc => match id.parse::<events::vocab::bytes::TxSignature>() {
                Ok(_) => Ok(()),
                Err(_) => Err("is a transaction's signature: base58 of exactly 64 bytes"),
            },
            StatementSource::Stripe if is_stripe_id(id, "") => Ok(()),
            StatementSource::Stripe => Err("is an id of Stripe's, such as txn_ and letters and digits"),
        }
    }
}

/// What Stripe's ids of things that move a balance, and of an account, begin with.
const KINDS: &[&str] =
    &["acct", "adj", "ch", "dp", "du", "fee", "fr", "in", "pi", "po", "py", "pyr", "re", "topup", "tr", "trr", "tu", "txn"];

/// A known beginning, an underscore, and letters and digits with a digit among them: no name of a person looks so.
pub(super) fn is_stripe_id(text: &str, prefix: &str) -> bool {
    let rest = |rest: &str| {
        rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && rest.bytes().any(|byte| byte.is_ascii_digit())
    };
    let shape = text.split_once('_').is_some_and(|(kind, behind)| KINDS.contains(&kind) && rest(behind));
    shape && text.len() <= LONGEST_ID && text.starts_with(prefix)
}
