use super::*;
use crate::solana::{
    instruction::{memo, transfer_token},
    message::{Account, Instruction, Transaction, compile},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use events::vocab::{bytes::SolanaAddress, bytes::TxSignature, money::Minor};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const MEMO: &str = "HILT:abc";

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn buyer() -> SolanaAddress {
    SolanaAddress(key().verifying_key().to_bytes())
}

fn asked() -> Asked {
    Asked {
        asset: programs::USDC_MINT,
        decimals: 6,
        pay_to: SolanaAddress([1; 32]),
        amount: Minor::new(1000).unwrap(),
        memo: MEMO.into(),
        fee_payer: SolanaAddress([2; 32]),
        payer: None,
    }
}

fn instructions() -> Vec<Instruction> {
    let ata = |owner| crate::solana::ata::associated_token_account(&owner, &programs::TOKEN, &programs::USDC_MINT).unwrap();
    let budget = |data: Vec<u8>| Instruction { program: programs::COMPUTE_BUDGET, accounts: Vec::new(), data };
    let limit = budget([&[2][..], &20_000_u32.to_le_bytes()].concat());
    let price = budget([&[3][..], &1_u64.to_le_bytes()].concat());
    let Asked { asset, decimals, pay_to, amount, .. } = asked();
    vec![limit, price, transfer_token(buyer(), ata(buyer()), asset, ata(pay_to), amount, decimals), memo(MEMO)]
}

/// The buyer's signature, and zeros for the fee payer's.
fn signed(instructions: &[Instruction]) -> Vec<u8> {
    let message = compile(asked().fee_payer, [5; 32], instructions).unwrap();
    [&[2][..], &[0; 64], &key().sign(&message).to_bytes(), &message].concat()
}

fn checked(instructions: &[Instruction]) -> Result<Payable, Refusal> {
    check(Transaction::parse(&signed(instructions)).unwrap(), &asked())
}

#[test]
fn the_payment_asked_for_is_payable_and_is_completed_by_the_fee_payers_signature() {
    let payable = checked(&instructions()).unwrap();
    assert_eq!((payable.payer, payable.blockhash), (buyer(), [5; 32]));
    let mut whole = signed(&instructions());
    whole[1..65].copy_from_slice(&[9; 64]);
    assert_eq!(payable.signed(TxSignature([9; 64])), whole);
}

#[test]
fn wallets_may_add_assertions_and_nothing_that_touches_the_fee_payer() {
    let assertion = |accounts| Instruction { program: programs::LIGHTHOUSE, accounts, data: vec![1] };
    let with = |accounts: Vec<Account>| checked(&[instructions(), vec![assertion(accounts)]].concat());
    assert!(with(vec![Account::readonly(buyer())]).is_ok());
    let refused = with(vec![Account::readonly(asked().fee_payer)]).unwrap_err();
    assert_eq!((refused.reason, refused.payer), (Reason::FeePayerTransferring, Some(buyer())));
}

/// A look-up table could name the fee payer without the message saying so.
#[test]
fn accounts_from_look_up_tables_are_not_taken() {
    let mut parsed = Transaction::parse(&signed(&instructions())).unwrap();
    parsed.instructions[3].accounts.push(None);
    assert_eq!(check(parsed, &asked()).unwrap_err().reason, Reason::NotDecodable);
}

#[test]
fn a_named_wallet_is_the_only_one_that_may_pay() {
    let parsed = || Transaction::parse(&signed(&instructions())).unwrap();
    assert!(check(parsed(), &Asked { payer: Some(buyer()), ..asked() }).is_ok());
    let refused = check(parsed(), &Asked { payer: Some(SolanaAddress([8; 32])), ..asked() }).unwrap_err();
    assert_eq!(refused.reason, Reason::PayerMismatch);
}

#[test]
fn no_byte_of_a_payment_can_be_changed_unseen() {
    let right = signed(&instructions());
    // The fee payer's own signature is yet to come, so that its bytes say nothing.
    for at in (0..right.len()).filter(|at| !(1..65).contains(at)) {
        for bit in [1, 0x80] {
            let mut altered = right.clone();
            altered[at] ^= bit;
            let told = Transaction::parse(&altered).map(|transaction| check(transaction, &asked()));
            assert!(!matches!(told, Ok(Ok(_))), "byte {at}");
        }
        assert!(Transaction::parse(&right[..at]).is_err());
    }
}

fn payload(accepted: Value) -> Value {
    json!({"x402Version": 2, "accepted": accepted, "payload": {"transaction": STANDARD.encode(signed(&instructions()))}})
}

fn requirement() -> Value {
    json!({
        "scheme": "exact", "network": Network::mainnet().as_str(), "asset": "a", "payTo": "b", "amount": "1000",
        "extra": {"feePayer": "c", "memo": MEMO}, "unknown": {"is": "ignored"},
    })
}

#[test]
fn a_payload_must_be_of_the_requirement_that_it_is_presented_for() {
    let required = Requirement::parse(&requirement()).unwrap();
    let presented = Presented::parse(&payload(requirement())).unwrap();
    assert_eq!((presented.fits(&required), required.units()), (Ok(()), Some(1000)));
    assert!(presented.transaction().is_ok());
    for (path, reason) in [
        ("/asset", Reason::InvalidRequirements),
        ("/payTo", Reason::InvalidRequirements),
        ("/amount", Reason::InvalidRequirements),
        ("/extra/memo", Reason::InvalidRequirements),
        ("/network", Reason::NetworkMismatch),
        ("/scheme", Reason::UnsupportedScheme),
    ] {
        let mut altered = requirement();
        *altered.pointer_mut(path).unwrap() = json!("1");
        let presented = Presented::parse(&payload(altered)).unwrap();
        assert_eq!(presented.fits(&required).unwrap_err().reason, reason, "{path}");
    }
    let both = Requirement { max_amount_required: Some("1001".into()), ..required };
    assert_eq!(both.units(), None, "two amounts that differ are none");
}

#[test]
fn what_is_no_payload_is_refused_without_repeating_it() {
    for (json, reason) in [
        (json!({}), Reason::InvalidPayload),
        (json!({"x402Version": 7}), Reason::InvalidVersion),
        (json!({"x402Version": "secret@example.com", "payload": {"transaction": ""}}), Reason::InvalidPayload),
        (json!({"x402Version": 2, "payload": {"transaction": ""}}), Reason::InvalidPayload),
        (json!({"x402Version": 2, "payload": {"transaction": 7}}), Reason::InvalidPayload),
        (json!([1]), Reason::InvalidPayload),
    ] {
        let refusal = Presented::parse(&json).unwrap_err();
        assert_eq!(refusal.reason, reason, "{json}");
        assert!(!refusal.message.contains("secret"), "{}", refusal.message);
    }
    assert_eq!(decode_header(&STANDARD.encode("{\"a\":1}")), Some(json!({"a": 1})));
    assert_eq!(decode_header("not base64"), None);
    assert_eq!(decode_header(&STANDARD.encode(format!("\"{}\"", "x".repeat(MAX_HEADER_BYTES)))), None);
}

#[test]
fn networks_have_the_names_of_each_version() {
    assert_eq!(Version::V1.network(&Network::mainnet()).as_deref(), Some("solana"));
    assert_eq!(Version::V2.network(&Network::mainnet()).as_deref(), Some(Network::mainnet().as_str()));
    let other = Network::parse("solana:11111111111111111111111111111111").unwrap();
    assert_eq!(Version::V1.network(&other), None);
}

#[test]
fn every_reason_has_a_word_of_its_own() {
    for version in [Version::V1, Version::V2] {
        let words: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code(version)).collect();
        assert_eq!(words.len(), Reason::ALL.len());
    }
}
