//! The bytes of a transaction: instructions compiled into a message, and a signed transaction read back. Every read is
//! checked against the end; what comes back is a stranger's.

use events::vocab::bytes::{SolanaAddress, TxSignature};

/// A transaction travels in one packet of the network.
pub const MAX_TRANSACTION_BYTES: usize = 1232;

/// One instruction of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// The called program.
    pub program: SolanaAddress,
    /// The accounts it works on, in the program's order.
    pub accounts: Vec<Account>,
    /// What it is told.
    pub data: Vec<u8>,
}

/// One account of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// The account.
    pub address: SolanaAddress,
    /// Whether it must sign.
    pub signer: bool,
    /// Whether it may change.
    pub writable: bool,
}

impl Account {
    /// One that is only read.
    pub const fn readonly(address: SolanaAddress) -> Self {
        Account { address, signer: false, writable: false }
    }
    /// One that may change.
    pub const fn writable(address: SolanaAddress) -> Self {
        Account { address, signer: false, writable: true }
    }
    /// One that signs.
    pub const fn signer(address: SolanaAddress) -> Self {
        Account { address, signer: true, writable: false }
    }
    /// One that signs and may change.
    pub const fn payer(address: SolanaAddress) -> Self {
        Account { address, signer: true, writable: true }
    }
}

/// Instructions that do not fit into a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the instructions do not fit into one transaction")]
pub struct TooLarge;

/// Bytes that are not a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a Solana transaction: {0}")]
pub struct NotATransaction(pub &'static str);

/// Compiles instructions into a legacy message, which every wallet reads: `fee_payer` signs first and pays the network.
pub fn compile(fee_payer: SolanaAddress, blockhash: [u8; 32], instructions: &[Instruction]) -> Result<Vec<u8>, TooLarge> {
    let accounts = ordered(fee_payer, instructions);
    let count = |of: &dyn Fn(&Account) -> bool| u8::try_from(accounts.iter().filter(|account| of(account)).count()).map_err(|_| TooLarge);
    let index = |address: &SolanaAddress| {
        let found = accounts.iter().position(|account| account.address == *address);
        found.and_then(|index| u8::try_from(index).ok()).ok_or(TooLarge)
    };
    let mut bytes = vec![
        count(&|account| account.signer)?,
        count(&|account| account.signer && !account.writable)?,
        count(&|account| !account.signer && !account.writable)?,
    ];
    write_length(&mut bytes, accounts.len())?;
    for account in &accounts {
        bytes.extend_from_slice(&account.address.0);
    }
    bytes.extend_from_slice(&blockhash);
    write_length(&mut bytes, instructions.len())?;
    for instruction in instructions {
        bytes.push(index(&instruction.program)?);
        write_length(&mut bytes, instruction.accounts.len())?;
        for account in &instruction.accounts {
            bytes.push(index(&account.address)?);
        }
        write_length(&mut bytes, instruction.data.len())?;
        bytes.extend_from_slice(&instruction.data);
    }
    Ok(bytes)
}

/// Every account once, with the strongest rights asked for it: signers first, and of both kinds the writable first. The
/// header says by counts alone who signs and what may change, so the order is the format.
fn ordered(fee_payer: SolanaAddress, instructions: &[Instruction]) -> Vec<Account> {
    let mut accounts = vec![Account::payer(fee_payer)];
    let programs = instructions.iter().map(|instruction| Account::readonly(instruction.program));
    for asked in instructions.iter().flat_map(|instruction| instruction.accounts.iter().copied()).chain(programs) {
        match accounts.iter_mut().find(|account| account.address == asked.address) {
            Some(account) => {
                account.signer |= asked.signer;
                account.writable |= asked.writable;
            }
            None => accounts.push(asked),
        }
    }
    // The fee payer is a writable signer and first among its equals, since the sort keeps their order.
    accounts.sort_by_key(|account| (!account.signer, !account.writable));
    accounts
}

/// The transaction of a message with one signature yet to be given: 64 zeros stand for it.
pub fn unsigned(message: &[u8]) -> Result<Vec<u8>, TooLarge> {
    let transaction = [&[1][..], &[0; 64], message].concat();
    if transaction.len() <= MAX_TRANSACTION_BYTES { Ok(transaction) } else { Err(TooLarge) }
}

/// A transaction as its bytes say it; whether its signatures are true is another question ([`Transaction::is_signed`]).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// The signatures, in the order of the signers.
    pub signatures: Vec<TxSignature>,
    /// The bytes that are signed.
    pub message: Vec<u8>,
    /// Who must sign, the payer of the network's fee first.
    pub signers: Vec<SolanaAddress>,
    /// The hash of the block that it builds on.
    pub blockhash: [u8; 32],
    /// Its instructions.
    pub instructions: Vec<CompiledInstruction>,
}

