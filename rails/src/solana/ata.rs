//! Where a wallet receives a token: the associated token account, a program-derived address.

use super::programs;
use curve25519_dalek::edwards::CompressedEdwardsY;
use events::vocab::bytes::SolanaAddress;
use sha2::{Digest as _, Sha256};

/// The account in which `owner` receives `mint` under `token_program`. `None` has probability 2⁻²⁵⁶ and would mean that
/// the token program itself could not create the account.
pub fn associated_token_account(owner: &SolanaAddress, token_program: &SolanaAddress, mint: &SolanaAddress) -> Option<SolanaAddress> {
    find_program_address(&[&owner.0, &token_program.0, &mint.0], &programs::ASSOCIATED_TOKEN).map(|(address, _)| address)
}

/// The first address of `program` under `seeds` that no private key can sign for, and its bump seed.
/// Each seed is at most 32 bytes and there are at most 15, as the runtime demands.
pub fn find_program_address(seeds: &[&[u8]], program: &SolanaAddress) -> Option<(SolanaAddress, u8)> {
    if seeds.len() > 15 || seeds.iter().any(|seed| seed.len() > 32) {
        return None;
    }
    (0..=u8::MAX).rev().find_map(|bump| {
        let mut hash = Sha256::new();
        for seed in seeds {
            hash.update(seed);
        }
        hash.update([bump]);
        hash.update(program.0);
        hash.update(b"ProgramDerivedAddress");
        let candidate: [u8; 32] = hash.finalize().into();
        let has_private_key = CompressedEdwardsY(candidate).decompress().is_some();
        (!has_private_key).then_some((SolanaAddress(candidate), bump))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_mainnet_account_is_derived() {
        let owner = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM".parse().unwrap();
        let account = associated_token_account(&owner, &programs::TOKEN, &programs::USDC_MINT).unwrap();
        assert_eq!(account.to_string(), "FGETo8T8wMcN2wCjav8VK6eh3dLk63evNDPxzLSJra8B");
    }

    #[test]
    fn token_programs_and_mints_have_accounts_of_their_own() {
        let owner = SolanaAddress([7; 32]);
        let of = |program, mint| associated_token_account(&owner, program, mint);
        let usdc = of(&programs::TOKEN, &programs::USDC_MINT);
        assert_ne!(usdc, of(&programs::TOKEN_2022, &programs::USDC_MINT));
        assert_ne!(usdc, of(&programs::TOKEN, &SolanaAddress([8; 32])));
    }

    #[test]
    fn seeds_that_the_runtime_refuses_have_no_address() {
        assert_eq!(find_program_address(&[&[0; 33]], &programs::TOKEN), None);
        assert_eq!(find_program_address(&[&[0u8; 1][..]; 16], &programs::TOKEN), None);
    }
}
