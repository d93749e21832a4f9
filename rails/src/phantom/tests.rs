use super::*;
use crate::solana::Network;
use std::collections::HashMap;
use url::Url;

/// `nacl.box` of tweetnacl 1.0.3 (JavaScript): the wallet's secret key is 200, 199, …; ours 1, 2, …; the nonce 0, 7, 14, ….
mod tweetnacl {
    pub const DAPP: &str = "WpSggvhoqoVW4XJvfjsB52dvVunYSQWrz6XiuMQVsCf";
    pub const WALLET: &str = "AY5yXcT8VyKwhAW9NbMmmFZ6t1khzR8P4pxJySnvV7UD";
    pub const NONCE: &str = "19TC4PLRJJHmRsSnzy9yWugo8c2G9jap";
    pub const DATA: &str = "2GJZUqZcnNXDzQLbCZ5ut6yQ1yW7A8Z2i4W2CBKUyY3pAtfLUQKuym7PXGtS42XGYqS9XK9Qb6sDSq3PMLCwh3UPvL6QE4nkR8JgyVdRVn35voqPC4r2TERvBf4s5eqtWAJQFPMVw34fLs7je26p3A2xVgESL6znhFniTwJ";
    pub const PLAIN: &str = r#"{"public_key":"BSFtCudCd4pR4LSFqWPjbtXPKSNVbGkc35gRNdnqjMCU","session":"5Kd3NBUAdUnhyzenEwVLy9pBKxSwXvE9"}"#;
}

fn ours() -> DappKey {
    DappKey::from_bytes(std::array::from_fn(|i| u8::try_from(i + 1).unwrap()))
}
fn wallets() -> DappKey {
    DappKey::from_bytes(std::array::from_fn(|i| u8::try_from(200 - i).unwrap()))
}
fn parameters(link: &str) -> HashMap<String, String> {
    Url::parse(link).unwrap().query_pairs().into_owned().collect()
}

#[test]
fn a_box_of_tweetnacl_opens_and_seals_to_the_same_bytes() {
    assert_eq!((ours().public().to_string().as_str(), wallets().public().to_string().as_str()), (tweetnacl::DAPP, tweetnacl::WALLET));
    let sealed = Sealed::parse(tweetnacl::NONCE, tweetnacl::DATA).unwrap();
    let plain = ours().channel(&tweetnacl::WALLET.parse().unwrap()).unwrap().open(&sealed).unwrap();
    assert_eq!(plain.as_slice(), tweetnacl::PLAIN.as_bytes());
    let connected = connected(&plain).unwrap();
    assert_eq!(connected.wallet.to_string(), "BSFtCudCd4pR4LSFqWPjbtXPKSNVbGkc35gRNdnqjMCU");
    assert_eq!(connected.session.as_str(), "5Kd3NBUAdUnhyzenEwVLy9pBKxSwXvE9");
    assert_eq!(wallets().channel(&ours().public()).unwrap().seal(sealed.nonce, tweetnacl::PLAIN.as_bytes()), sealed);
}

#[test]
fn nothing_altered_and_nobody_elses_opens() {
    let good = Sealed::parse(tweetnacl::NONCE, tweetnacl::DATA).unwrap();
    let channel = ours().channel(&wallets().public()).unwrap();
    for at in [0, 15, 16, good.data.len() - 1] {
        let mut altered = good.clone();
        altered.data[at] ^= 1;
        assert!(channel.open(&altered).is_err(), "byte {at}");
    }
    let other_nonce = Sealed { nonce: Nonce([9; 24]), ..good.clone() };
    assert!(channel.open(&other_nonce).is_err());
    let short = Sealed { data: good.data[..8].to_vec(), ..good.clone() };
    assert!(channel.open(&short).is_err());
    assert!(ours().channel(&DappKey::from_bytes([3; 32]).public()).unwrap().open(&good).is_err());
}

#[test]
fn a_key_with_which_anyone_knows_the_secret_is_refused() {
    let one = std::array::from_fn(|i| u8::from(i == 0));
    for point in [[0; 32], one] {
        assert!(ours().channel(&EncryptionKey(point)).is_err());
    }
}

