//! Where SOL arrived and whence it came. A wallet is its own account, so what counts is how its lamports changed.

use super::{
    super::{currency::Currency, transfer::ObservedTransaction},
    Mismatch,
};
use events::vocab::bytes::SolanaAddress;

/// The wallet and what arrived in it.
pub fn arrival(
    owner: SolanaAddress,
    legs: &[(SolanaAddress, i128)],
    transaction: &ObservedTransaction,
) -> Result<(SolanaAddress, i128), Mismatch> {
    let gained = transaction.lamports.iter().find(|change| change.account == owner).map_or(0, |change| change.delta);
    // A recipient whose own SOL left, or who signed for a balance that did not move, paid itself.
    if gained < 0 || gained == 0 && transaction.signers.contains(&owner) {
        return Err(Mismatch::SelfTransfer { owner });
    }
    if gained > 0 {
        return Ok((owner, gained));
    }
    if let Some(token) = transaction.deltas.iter().find(|delta| delta.owner == owner && delta.delta > 0) {
        return Err(Mismatch::WrongMint { owner, expected: Currency::Sol, found: token.mint });
    }
    let is_leg = |account: &SolanaAddress| legs.iter().any(|(leg, _)| leg == account);
    let gained_by = |leg: bool| transaction.lamports.iter().any(|change| change.delta > 0 && is_leg(&change.account) == leg);
    match legs.iter().find(|(leg, _)| *leg == owner) {
        // The other legs arrived and nobody else was paid: this leg was left out.
        Some((_, expected)) if gained_by(true) && !gained_by(false) => Err(Mismatch::AmountShort { owner, expected: *expected, found: 0 }),
        _ => Err(Mismatch::WrongRecipient { owner }),
    }
}

/// The accounts that SOL left.
pub fn sources(transaction: &ObservedTransaction) -> Vec<SolanaAddress> {
    transaction.lamports.iter().filter(|change| change.delta < 0).map(|change| change.account).collect()
}
