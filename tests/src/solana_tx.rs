//! Solana transactions written by hand, so that what is tested never shares code with what tests it.

use ed25519_dalek::{Signer as _, SigningKey};
use events::vocab::bytes::{SolanaAddress, TxSignature};
use rails::solana::{ata::associated_token_account, programs};

const SYSTEM: SolanaAddress = SolanaAddress([0; 32]);
const COMPUTE_BUDGET: &str = "ComputeBudget111111111111111111111111111111";

/// A Solana key pair.
#[derive(Clone)]
pub struct Keypair(SigningKey);

impl Keypair {
    /// A new random one.
    pub fn generate() -> Self {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the system gives random bytes");
        Keypair(SigningKey::from_bytes(&seed))
    }
    /// The one of that seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Keypair(SigningKey::from_bytes(&seed))
    }
    /// The wallet's address.
    pub fn address(&self) -> SolanaAddress {
        SolanaAddress(self.0.verifying_key().to_bytes())
    }
    /// An Ed25519 signature over `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// One account of an instruction.
#[derive(Clone, Copy)]
pub struct AccountMeta {
    /// The account.
    pub address: SolanaAddress,
    /// Whether it must sign.
    pub signer: bool,
    /// Whether it may change.
    pub writable: bool,
}

fn meta(address: SolanaAddress, signer: bool, writable: bool) -> AccountMeta {
    AccountMeta { address, signer, writable }
}

/// One instruction.
#[derive(Clone)]
pub struct Instruction {
    /// The called program.
    pub program: SolanaAddress,
    /// Its accounts.
    pub accounts: Vec<AccountMeta>,
    /// Its data.
    pub data: Vec<u8>,
}

/// The token account of `owner` for a mint of the classic token program.
pub fn ata(owner: &SolanaAddress, mint: &SolanaAddress) -> SolanaAddress {
    associated_token_account(owner, &programs::TOKEN, mint).expect("every wallet has a token account")
}

/// Creates the token account of `owner` unless it is there.
pub fn create_ata(funder: SolanaAddress, owner: SolanaAddress, mint: SolanaAddress) -> Instruction {
    let accounts = vec![
        meta(funder, true, true),
        meta(ata(&owner, &mint), false, true),
        meta(owner, false, false),
        meta(mint, false, false),
        meta(SYSTEM, false, false),
        meta(programs::TOKEN, false, false),
    ];
    Instruction { program: programs::ASSOCIATED_TOKEN, accounts, data: vec![1] }
}

/// TransferChecked: names the mint and its decimals.
pub fn transfer_checked(
    source: SolanaAddress,
    mint: SolanaAddress,
    to: SolanaAddress,
    authority: SolanaAddress,
    amount: u64,
    decimals: u8,
) -> Instruction {
    let accounts = vec![meta(source, false, true), meta(mint, false, false), meta(to, false, true), meta(authority, true, false)];
    let data = [&[12][..], &amount.to_le_bytes(), &[decimals]].concat();
    Instruction { program: programs::TOKEN, accounts, data }
}

/// Transfer: names no mint.
pub fn transfer_plain(source: SolanaAddress, to: SolanaAddress, authority: SolanaAddress, amount: u64) -> Instruction {
    let accounts = vec![meta(source, false, true), meta(to, false, true), meta(authority, true, false)];
    Instruction { program: programs::TOKEN, accounts, data: [&[3][..], &amount.to_le_bytes()].concat() }
}

/// Moves lamports between wallets.
pub fn transfer_sol(from: SolanaAddress, to: SolanaAddress, lamports: u64) -> Instruction {
    let accounts = vec![meta(from, true, true), meta(to, false, true)];
    Instruction { program: SYSTEM, accounts, data: [&2_u32.to_le_bytes()[..], &lamports.to_le_bytes()].concat() }
}

/// Token instructions wrapped into one batch instruction, which nodes do not parse.
pub fn batch(instructions: &[Instruction]) -> Instruction {
    let mut data = vec![255];
    for instruction in instructions {
        data.push(u8::try_from(instruction.accounts.len()).expect("few accounts"));
        data.push(u8::try_from(instruction.data.len()).expect("short data"));
        data.extend_from_slice(&instruction.data);
    }
    let accounts = instructions.iter().flat_map(|instruction| instruction.accounts.iter().copied()).collect();
    Instruction { program: programs::TOKEN, accounts, data }
}

/// A memo without signers.
pub fn memo(text: &str) -> Instruction {
    Instruction { program: programs::MEMO, accounts: Vec::new(), data: text.as_bytes().to_vec() }
}

