//! A JSON-RPC client that never confuses "the chain says no" with "the chain could not be asked".

mod sending;

use super::Network;
pub use super::unavailable::{RpcUnavailable, Unavailable};
use events::vocab::bytes::{SolanaAddress, TxSignature};
pub use sending::{AccountInfo, LatestBlockhash};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{fmt, time::Duration};
use tokio::sync::OnceCell;
use url::Url;

/// No answer that this client reads is larger; a larger one is a broken or hostile provider.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// A provider may ask for a longer pause than a caller can wait; then the caller's own retry comes later.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// `getSignaturesForAddress` gives at most this many.
pub const MAX_PAGE: u16 = 1000;

/// How to reach a node.
#[derive(Clone)]
pub struct RpcConfig {
    /// The node's JSON-RPC address; it may carry a provider's key, so it is never shown.
    pub url: Url,
    /// The longest wait for one answer.
    pub timeout: Duration,
    /// How often a question is put, the first time included, when the node does not answer; at least 1.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from there.
    pub backoff: Duration,
    /// The only cluster whose word counts; `None` accepts whatever the node is on.
    pub expected_network: Option<Network>,
}

impl RpcConfig {
    /// A node at `url`: 2.5 s an answer, 3 attempts, pauses of 0.2 and 0.4 s, any cluster. A node that does not answer is known as
    /// such before a caller gives up, who waits 10 s (CV-12).
    pub fn new(url: Url) -> Self {
        RpcConfig { url, timeout: Duration::from_millis(2_500), attempts: 3, backoff: Duration::from_millis(200), expected_network: None }
    }
}

/// How settled the chain holds something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Commitment {
    /// Executed by the asked node; may vanish.
    Processed,
    /// Voted for by two thirds of the stake; has never been reverted, but may be.
    Confirmed,
    /// Rooted: cannot be reverted.
    Finalized,
}

impl Commitment {
    /// The RPC's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Commitment::Processed => "processed",
            Commitment::Confirmed => "confirmed",
            Commitment::Finalized => "finalized",
        }
    }
}

/// What a node knows about a signature.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureStatus {
    /// The slot that holds the transaction.
    pub slot: u64,
    /// Blocks on top of it; `None` once rooted.
    #[serde(default)]
    pub confirmations: Option<u64>,
    /// The transaction's error, as the runtime names it; JSON null when it succeeded. Its absence is no success.
    pub err: Value,
    /// How settled it is; nodes omit it for what they have only executed.
    #[serde(default)]
    pub confirmation_status: Option<Commitment>,
}

/// One line of an address's history: a hint where to look, not evidence.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureInfo {
    /// The transaction.
    pub signature: TxSignature,
    /// The slot that holds it.
    pub slot: u64,
    /// Its error; JSON null when it succeeded.
    #[serde(default)]
    pub err: Value,
    /// All its memos as the node joins them: `[length] text; …`.
    #[serde(default)]
    pub memo: Option<String>,
    /// Unix seconds, if the node knows.
    #[serde(default)]
    pub block_time: Option<i64>,
}

/// Which part of an address's history to read, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// Only what is older than this transaction.
    pub before: Option<TxSignature>,
    /// Only what is newer than this transaction.
    pub until: Option<TxSignature>,
    /// At most so many, [`MAX_PAGE`] at the most.
    pub limit: u16,
    /// Confirmed or finalized; the RPC knows no other here.
    pub commitment: Commitment,
}

/// A client of one Solana node.
pub struct Rpc {
    http: reqwest::Client,
    config: RpcConfig,
    network: OnceCell<Network>,
}

impl fmt::Debug for Rpc {
    // The URL may hold a provider's key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rpc").field("host", &self.config.url.host_str()).finish_non_exhaustive()
    }
}

impl Rpc {
    /// A client over a shared connection pool.
    pub fn new(http: reqwest::Client, config: RpcConfig) -> Self {
        Rpc { http, config, network: OnceCell::new() }
    }

