//! x402's own clients, from npm and PyPI, as programs that pay for a URL.

use crate::{chain::LocalSolana, python, solana_tx::Keypair};
use rails::solana::programs::USDC_MINT;
use serde_json::{Value, json};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// How long a program may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    /// `@x402/fetch`.
    Npm,
    /// `x402`, with httpx.
    Pypi,
}

impl Client {
    /// Runs it with `order`; `status`, `body`, what it was told of the settlement, and what it sent.
    ///
    /// # Panics
    /// If it fails.
    pub async fn pay(self, order: &Value) -> Value {
        let program = match self {
            Client::Npm => {
                let mut node = Command::new("node");
                node.arg("pay.mjs").current_dir(folder());
                node
            }
            Client::Pypi => {
                let mut program = python::program("python");
                program.arg(python::folder().join("x402_pay.py"));
                program
            }
        };
        run(program, order).await
    }
}

/// The folder of the npm packages.
///
/// # Panics
/// If they are not installed.
pub fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("x402");
    assert!(folder.join("node_modules").is_dir(), "run `npm ci` in tests/x402 first");
    folder
}

/// What a client is told: to pay for `url`, with a `GET`, as a buyer of its own with 30 USDC and no SOL, in that version of x402.
pub async fn order(chain: &LocalSolana, url: &str, customer: &str, version: u64) -> Value {
    let mut seed = *b"0123456789abcdef0123456789abcdef";
    let own = customer.len().min(seed.len());
    seed[..own].copy_from_slice(&customer.as_bytes()[..own]);
    let buyer = Keypair::from_seed(seed);
    chain.fund_token(&buyer.address(), &USDC_MINT, 30_000_000).await;
    let secret = [seed.as_slice(), &buyer.address().0].concat();
    json!({
        "url": url, "headers": {"X-Customer-Id": customer}, "version": version, "rpcUrl": chain.rpc_url, "secret": hex::encode(secret),
    })
}

/// Runs a client with `order` on its stdin; the last line that it prints.
async fn run(mut command: Command, order: &Value) -> Value {
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("the client starts");
    let mut stdin = client.stdin.take().expect("stdin is piped");
    stdin.write_all(order.to_string().as_bytes()).await.expect("it reads");
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, client.wait_with_output()).await.expect("it ends in time").expect("it ends");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("the client failed: {text}"))
}