/// The two compute budget instructions that x402 clients put first.
pub fn compute_budget(units: u32, micro_lamports: u64) -> [Instruction; 2] {
    let program: SolanaAddress = COMPUTE_BUDGET.parse().expect("a constant address");
    let limit = [&[2][..], &units.to_le_bytes()].concat();
    let price = [&[3][..], &micro_lamports.to_le_bytes()].concat();
    [limit, price].map(|data| Instruction { program, accounts: Vec::new(), data })
}

/// The form of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// Without a version byte.
    Legacy,
    /// Version 0, without lookup tables.
    V0,
}

/// A message and who must sign it.
pub struct Message {
    /// The bytes that are signed.
    pub bytes: Vec<u8>,
    /// The signers, in the order of their signatures.
    pub signers: Vec<SolanaAddress>,
}

impl Message {
    /// Compiles instructions into a message that `fee_payer` pays for.
    pub fn compile(version: Version, fee_payer: SolanaAddress, blockhash: [u8; 32], instructions: &[Instruction]) -> Self {
        let keys = ordered_keys(fee_payer, instructions);
        let index = |address: &SolanaAddress| {
            u8::try_from(keys.iter().position(|key| key.address == *address).expect("every account was collected")).expect("few accounts")
        };
        let count = |signer: bool, writable: Option<bool>| {
            let matching = keys.iter().filter(|key| key.signer == signer && writable.is_none_or(|writable| key.writable == writable));
            u8::try_from(matching.count()).expect("few accounts")
        };
        let mut bytes = if version == Version::V0 { vec![0x80] } else { Vec::new() };
        bytes.extend([count(true, None), count(true, Some(false)), count(false, Some(false))]);
        compact(&mut bytes, keys.len());
        keys.iter().for_each(|key| bytes.extend(key.address.0));
        bytes.extend(blockhash);
        compact(&mut bytes, instructions.len());
        for instruction in instructions {
            bytes.push(index(&instruction.program));
            compact(&mut bytes, instruction.accounts.len());
            bytes.extend(instruction.accounts.iter().map(|account| index(&account.address)));
            compact(&mut bytes, instruction.data.len());
            bytes.extend(&instruction.data);
        }
        if version == Version::V0 {
            bytes.push(0);
        }
        let signers = keys.iter().filter(|key| key.signer).map(|key| key.address).collect();
        Message { bytes, signers }
    }

    /// The transaction with the signatures of `keypairs`; a signer without a key pair is left as zeros, as x402 clients
    /// leave the facilitator's.
    pub fn sign(&self, keypairs: &[&Keypair]) -> Vec<u8> {
        let mut transaction = Vec::new();
        compact(&mut transaction, self.signers.len());
        for signer in &self.signers {
            let keypair = keypairs.iter().find(|keypair| keypair.address() == *signer);
            transaction.extend(keypair.map_or([0; 64], |keypair| keypair.sign(&self.bytes)));
        }
        transaction.extend(&self.bytes);
        transaction
    }
}

/// A transaction that someone else has built, with the only signature it asks for.
pub fn sign_built(transaction: &[u8], keypair: &Keypair) -> Vec<u8> {
    let (count, rest) = transaction.split_first().expect("a transaction begins with a count");
    let (empty, message) = rest.split_at(64);
    assert_eq!((*count, empty), (1, &[0; 64][..]), "one signature is asked for and none is given");
    [&[1][..], &keypair.sign(message), message].concat()
}

/// The id of a signed transaction: its first signature.
pub fn signature_of(transaction: &[u8]) -> TxSignature {
    TxSignature::try_from(&transaction[1..65]).expect("a transaction begins with its signatures")
}

/// Every account once, with the strongest rights asked for it, in the order that the header counts them.
fn ordered_keys(fee_payer: SolanaAddress, instructions: &[Instruction]) -> Vec<AccountMeta> {
    let mut keys = vec![meta(fee_payer, true, true)];
    let programs = instructions.iter().map(|instruction| meta(instruction.program, false, false));
    for account in instructions.iter().flat_map(|instruction| instruction.accounts.iter().copied()).chain(programs) {
        match keys.iter_mut().find(|key| key.address == account.address) {
            Some(key) => {
                key.signer |= account.signer;
                key.writable |= account.writable;
            }
            None => keys.push(account),
        }
    }
    keys[1..].sort_by_key(|key| (!key.signer, !key.writable));
    keys
}

/// Solana's compact-u16: seven bits a byte, least significant first.
fn compact(bytes: &mut Vec<u8>, length: usize) {
    let mut rest = u16::try_from(length).expect("a transaction is short");
    loop {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}