/// An instruction whose accounts are known as far as the message names them: one loaded from a lookup table is `None`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledInstruction {
    /// The called program.
    pub program: Option<SolanaAddress>,
    /// Its accounts.
    pub accounts: Vec<Option<SolanaAddress>>,
    /// What it is told.
    pub data: Vec<u8>,
}

impl Transaction {
    /// Reads a whole transaction, legacy or version 0, and nothing after it.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotATransaction> {
        if bytes.len() > MAX_TRANSACTION_BYTES {
            return Err(NotATransaction("longer than a packet"));
        }
        let mut reader = Reader { rest: bytes };
        let mut signatures = Vec::new();
        for _ in 0..reader.length()? {
            signatures.push(TxSignature(reader.array()?));
        }
        let message = reader.rest.to_vec();
        let versioned = reader.rest.first().is_some_and(|byte| byte & 0x80 != 0);
        if versioned && reader.byte()? != 0x80 {
            return Err(NotATransaction("a version other than 0"));
        }
        let (required, _, _) = (usize::from(reader.byte()?), reader.byte()?, reader.byte()?);
        let mut accounts = Vec::new();
        for _ in 0..reader.length()? {
            accounts.push(SolanaAddress(reader.array()?));
        }
        let blockhash = reader.array::<32>()?;
        let mut instructions = Vec::new();
        for _ in 0..reader.length()? {
            let program = accounts.get(usize::from(reader.byte()?)).copied();
            let count = reader.length()?;
            let indexes = reader.take(count)?;
            let named = indexes.iter().map(|index| accounts.get(usize::from(*index)).copied()).collect();
            let length = reader.length()?;
            instructions.push(CompiledInstruction { program, accounts: named, data: reader.take(length)?.to_vec() });
        }
        if versioned {
            reader.lookups()?;
        }
        let signers = accounts.get(..required).ok_or(NotATransaction("more signers than accounts"))?.to_vec();
        if !reader.rest.is_empty() {
            return Err(NotATransaction("bytes after its end"));
        }
        if signers.is_empty() || signers.len() != signatures.len() {
            return Err(NotATransaction("not one signature for each signer"));
        }
        Ok(Transaction { signatures, message, signers, blockhash, instructions })
    }

    /// Whether every signer has signed the message, by the strict rule.
    pub fn is_signed(&self) -> bool {
        self.signers.iter().zip(&self.signatures).all(|(signer, signature)| self.signed_by(signer, signature))
    }

    /// Whether everybody but the fee payer has signed it, and there is somebody else.
    pub fn is_buyers(&self) -> bool {
        let mut others = self.signers.iter().zip(&self.signatures).skip(1).peekable();
        others.peek().is_some() && others.all(|(signer, signature)| self.signed_by(signer, signature))
    }

    /// Whether the signature is that wallet's under the message, by the strict rule.
    pub fn signed_by(&self, signer: &SolanaAddress, signature: &TxSignature) -> bool {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&signer.0);
        key.is_ok_and(|key| key.verify_strict(&self.message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok())
    }

    /// Its id: the first signature.
    pub fn id(&self) -> Option<TxSignature> {
        self.signatures.first().copied()
    }
}

/// Solana's compact-u16: seven bits a byte, the lowest first.
fn write_length(bytes: &mut Vec<u8>, length: usize) -> Result<(), TooLarge> {
    let mut rest = u16::try_from(length).map_err(|_| TooLarge)?;
    while rest > 0x7f {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    Ok(())
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], NotATransaction> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(NotATransaction("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotATransaction> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(NotATransaction("it ends too early"))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, NotATransaction> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A compact-u16 in its shortest form, as the network demands. Nothing in a packet is as long as three bytes would say.
    fn length(&mut self) -> Result<usize, NotATransaction> {
        let low = self.byte()?;
        if low < 0x80 {
            return Ok(usize::from(low));
        }
        match self.byte()? {
            0 => Err(NotATransaction("a length in a longer form than needed")),
            high @ 1..0x80 => Ok(usize::from(low & 0x7f) | usize::from(high) << 7),
            _ => Err(NotATransaction("a length beyond a packet")),
        }
    }

    /// The lookup tables of version 0: each an address and two lists of indexes.
    fn lookups(&mut self) -> Result<(), NotATransaction> {
        for _ in 0..self.length()? {
            self.array::<32>()?;
            for _ in 0..2 {
                let count = self.length()?;
                self.take(count)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
