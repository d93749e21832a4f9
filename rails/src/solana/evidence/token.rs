//! Where tokens arrived and whence they came.

use super::{
    super::{
        ata::associated_token_account,
        currency::Currency,
        programs,
        transfer::{ObservedTransaction, TokenDelta},
    },
    Mismatch,
};
use events::vocab::bytes::SolanaAddress;

/// The token account of `owner` and what arrived there.
pub fn arrival(
    owner: SolanaAddress,
    mint: SolanaAddress,
    legs: &[(SolanaAddress, i128)],
    transaction: &ObservedTransaction,
) -> Result<(SolanaAddress, i128), Mismatch> {
    let deltas = &transaction.deltas;
    // A recipient whose own tokens left, or who signed for a balance that did not move, paid itself.
    let paid_itself = |delta: &&TokenDelta| {
        delta.owner == owner && delta.mint == mint && (delta.delta < 0 || delta.delta == 0 && transaction.signers.contains(&owner))
    };
    if deltas.iter().any(|delta| paid_itself(&delta)) {
        return Err(Mismatch::SelfTransfer { owner });
    }
    let is_ata = |delta: &&TokenDelta| delta.owner == owner && delta.mint == mint && is_associated(delta);
    if let Some(found) = deltas.iter().find(is_ata) {
        // The account belonged to someone else, or held another token, before: what it holds now was not simply paid in.
        let changed_hands = deltas.iter().filter(|delta| delta.account == found.account).count() > 1;
        return if changed_hands { Err(Mismatch::WrongRecipient { owner }) } else { Ok((found.account, found.delta)) };
    }
    if let Some(other) = deltas.iter().find(|delta| delta.owner == owner && delta.mint != mint && delta.delta > 0) {
        return Err(Mismatch::WrongMint { owner, expected: Currency::Token(mint), found: other.mint });
    }
    let is_leg = |delta: &TokenDelta| legs.iter().any(|(leg, _)| *leg == delta.owner) && is_associated(delta);
    let went_elsewhere = deltas.iter().any(|delta| delta.mint == mint && delta.delta > 0 && !is_leg(delta));
    let a_leg_was_paid = deltas.iter().any(|delta| delta.mint == mint && delta.delta > 0 && is_leg(delta));
    match legs.iter().find(|(leg, _)| *leg == owner) {
        // The other legs arrived and nobody else was paid: this leg was left out.
        Some((_, expected)) if a_leg_was_paid && !went_elsewhere => Err(Mismatch::AmountShort { owner, expected: *expected, found: 0 }),
        _ => Err(Mismatch::WrongRecipient { owner }),
    }
}

/// Whether the account is its owner's associated one. The program is the one that keeps the account: a mint belongs to
/// exactly one token program, so a foreign program cannot stand in for it.
fn is_associated(delta: &TokenDelta) -> bool {
    [programs::TOKEN, programs::TOKEN_2022].contains(&delta.token_program)
        && associated_token_account(&delta.owner, &delta.token_program, &delta.mint) == Some(delta.account)
}

/// The wallets that the tokens left.
pub fn sources(mint: SolanaAddress, transaction: &ObservedTransaction) -> Vec<SolanaAddress> {
    transaction.deltas.iter().filter(|delta| delta.mint == mint && delta.delta < 0).map(|delta| delta.owner).collect()
}
