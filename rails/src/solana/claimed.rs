//! Whether a transaction is the one that somebody describes. Pure.

use super::{currency::Currency, transfer::ObservedTransaction};
use events::vocab::{bytes::SolanaAddress, money::Minor};

/// What somebody says of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// Who paid.
    pub wallet: SolanaAddress,
    /// Who was paid.
    pub counterparty: SolanaAddress,
    /// In what.
    pub currency: Currency,
    /// How much: what reached the counterparty, or what left the wallet, which is more where a fee went elsewhere.
    pub amount: Minor,
    /// The memo, if one is claimed.
    pub memo: Option<String>,
}

/// The first thing claimed that the transaction contradicts: `token_mint`, `wallet`, `counterparty_wallet`, `amount_raw` or `memo`.
pub fn contradiction(claimed: &Claimed, transaction: &ObservedTransaction) -> Option<&'static str> {
    let moved = |owner: SolanaAddress| moved(owner, claimed.currency, transaction);
    let (left, arrived) = (moved(claimed.wallet), moved(claimed.counterparty));
    let units = i128::from(claimed.amount.units());
    let holds = [
        ("token_mint", is_in(claimed.currency, transaction)),
        ("wallet", left < 0),
        ("counterparty_wallet", arrived > 0),
        ("amount_raw", arrived == units || left.checked_neg() == Some(units)),
        ("memo", claimed.memo.as_ref().is_none_or(|memo| transaction.memos.contains(memo))),
    ];
    holds.into_iter().find(|(_, holds)| !holds).map(|(field, _)| field)
}

fn is_in(currency: Currency, transaction: &ObservedTransaction) -> bool {
    match currency {
        Currency::Sol => transaction.lamports.iter().any(|account| account.delta != 0),
        Currency::Token(mint) => transaction.deltas.iter().any(|account| account.mint == mint && account.delta != 0),
    }
}

fn moved(owner: SolanaAddress, currency: Currency, transaction: &ObservedTransaction) -> i128 {
    match currency {
        Currency::Sol => transaction.lamports.iter().filter(|account| account.account == owner).map(|account| account.delta).sum(),
        Currency::Token(mint) => {
            let own = transaction.deltas.iter().filter(|account| account.owner == owner && account.mint == mint);
            own.map(|account| account.delta).sum()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solana::transfer::{LamportDelta, TokenDelta};
    use events::vocab::bytes::TxSignature;

    const fn address(byte: u8) -> SolanaAddress {
        SolanaAddress([byte; 32])
    }
    const MINT: SolanaAddress = address(9);

    fn transaction() -> ObservedTransaction {
        let token = |owner, delta| TokenDelta { account: owner, owner, mint: MINT, token_program: address(8), delta };
        let sol = |account, delta| LamportDelta { account, delta };
        ObservedTransaction {
            signature: TxSignature([1; 64]),
            slot: 5,
            block_time: None,
            err: None,
            signers: vec![address(1)],
            fee_payer: address(1),
            memos: vec!["HILT:nonce".into()],
            deltas: vec![token(address(1), -100), token(address(2), 90), token(address(3), 10)],
            lamports: vec![sol(address(1), -7), sol(address(2), 7)],
        }
    }
    fn claimed() -> Claimed {
        let currency = Currency::Token(MINT);
        let (amount, memo) = (Minor::new(90).unwrap(), Some("HILT:nonce".into()));
        Claimed { wallet: address(1), counterparty: address(2), currency, amount, memo }
    }

    #[test]
    fn a_true_claim_stands_net_or_gross_in_a_token_or_in_sol() {
        let holds = |claimed| assert_eq!(contradiction(&claimed, &transaction()), None);
        holds(claimed());
        holds(Claimed { amount: Minor::new(100).unwrap(), memo: None, ..claimed() });
        holds(Claimed { amount: Minor::new(7).unwrap(), currency: Currency::Sol, ..claimed() });
    }

    #[test]
    fn each_contradiction_is_named() {
        let names = |field, claimed| assert_eq!(contradiction(&claimed, &transaction()), Some(field));
        names("token_mint", Claimed { currency: Currency::Token(address(7)), ..claimed() });
        names("wallet", Claimed { wallet: address(2), ..claimed() });
        names("wallet", Claimed { wallet: address(4), ..claimed() });
        names("counterparty_wallet", Claimed { counterparty: address(1), ..claimed() });
        names("counterparty_wallet", Claimed { counterparty: address(4), ..claimed() });
        names("amount_raw", Claimed { amount: Minor::new(91).unwrap(), ..claimed() });
        names("memo", Claimed { memo: Some("HILT:other".into()), ..claimed() });
    }
}
