use super::*;
use crate::solana::message::{Account, compile, unsigned};
use ed25519_dalek::{Signer as _, SigningKey};

const MEMO: &str = "HILT:abc";

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn buyer() -> SolanaAddress {
    SolanaAddress(key().verifying_key().to_bytes())
}

fn expectation(currency: Currency) -> Expectation {
    let leg = |byte, units| ExpectedTransfer { owner: SolanaAddress([byte; 32]), amount: Minor::new(units).unwrap() };
    Expectation { currency, memo: MEMO.into(), transfers: vec![leg(1, 199_800), leg(2, 200)], payer: Some(buyer()) }
}

fn asked(currency: Currency) -> Vec<Instruction> {
    let expected = expectation(currency);
    let legs = expected.transfers.iter().map(|leg| transfer(leg, &expected, buyer(), 6).unwrap());
    legs.chain([memo(MEMO)]).collect()
}

/// What the check says of those instructions, signed by the buyer.
fn checked(currency: Currency, instructions: &[Instruction]) -> Result<(), NotAsked> {
    let message = compile(buyer(), [5; 32], instructions).unwrap();
    let mut bytes = unsigned(&message).unwrap();
    bytes[1..65].copy_from_slice(&key().sign(&message).to_bytes());
    check_signed(&Transaction::parse(&bytes).unwrap(), &expectation(currency), buyer(), 6)
}

fn of_other_program(data: Vec<u8>) -> Instruction {
    Instruction { program: "ComputeBudget111111111111111111111111111111".parse().unwrap(), accounts: Vec::new(), data }
}

#[test]
fn the_transaction_asked_for_is_accepted_in_any_order_and_with_a_wallets_additions() {
    for currency in [Currency::Sol, Currency::Token(programs::USDC_MINT)] {
        let mut instructions = asked(currency);
        assert_eq!(checked(currency, &instructions), Ok(()));
        instructions.rotate_left(1);
        instructions.insert(0, of_other_program(vec![2, 1, 0, 0, 0]));
        assert_eq!(checked(currency, &instructions), Ok(()));
    }
}

#[test]
fn every_other_transaction_is_refused() {
    for currency in [Currency::Sol, Currency::Token(programs::USDC_MINT)] {
        let changed = |change: &dyn Fn(&mut Vec<Instruction>)| {
            let mut instructions = asked(currency);
            change(&mut instructions);
            checked(currency, &instructions)
        };
        let amount_at = if currency == Currency::Sol { 4 } else { 1 };
        assert_eq!(changed(&|all| drop(all.pop())), Err(NotAsked::WrongMemo));
        assert_eq!(changed(&|all| all[2].data.push(b'x')), Err(NotAsked::WrongMemo));
        assert_eq!(changed(&|all| all[2].program = SolanaAddress([4; 32])), Err(NotAsked::WrongMemo));
        assert_eq!(changed(&|all| drop(all.remove(0))), Err(NotAsked::WrongTransfers));
        assert_eq!(changed(&|all| all[0].data[amount_at] -= 1), Err(NotAsked::WrongTransfers));
        assert_eq!(changed(&|all| all.push(all[0].clone())), Err(NotAsked::WrongTransfers));
        assert_eq!(changed(&|all| all[0].accounts[1] = Account::writable(SolanaAddress([4; 32]))), Err(NotAsked::WrongTransfers));
        let another_signer = |all: &mut Vec<Instruction>| all[2].accounts.push(Account::signer(SolanaAddress([4; 32])));
        let message = |mut all: Vec<Instruction>| {
            another_signer(&mut all);
            let message = compile(buyer(), [5; 32], &all).unwrap();
            [&[2][..], &[0; 128], &message].concat()
        };
        let two_signers = Transaction::parse(&message(asked(currency))).unwrap();
        assert_eq!(check_signed(&two_signers, &expectation(currency), buyer(), 6), Err(NotAsked::WrongPayer));
    }
}

#[test]
fn an_unsigned_or_anothers_transaction_is_refused() {
    let currency = Currency::Token(programs::USDC_MINT);
    let message = compile(buyer(), [5; 32], &asked(currency)).unwrap();
    let bare = Transaction::parse(&unsigned(&message).unwrap()).unwrap();
    assert_eq!(check_signed(&bare, &expectation(currency), buyer(), 6), Err(NotAsked::Unsigned));
    assert_eq!(check_signed(&bare, &expectation(currency), SolanaAddress([4; 32]), 6), Err(NotAsked::WrongPayer));
}

#[test]
fn a_sol_payment_is_not_a_token_payment() {
    let (sol, usdc) = (Currency::Sol, Currency::Token(programs::USDC_MINT));
    assert_eq!(checked(sol, &asked(usdc)), Err(NotAsked::WrongTransfers));
    assert_eq!(checked(usdc, &asked(sol)), Err(NotAsked::WrongTransfers));
    assert_eq!(checked(usdc, &asked(Currency::Token(SolanaAddress([4; 32])))), Err(NotAsked::WrongTransfers));
}

#[test]
fn only_the_owners_own_usable_account_receives() {
    let (owner, mint) = (SolanaAddress([1; 32]), programs::USDC_MINT);
    let mut data = vec![0; TOKEN_ACCOUNT_BYTES];
    data[..32].copy_from_slice(&mint.0);
    data[32..64].copy_from_slice(&owner.0);
    data[STATE_OFFSET] = 1;
    let info = AccountInfo { owner: programs::TOKEN, lamports: 2_039_280, data };
    assert!(receives(&info, owner, mint));
    let changed = |change: &dyn Fn(&mut AccountInfo)| {
        let mut info = info.clone();
        change(&mut info);
        receives(&info, owner, mint)
    };
    assert!(!changed(&|info| info.owner = programs::SYSTEM));
    assert!(!changed(&|info| info.data[0] ^= 1), "another mint");
    assert!(!changed(&|info| info.data[32] ^= 1), "handed to another wallet");
    assert!(!changed(&|info| info.data[STATE_OFFSET] = 2), "frozen");
    assert!(!changed(&|info| info.data.truncate(64)));
}