#[test]
fn parameters_are_bounded_and_strict() {
    assert!(Sealed::parse(tweetnacl::NONCE, &"1".repeat(5_000)).is_err());
    assert!(Sealed::parse("abc", tweetnacl::DATA).is_err());
    assert!(Sealed::parse(tweetnacl::NONCE, "0OIl").is_err());
    assert!("".parse::<EncryptionKey>().is_err() && tweetnacl::NONCE.parse::<EncryptionKey>().is_err());
}

#[test]
fn answers_that_are_not_the_documented_ones_are_refused() {
    for plain in [&b""[..], b"{}", b"[]", br#"{"public_key":"x","session":"s"}"#, b"\xff"] {
        assert!(connected(plain).is_err() && signed_message(plain).is_err() && signed_transaction(plain).is_err());
    }
    let empty = br#"{"public_key":"BSFtCudCd4pR4LSFqWPjbtXPKSNVbGkc35gRNdnqjMCU","session":""}"#;
    assert!(connected(empty).is_err());
    assert!(signed_message(br#"{"signature":"2VfUX"}"#).is_err());
    let large = format!(r#"{{"transaction":"{}"}}"#, bs58::encode(vec![7; 1_233]).into_string());
    assert!(signed_transaction(large.as_bytes()).is_err());
    let fits = format!(r#"{{"transaction":"{}"}}"#, bs58::encode(vec![7; 1_232]).into_string());
    assert_eq!(signed_transaction(fits.as_bytes()).unwrap(), vec![7; 1_232]);
    let signature = format!(r#"{{"signature":"{}"}}"#, bs58::encode([5; 64]).into_string());
    assert_eq!(signed_message(signature.as_bytes()).unwrap().0, [5; 64]);
}

#[test]
fn a_connect_link_names_the_page_the_key_and_the_way_back() {
    let link = connect("https://www.hilt.so/p/x", &ours().public(), "https://api.hilt.so/back?payment=1&a=b", Some(Cluster::Devnet));
    assert!(link.starts_with("https://phantom.app/ul/v1/connect?"), "{link}");
    let found = parameters(&link);
    assert_eq!(found["app_url"], "https://www.hilt.so/p/x");
    assert_eq!(found["dapp_encryption_public_key"], tweetnacl::DAPP);
    assert_eq!(found["redirect_link"], "https://api.hilt.so/back?payment=1&a=b");
    assert_eq!(found["cluster"], "devnet");
    assert_eq!(Cluster::of(&Network::mainnet()), Some(Cluster::MainnetBeta));
}

#[test]
fn the_wallet_can_read_what_it_is_asked_to_sign() {
    let (channel, dapp) = (ours().channel(&wallets().public()).unwrap(), ours().public());
    let message = sign_message(&channel, &dapp, Nonce([1; 24]), "https://back", "token", "Sign this\nü");
    let transaction = sign_transaction(&channel, &dapp, Nonce([2; 24]), "https://back", "token", &[1, 2, 3]);
    for (link, method, field, bytes) in
        [(message, "signMessage", "message", "Sign this\nü".as_bytes()), (transaction, "signTransaction", "transaction", &[1, 2, 3])]
    {
        assert!(link.starts_with(&format!("https://phantom.app/ul/v1/{method}?")));
        let found = parameters(&link);
        let sealed = Sealed::parse(&found["nonce"], &found["payload"]).unwrap();
        let plain = wallets().channel(&found["dapp_encryption_public_key"].parse().unwrap()).unwrap().open(&sealed).unwrap();
        let payload: serde_json::Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(payload["session"], "token");
        assert_eq!(bs58::decode(payload[field].as_str().unwrap()).into_vec().unwrap(), bytes);
    }
}

#[test]
fn refusals_have_stable_words() {
    assert_eq!(Refusal::of("4001"), Refusal::UserRejected);
    assert_eq!(Refusal::of("-32003").as_str(), "transaction_rejected");
    assert_eq!(Refusal::of("99999999999999999999"), Refusal::Failed);
}