    /// The node's cluster, asked once. Errors with [`Unavailable::WrongNetwork`] when another one is configured.
    pub async fn network(&self) -> Result<&Network, RpcUnavailable> {
        const METHOD: &str = "getGenesisHash";
        self.network
            .get_or_try_init(|| async {
                let genesis: String = self.call(METHOD, json!([])).await?;
                let found = Network::of_genesis(&genesis).map_err(|error| malformed(METHOD, error))?;
                match &self.config.expected_network {
                    Some(expected) if *expected != found => {
                        Err(RpcUnavailable { method: METHOD, reason: Unavailable::WrongNetwork { expected: expected.clone(), found } })
                    }
                    _ => Ok(found),
                }
            })
            .await
    }

    /// Whether the node holds itself healthy (`getHealth`).
    pub async fn health(&self) -> Result<(), RpcUnavailable> {
        let answer: String = self.call("getHealth", json!([])).await?;
        if answer == "ok" { Ok(()) } else { Err(malformed("getHealth", "not \"ok\"")) }
    }

    /// The status of a transaction, old ones included; `None` if the node does not know it.
    pub async fn signature_status(&self, signature: &TxSignature) -> Result<Option<SignatureStatus>, RpcUnavailable> {
        const METHOD: &str = "getSignatureStatuses";
        #[derive(Deserialize)]
        struct Answer {
            value: Vec<Option<SignatureStatus>>,
        }
        let params = json!([[signature.to_string()], { "searchTransactionHistory": true }]);
        let answer: Answer = self.call(METHOD, params).await?;
        let mut statuses = answer.value.into_iter();
        match (statuses.next(), statuses.next()) {
            (Some(status), None) => Ok(status),
            _ => Err(malformed(METHOD, "not one status for one signature")),
        }
    }

    /// A transaction in `jsonParsed` form, for [`super::transfer::parse`]; `None` until it has reached `commitment`.
    pub async fn transaction(&self, signature: &TxSignature, commitment: Commitment) -> Result<Option<Value>, RpcUnavailable> {
        let options = json!({ "encoding": "jsonParsed", "maxSupportedTransactionVersion": 0, "commitment": commitment.as_str() });
        self.call("getTransaction", json!([signature.to_string(), options])).await
    }

    /// The transactions that mention an address (a merchant's token account, a Solana Pay reference), newest first.
    pub async fn signatures_for_address(&self, address: &SolanaAddress, page: &Page) -> Result<Vec<SignatureInfo>, RpcUnavailable> {
        let mut options = json!({ "limit": page.limit.clamp(1, MAX_PAGE), "commitment": page.commitment.as_str() });
        for (name, bound) in [("before", page.before), ("until", page.until)] {
            if let Some(signature) = bound {
                options[name] = json!(signature.to_string());
            }
        }
        self.call("getSignaturesForAddress", json!([address.to_string(), options])).await
    }

    async fn call<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, RpcUnavailable> {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let mut pause = self.config.backoff;
        let mut attempt = 1;
        let answer = loop {
            match self.ask(&question).await {
                Ok(answer) => break answer,
                Err((reason, asked_pause)) => {
                    if attempt >= self.config.attempts || !reason.is_transient() {
                        return Err(RpcUnavailable { method, reason });
                    }
                    tracing::debug!(rpc.method = method, rpc.attempt = attempt, reason = reason.code(), "Solana RPC is asked again");
                    tokio::time::sleep(asked_pause.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    pause = pause.saturating_mul(2);
                    attempt += 1;
                }
            }
        };
        serde_json::from_value(answer).map_err(|error| malformed(method, error))
    }

    /// One HTTP exchange; on failure also the pause that the provider asks for.
    async fn ask(&self, question: &str) -> Result<Value, (Unavailable, Option<Duration>)> {
        let request = self.http.post(self.config.url.clone()).timeout(self.config.timeout);
        let request = request.header("content-type", "application/json").body(question.to_owned());
        let mut response = request.send().await.map_err(|error| (transport(&error), None))?;
        let status = response.status();
        if status.as_u16() == 429 {
            return Err((Unavailable::RateLimited, retry_after(&response)));
        }
        if !status.is_success() {
            return Err((Unavailable::Status(status.as_u16()), retry_after(&response)));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| (transport(&error), None))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err((Unavailable::Malformed("larger than 8 MiB".into()), None));
            }
            body.extend_from_slice(&chunk);
        }
        result_of(&body).map_err(|reason| (reason, None))
    }
}

