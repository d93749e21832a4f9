//! Deep links: URLs that open the wallet with a request.

use super::{Channel, EncryptionKey, Nonce};
use crate::solana::Network;
use serde_json::json;
use url::Url;

const BASE: &str = "https://phantom.app/ul/v1/";

/// Phantom's name of a Solana cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cluster {
    /// The main network.
    MainnetBeta,
    /// The development network.
    Devnet,
    /// The test network.
    Testnet,
}

impl Cluster {
    /// The cluster of that network; a network that Phantom does not know has none.
    pub fn of(network: &Network) -> Option<Self> {
        match network.as_str() {
            "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp" => Some(Cluster::MainnetBeta),
            "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1" => Some(Cluster::Devnet),
            "solana:4uhcVJyU9pJkvQyS88uRDiswHXSGkY3z" => Some(Cluster::Testnet),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Cluster::MainnetBeta => "mainnet-beta",
            Cluster::Devnet => "devnet",
            Cluster::Testnet => "testnet",
        }
    }
}

/// A link that asks the wallet to connect. The wallet shows the name and icon of the page at `app_url`, and returns to `redirect`.
pub fn connect(app_url: &str, dapp: &EncryptionKey, redirect: &str, cluster: Option<Cluster>) -> String {
    let dapp = dapp.to_string();
    let asked = [("app_url", app_url), ("dapp_encryption_public_key", &dapp), ("redirect_link", redirect)];
    link("connect", asked.into_iter().chain(cluster.map(|cluster| ("cluster", cluster.as_str()))))
}

/// A link that asks the wallet to sign `message`, shown as text.
pub fn sign_message(channel: &Channel, dapp: &EncryptionKey, nonce: Nonce, redirect: &str, session: &str, message: &str) -> String {
    let payload = json!({ "message": bs58::encode(message).into_string(), "session": session, "display": "utf8" });
    request("signMessage", channel, dapp, nonce, redirect, &payload)
}

/// A link that asks the wallet to sign a serialized transaction and to give it back.
pub fn sign_transaction(
    channel: &Channel,
    dapp: &EncryptionKey,
    nonce: Nonce,
    redirect: &str,
    session: &str,
    transaction: &[u8],
) -> String {
    let payload = json!({ "transaction": bs58::encode(transaction).into_string(), "session": session });
    request("signTransaction", channel, dapp, nonce, redirect, &payload)
}

fn request(method: &str, channel: &Channel, dapp: &EncryptionKey, nonce: Nonce, redirect: &str, payload: &serde_json::Value) -> String {
    let sealed = channel.seal(nonce, payload.to_string().as_bytes());
    let (dapp, nonce, payload) = (dapp.to_string(), sealed.nonce.to_string(), sealed.data_base58());
    let asked = [("dapp_encryption_public_key", dapp.as_str()), ("nonce", &nonce), ("redirect_link", redirect), ("payload", &payload)];
    link(method, asked.into_iter())
}

fn link<'a>(method: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut url = Url::parse(BASE).and_then(|base| base.join(method)).expect("the base and our own method names are a URL");
    url.query_pairs_mut().extend_pairs(parameters);
    url.into()
}
