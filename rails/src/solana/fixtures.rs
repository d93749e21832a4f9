//! Real transactions of a local chain, as its node told them in `jsonParsed` form, without logs and lamport balances.

use events::vocab::bytes::SolanaAddress;
use serde_json::{Value, json};

/// The buyer of all fixtures.
pub const PAYER: &str = "8UNpyFCJxP5LCZHTuftfDqkYx2uxCeGd6VL6f6aGnDoU";
/// The merchant of all fixtures.
pub const MERCHANT: &str = "2Q356SmF1ZFi57wFYQe34S5wkyoRuDcFQ4kAi2Gg8bHB";
/// The fee wallet of [`two_legs`].
pub const FEE_WALLET: &str = "24pBpdXgyFGhr5cJ3Rmwn2Xz3epEdo6EYU9RhsmD7B59";
/// The memo of all fixtures.
pub const MEMO: &str = "HILT:abc";

macro_rules! fixtures {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {$(
        $(#[$doc])*
        pub fn $name() -> Value {
            serde_json::from_str(include_str!(concat!("fixtures/", stringify!($name), ".json"))).expect("a fixture is JSON")
        }
    )*};
}

fixtures! {
    /// 24.75 USDC to the merchant and 0.25 to the fee wallet, both token accounts created on the way.
    two_legs,
    /// 0.001 USDC to the merchant by plain Transfer.
    plain_transfer,
    /// 0.001 USDC to the merchant inside a batch instruction.
    batch_transfer,
    /// 900 USDC that the payer does not have.
    failed,
    /// 0.001 USDC from the payer to the payer.
    self_transfer,
}

/// An address as fixtures write it.
pub fn address(text: &str) -> SolanaAddress {
    text.parse().expect("an address")
}

/// The same transaction in version 0 with every account but the payer in lookup tables, as `jsonParsed` tells it
/// (`listed`) or as other encodings do.
pub fn with_lookup_tables(mut transaction: Value, listed: bool) -> Value {
    let keys = transaction["transaction"]["message"]["accountKeys"].take();
    let keys = keys.as_array().expect("keys are a list");
    let (own, loaded) = keys.split_at(1);
    let part =
        |writable: bool| -> Vec<&Value> { loaded.iter().filter(|key| key["writable"] == writable).map(|key| &key["pubkey"]).collect() };
    let (writable, readonly) = (part(true), part(false));
    let mut now = own.to_vec();
    if listed {
        let told =
            |(key, writable): (&&Value, bool)| json!({ "pubkey": key, "signer": false, "writable": writable, "source": "lookupTable" });
        now.extend(writable.iter().map(|key| (key, true)).chain(readonly.iter().map(|key| (key, false))).map(told));
    }
    transaction["meta"]["loadedAddresses"] = json!({ "writable": writable, "readonly": readonly });
    transaction["transaction"]["message"]["accountKeys"] = json!(now);
    transaction["version"] = json!(0);
    transaction
}