/// The `result` of a JSON-RPC answer; null is a result, an absent one is not.
fn result_of(body: &[u8]) -> Result<Value, Unavailable> {
    let answer: Value = serde_json::from_slice(body).map_err(|error| Unavailable::Malformed(error.to_string()))?;
    let Value::Object(mut answer) = answer else { return Err(Unavailable::Malformed("not a JSON object".into())) };
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        let code = error.get("code").and_then(Value::as_i64);
        return Err(code.map_or_else(|| Unavailable::Malformed("an error without a code".into()), refusal));
    }
    answer.remove("result").ok_or_else(|| Unavailable::Malformed("neither result nor error".into()))
}

/// The codes that Solana nodes and providers use for their own state, as opposed to a question they will never answer.
fn refusal(code: i64) -> Unavailable {
    match code {
        // -32004 and -32014: the block or its status is not there yet; -32005: behind; -32016: the asked slot is not reached;
        // -32603: internal error.
        -32004 | -32005 | -32014 | -32016 | -32603 => Unavailable::Unhealthy(code),
        429 | -32429 => Unavailable::RateLimited,
        _ => Unavailable::Refused(code),
    }
}

/// The error's own text would repeat the URL and with it the provider's key.
fn transport(error: &reqwest::Error) -> Unavailable {
    Unavailable::Transport(if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    })
}

fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    response.headers().get("retry-after")?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

fn malformed(method: &'static str, what: impl fmt::Display) -> RpcUnavailable {
    RpcUnavailable { method, reason: Unavailable::Malformed(what.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_result_is_an_answer_and_an_absent_one_is_not() {
        assert_eq!(result_of(br#"{"jsonrpc":"2.0","id":1,"result":null}"#), Ok(Value::Null));
        assert_eq!(result_of(br#"{"jsonrpc":"2.0","id":1,"error":null,"result":7}"#), Ok(json!(7)));
        for body in [&b"{}"[..], b"[]", b"", b"<html>", br#"{"error":{}}"#, br#"{"error":"no"}"#] {
            assert!(matches!(result_of(body), Err(Unavailable::Malformed(_))), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_node_behind_is_asked_again_and_a_refusal_is_not() {
        let reason = |code: i64| result_of(json!({ "error": { "code": code, "message": "x" } }).to_string().as_bytes()).unwrap_err();
        assert!(reason(-32005).is_transient());
        assert!(reason(-32429).is_transient());
        assert_eq!(reason(-32602), Unavailable::Refused(-32602));
        assert!(!reason(-32015).is_transient(), "a transaction version the client does not read");
        assert!(Unavailable::Status(503).is_transient() && !Unavailable::Status(401).is_transient());
    }

    #[test]
    fn statuses_of_every_form_are_read() {
        let parse = |value| serde_json::from_value::<SignatureStatus>(value).unwrap();
        let young =
            parse(json!({ "slot": 5, "confirmations": 3, "err": null, "status": { "Ok": null }, "confirmationStatus": "processed" }));
        assert_eq!((young.confirmations, young.confirmation_status), (Some(3), Some(Commitment::Processed)));
        let old = parse(json!({ "slot": 5, "confirmations": null, "err": null }));
        assert_eq!((old.confirmations, old.confirmation_status, old.err), (None, None, Value::Null));
    }
}
