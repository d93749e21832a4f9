//! Helius webhooks (RT-019): which transactions they are about. A wake-up and nothing more: amounts, wallets and outcomes in them are
//! not even read, since the chain is asked for each.

use events::vocab::bytes::TxSignature;
use serde_json::Value;
use std::collections::BTreeSet;

/// Transactions of one call at most. Helius sends far fewer.
pub const MOST: usize = 200;

/// A body that is not a list of transactions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotHelius {
    /// Not JSON, or not of a documented form.
    #[error("the body is not a JSON array of transactions")]
    Form,
    /// More than [`MOST`].
    #[error("the body holds more than {MOST} transactions")]
    TooMany,
}

/// The transactions that the body names, each once. Elements that name none are passed over: Helius adds kinds of webhooks.
pub fn signatures(body: &[u8]) -> Result<BTreeSet<TxSignature>, NotHelius> {
    let body: Value = serde_json::from_slice(body).map_err(|_| NotHelius::Form)?;
    let elements = match &body {
        Value::Array(elements) => elements.as_slice(),
        Value::Object(_) => std::slice::from_ref(&body),
        _ => return Err(NotHelius::Form),
    };
    match elements.len() {
        0..=MOST => Ok(elements.iter().filter_map(signature).collect()),
        _ => Err(NotHelius::TooMany),
    }
}

/// Enhanced webhooks name it directly, raw ones inside the transaction.
fn signature(element: &Value) -> Option<TxSignature> {
    let enhanced = element.get("signature");
    let raw = || element.pointer("/transaction/signatures/0");
    enhanced.or_else(raw)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tx(n: u8) -> TxSignature {
        TxSignature([n; 64])
    }
    fn read(body: &Value) -> Result<Vec<TxSignature>, NotHelius> {
        signatures(body.to_string().as_bytes()).map(|found| found.into_iter().collect())
    }

    #[test]
    fn both_forms_name_their_transactions_once() {
        let raw = json!({ "blockTime": 1, "meta": { "err": null }, "slot": 2, "transaction": { "message": {}, "signatures": [tx(1)] } });
        let enhanced = json!({ "signature": tx(2), "type": "TRANSFER", "source": "PHANTOM", "tokenTransfers": [] });
        assert_eq!(read(&json!([raw, enhanced.clone(), enhanced.clone()])), Ok(vec![tx(1), tx(2)]));
        assert_eq!(read(&enhanced), Ok(vec![tx(2)]));
    }

    #[test]
    fn what_names_no_transaction_is_passed_over_and_what_is_no_list_is_refused() {
        let strange = json!([{}, 1, null, "x", { "signature": "0OIl" }, { "signature": 7 }, { "transaction": { "signatures": [] } }]);
        assert_eq!(read(&strange), Ok(vec![]));
        for body in [json!(1), json!("x"), Value::Null] {
            assert_eq!(read(&body), Err(NotHelius::Form));
        }
        assert_eq!(signatures(b"[{"), Err(NotHelius::Form));
        assert_eq!(read(&json!(vec![json!({}); MOST + 1])), Err(NotHelius::TooMany));
    }
}
