use super::*;
use ed25519_dalek::{Signer as _, SigningKey};

fn address(byte: u8) -> SolanaAddress {
    SolanaAddress([byte; 32])
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn buyer() -> SolanaAddress {
    SolanaAddress(key().verifying_key().to_bytes())
}

fn instructions() -> Vec<Instruction> {
    let accounts = vec![Account::readonly(address(3)), Account::writable(address(4)), Account::payer(buyer())];
    vec![
        Instruction { program: address(9), accounts, data: vec![1; 200] },
        Instruction { program: address(8), accounts: vec![Account::writable(address(3))], data: Vec::new() },
    ]
}

fn signed() -> Vec<u8> {
    let message = compile(buyer(), [5; 32], &instructions()).unwrap();
    let mut transaction = unsigned(&message).unwrap();
    transaction[1..65].copy_from_slice(&key().sign(&message).to_bytes());
    transaction
}

#[test]
fn a_message_has_the_documented_bytes() {
    let message = compile(buyer(), [5; 32], &instructions()).unwrap();
    // One signer, who may change; of the others two are programs and only read.
    assert_eq!(message[..4], [1, 0, 2, 5]);
    let accounts = [buyer(), address(3), address(4), address(9), address(8)];
    assert_eq!(message[4..164], accounts.map(|account| account.0).concat());
    assert_eq!(message[164..196], [5; 32]);
    // Two instructions; the first: program 3, accounts 1, 2, 0, and 200 bytes, whose length takes two bytes.
    assert_eq!(message[196..204], [2, 3, 3, 1, 2, 0, 0xc8, 0x01]);
    assert_eq!(message[404..], [4, 1, 1, 0]);
}

#[test]
fn what_is_compiled_is_read_back() {
    let transaction = Transaction::parse(&signed()).unwrap();
    assert_eq!(transaction.signers, [buyer()]);
    assert!(transaction.is_signed());
    assert_eq!(transaction.id(), Some(transaction.signatures[0]));
    let asked = instructions();
    for (asked, found) in asked.iter().zip(&transaction.instructions) {
        let named: Vec<_> = asked.accounts.iter().map(|account| Some(account.address)).collect();
        assert_eq!((Some(asked.program), &asked.data, named), (found.program, &found.data, found.accounts.clone()));
    }
    assert_eq!(transaction.instructions.len(), asked.len());
}

#[test]
fn version_zero_is_read_and_what_a_table_loads_stays_unnamed() {
    let legacy = compile(buyer(), [5; 32], &instructions()).unwrap();
    let mut message = [&[0x80][..], &legacy].concat();
    // The last instruction's account now comes from a table: index 5 is beyond the five that the message names.
    let last = message.len() - 2;
    message[last] = 5;
    message.extend([1]);
    message.extend([6; 32]);
    message.extend([1, 0, 0]);
    let parsed = Transaction::parse(&unsigned(&message).unwrap()).unwrap();
    assert_eq!(parsed.instructions[1].accounts, [None]);
    assert!(!parsed.is_signed());
    message[0] = 0x81;
    assert_eq!(Transaction::parse(&unsigned(&message).unwrap()), Err(NotATransaction("a version other than 0")));
}

#[test]
fn a_signature_holds_every_byte() {
    let whole = signed();
    for index in (0..whole.len()).step_by(5) {
        let mut changed = whole.clone();
        changed[index] ^= 1;
        let accepted = Transaction::parse(&changed).is_ok_and(|transaction| transaction.is_signed());
        assert!(!accepted, "byte {index} can be changed");
    }
}

#[test]
fn no_bytes_make_the_reader_panic_or_read_beyond_the_end() {
    let whole = signed();
    for length in 0..whole.len() {
        assert!(Transaction::parse(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
    assert_eq!(Transaction::parse(&[&whole[..], &[0]].concat()), Err(NotATransaction("bytes after its end")));
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..50_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random() % 4 {
            let at = (random() % bytes.len() as u64) as usize;
            bytes[at] = random() as u8;
        }
        if random() % 8 == 0 {
            bytes.truncate((random() % whole.len() as u64) as usize);
        }
        if let Ok(transaction) = Transaction::parse(&bytes) {
            assert_eq!(transaction.signatures.len(), transaction.signers.len());
        }
    }
}

#[test]
fn lengths_have_one_form() {
    let read = |bytes: &[u8]| Reader { rest: bytes }.length();
    for length in [0, 1, 127, 128, 300, 16_383] {
        let mut bytes = Vec::new();
        write_length(&mut bytes, length).unwrap();
        assert_eq!(read(&bytes), Ok(length));
    }
    assert!(read(&[0x80, 0]).is_err(), "zero in two bytes");
    assert!(read(&[0xff, 0xff, 1]).is_err(), "three bytes");
    assert!(read(&[0x80]).is_err());
    assert_eq!(write_length(&mut Vec::new(), 65_536), Err(TooLarge));
}

#[test]
fn what_exceeds_a_packet_is_refused() {
    let large = Instruction { program: address(9), accounts: Vec::new(), data: vec![0; MAX_TRANSACTION_BYTES] };
    let message = compile(buyer(), [5; 32], &[large]).unwrap();
    assert_eq!(unsigned(&message), Err(TooLarge));
    let many: Vec<_> = (0..=255).map(|byte| Instruction { program: address(byte), accounts: vec![], data: vec![] }).collect();
    assert_eq!(compile(buyer(), [5; 32], &many), Err(TooLarge));
}
