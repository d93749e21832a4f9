//! Phantom as a phone has it: opens deep links, encrypts and signs for real, and comes back by the redirect link.

use crate::solana_tx::{Keypair, sign_built};
use crypto_box::{PublicKey, SalsaBox, SecretKey, aead::Aead as _};
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

/// A wallet with one key, connected to one site at a time.
pub struct PhantomWallet {
    /// Its key.
    pub keypair: Keypair,
    secret: SecretKey,
    session: String,
}

/// What it appended to the redirect link.
pub type Returned = HashMap<String, String>;

impl PhantomWallet {
    /// A wallet of that key.
    pub fn new(keypair: Keypair) -> Self {
        let secret = SecretKey::from_bytes(events::clock::random_bytes());
        PhantomWallet { keypair, secret, session: bs58::encode(events::clock::random_bytes::<48>()).into_string() }
    }

    /// Opens a link, asks its owner, who agrees, and returns the redirect link with the answer.
    pub fn open(&self, link: &str) -> Url {
        let (method, asked) = read(link);
        let answer = match method.as_str() {
            "connect" => json!({ "public_key": self.keypair.address().to_string(), "session": self.session }),
            "signMessage" => {
                let message = decoded(&self.request(&asked)["message"]);
                json!({ "signature": bs58::encode(self.keypair.sign(&message)).into_string() })
            }
            "signTransaction" => {
                let transaction = decoded(&self.request(&asked)["transaction"]);
                json!({ "transaction": bs58::encode(sign_built(&transaction, &self.keypair)).into_string() })
            }
            other => panic!("Phantom has no method {other}"),
        };
        self.answer(&asked, &answer)
    }

    /// Opens a link; its owner says no.
    pub fn refuse(&self, link: &str) -> Url {
        let (_, asked) = read(link);
        let mut back: Url = asked["redirect_link"].parse().unwrap();
        back.query_pairs_mut().append_pair("errorCode", "4001").append_pair("errorMessage", "User rejected the request.");
        back
    }

    /// Answers a link with something of one's own.
    pub fn answer_with(&self, link: &str, answer: &Value) -> Url {
        self.answer(&read(link).1, answer)
    }

    /// What a link asks to be signed, decrypted.
    pub fn asked(&self, link: &str) -> Value {
        self.request(&read(link).1)
    }

    fn request(&self, asked: &Returned) -> Value {
        let nonce: [u8; 24] = bs58::decode(&asked["nonce"]).into_vec().unwrap().try_into().unwrap();
        let payload = bs58::decode(&asked["payload"]).into_vec().unwrap();
        let plain = self.channel(asked).decrypt(&nonce.into(), payload.as_slice()).expect("the service's request opens");
        let request: Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(request["session"], json!(self.session), "the service names the session that the wallet gave it");
        request
    }

    fn answer(&self, asked: &Returned, answer: &Value) -> Url {
        let nonce: [u8; 24] = events::clock::random_bytes();
        let data = self.channel(asked).encrypt(&nonce.into(), answer.to_string().as_bytes()).unwrap();
        let mut back: Url = asked["redirect_link"].parse().unwrap();
        let mut query = back.query_pairs_mut();
        // Only the answer to connect names the wallet's key.
        if !asked.contains_key("payload") {
            query.append_pair("phantom_encryption_public_key", &bs58::encode(self.secret.public_key().as_bytes()).into_string());
        }
        query.append_pair("nonce", &bs58::encode(nonce).into_string()).append_pair("data", &bs58::encode(data).into_string());
        drop(query);
        back
    }

    fn channel(&self, asked: &Returned) -> SalsaBox {
        let dapp: [u8; 32] = bs58::decode(&asked["dapp_encryption_public_key"]).into_vec().unwrap().try_into().unwrap();
        SalsaBox::new(&PublicKey::from_bytes(dapp), &self.secret)
    }
}

fn read(link: &str) -> (String, Returned) {
    let url: Url = link.parse().expect("a deep link is a URL");
    assert_eq!((url.host_str(), url.path().starts_with("/ul/v1/")), (Some("phantom.app"), true), "{link}");
    let method = url.path().rsplit('/').next().unwrap().to_owned();
    (method, url.query_pairs().into_owned().collect())
}

fn decoded(text: &Value) -> Vec<u8> {
    bs58::decode(text.as_str().unwrap()).into_vec().unwrap()
}
