use super::super::fixtures::*;
use super::super::{
    programs,
    transfer::{LamportDelta, TokenDelta},
};
use super::*;
use serde_json::json;

fn minor(units: u64) -> Minor {
    Minor::new(units).unwrap()
}

fn leg(owner: &str, units: u64) -> ExpectedTransfer {
    ExpectedTransfer { owner: address(owner), amount: minor(units) }
}

fn expectation() -> Expectation {
    let transfers = vec![leg(MERCHANT, 24_750_000), leg(FEE_WALLET, 250_000)];
    Expectation { currency: Currency::Token(programs::USDC_MINT), memo: MEMO.into(), transfers, payer: Some(address(PAYER)) }
}

fn paid() -> ObservedTransaction {
    transfer::parse(&two_legs()).unwrap()
}

fn code(expected: &Expectation, transaction: &ObservedTransaction) -> &'static str {
    compare(expected, transaction).map_or_else(|mismatch| mismatch.code(), |_| "matched")
}

/// The code after one change to the expectation, and after one to the transaction.
fn asked(change: impl Fn(&mut Expectation)) -> &'static str {
    let mut expected = expectation();
    change(&mut expected);
    code(&expected, &paid())
}

fn told(change: impl Fn(&mut ObservedTransaction)) -> &'static str {
    let mut transaction = paid();
    change(&mut transaction);
    code(&expectation(), &transaction)
}

fn delta_of<'a>(transaction: &'a mut ObservedTransaction, owner: &str) -> &'a mut TokenDelta {
    transaction.deltas.iter_mut().find(|delta| delta.owner == address(owner)).unwrap()
}

#[test]
fn the_payment_asked_for_matches() {
    let matched = compare(&expectation(), &paid()).unwrap();
    assert_eq!((matched.payer, matched.slot, matched.block_time), (address(PAYER), 34, Some(1_795_176_000)));
    let received: Vec<_> = matched.received.iter().map(|received| (received.owner.to_string(), received.amount.units())).collect();
    assert_eq!(received, [(MERCHANT.to_owned(), 24_750_000), (FEE_WALLET.to_owned(), 250_000)]);
    assert_eq!(asked(|expected| expected.payer = None), "matched");
}

#[test]
fn the_same_payment_by_plain_or_batched_transfer_matches_too() {
    for transaction in [plain_transfer(), batch_transfer()] {
        let expected = Expectation { transfers: vec![leg(MERCHANT, 1000)], ..expectation() };
        assert_eq!(code(&expected, &transfer::parse(&transaction).unwrap()), "matched");
    }
}

#[test]
fn legs_to_one_wallet_are_added_up_and_a_leg_of_nothing_asks_nothing() {
    let split = |expected: &mut Expectation| {
        expected.transfers = vec![leg(MERCHANT, 1), leg(FEE_WALLET, 250_000), leg(MERCHANT, 24_749_999), leg(PAYER, 0)];
    };
    assert_eq!(asked(split), "matched");
}

#[test]
fn an_expectation_of_nothing_is_never_met() {
    assert_eq!(asked(|expected| expected.transfers.clear()), "nothing_expected");
    assert_eq!(asked(|expected| expected.transfers = vec![leg(MERCHANT, 0)]), "nothing_expected");
}

#[test]
fn a_failed_transaction_is_refused_with_its_error() {
    let refused = compare(&expectation(), &transfer::parse(&failed()).unwrap()).unwrap_err();
    assert_eq!(refused, Mismatch::TxFailed { err: r#"{"InstructionError":[1,{"Custom":1}]}"#.into() });
}

#[test]
fn the_memo_must_be_the_sessions_word_for_word_and_no_other_sessions() {
    assert_eq!(told(|transaction| transaction.memos.clear()), "memo_missing");
    for memo in ["HILT:ABC", "HILT:abc ", "HILT:abcd", "abc", ""] {
        assert_eq!(told(|transaction| transaction.memos = vec![memo.into()]), "wrong_memo", "{memo:?}");
    }
    assert_eq!(told(|transaction| transaction.memos.push("HILT:other".into())), "wrong_memo");
    assert_eq!(told(|transaction| transaction.memos.push("thanks".into())), "matched");
}

#[test]
fn amounts_are_exact_to_the_unit() {
    assert_eq!(told(|transaction| delta_of(transaction, MERCHANT).delta -= 1), "amount_short");
    assert_eq!(told(|transaction| delta_of(transaction, FEE_WALLET).delta -= 1), "amount_short");
    assert_eq!(told(|transaction| delta_of(transaction, MERCHANT).delta += 1), "amount_mismatch");
    assert_eq!(told(|transaction| delta_of(transaction, MERCHANT).delta = i128::MAX), "amount_mismatch");
    assert_eq!(told(|transaction| transaction.deltas.retain(|delta| delta.owner != address(FEE_WALLET))), "amount_short");
}

#[test]
fn another_token_is_not_the_token() {
    assert_eq!(asked(|expected| expected.currency = Currency::Token(SolanaAddress([9; 32]))), "wrong_mint");
    // A foreign program may claim any mint and owner for an account at any address it derives.
    assert_eq!(told(|transaction| delta_of(transaction, MERCHANT).token_program = SolanaAddress([9; 32])), "wrong_recipient");
}

#[test]
fn tokens_that_went_elsewhere_are_not_paid() {
    assert_eq!(asked(|expected| expected.transfers[0] = leg("11111111111111111111111111111112", 24_750_000)), "wrong_recipient");
    // The merchant's, but not the account where it looks.
    assert_eq!(told(|transaction| delta_of(transaction, MERCHANT).account = SolanaAddress([9; 32])), "wrong_recipient");
    assert_eq!(told(|transaction| transaction.deltas.clear()), "no_transfer");
}

#[test]
fn an_account_that_changed_hands_was_not_paid() {
    let handed_over = |transaction: &mut ObservedTransaction| {
        let account = delta_of(transaction, MERCHANT).clone();
        transaction.deltas.push(TokenDelta { owner: address(PAYER), delta: -24_750_000, ..account });
    };
    assert_eq!(told(handed_over), "wrong_recipient");
}

#[test]
fn paying_oneself_is_not_a_payment() {
    let own = Expectation { transfers: vec![leg(PAYER, 1000)], ..expectation() };
    assert_eq!(code(&own, &transfer::parse(&self_transfer()).unwrap()), "self_transfer");
    // From another account of the same wallet: the associated account gains, the wallet does not.
    let between_accounts = |transaction: &mut ObservedTransaction| {
        let gain = delta_of(transaction, MERCHANT).clone();
        transaction.deltas.push(TokenDelta { account: SolanaAddress([9; 32]), delta: -gain.delta, ..gain });
    };
    assert_eq!(told(between_accounts), "self_transfer");
}

#[test]
fn only_the_wallet_that_signed_for_its_own_tokens_is_the_payer() {
    assert_eq!(asked(|expected| expected.payer = Some(address(MERCHANT))), "wrong_payer");
    // A facilitator pays the network's fee and signs first; the buyer is still the payer.
    let sponsored = |transaction: &mut ObservedTransaction| {
        transaction.fee_payer = SolanaAddress([9; 32]);
        transaction.signers.insert(0, SolanaAddress([9; 32]));
    };
    assert_eq!(told(sponsored), "matched");
    // A delegate spends the buyer's tokens without the buyer's signature.
    assert_eq!(told(|transaction| transaction.signers = vec![SolanaAddress([9; 32])]), "wrong_payer");
    let two_sources = |transaction: &mut ObservedTransaction| {
        let other = TokenDelta { owner: SolanaAddress([9; 32]), account: SolanaAddress([8; 32]), ..delta_of(transaction, PAYER).clone() };
        transaction.deltas.push(other);
        transaction.signers.push(SolanaAddress([9; 32]));
    };
    assert_eq!(told(two_sources), "wrong_payer");
}

fn sol_expectation() -> Expectation {
    Expectation { currency: Currency::Sol, ..expectation() }
}

/// The two legs in SOL: what [`paid`] moved in tokens, moved in lamports instead, and nothing in tokens.
fn paid_in_sol() -> ObservedTransaction {
    let of = |owner, delta| LamportDelta { account: address(owner), delta };
    let lamports = vec![of(PAYER, -25_000_000), of(MERCHANT, 24_750_000), of(FEE_WALLET, 250_000)];
    ObservedTransaction { deltas: Vec::new(), lamports, ..paid() }
}

/// The code after one change to a payment in SOL.
fn told_in_sol(change: impl Fn(&mut ObservedTransaction)) -> &'static str {
    let mut transaction = paid_in_sol();
    change(&mut transaction);
    code(&sol_expectation(), &transaction)
}

#[test]
fn sol_is_paid_where_the_wallets_own_lamports_say_so() {
    let matched = compare(&sol_expectation(), &paid_in_sol()).unwrap();
    assert_eq!(matched.payer, address(PAYER));
    let received: Vec<_> = matched.received.iter().map(|received| (received.account, received.amount.units())).collect();
    assert_eq!(received, [(address(MERCHANT), 24_750_000), (address(FEE_WALLET), 250_000)]);
    // Rent of an account that the transaction makes on the way is the payer's affair.
    let with_rent = |transaction: &mut ObservedTransaction| {
        transaction.lamports[0].delta -= 2_039_280;
        transaction.lamports.push(LamportDelta { account: SolanaAddress([9; 32]), delta: 2_039_280 });
    };
    assert_eq!(told_in_sol(with_rent), "matched");
}

#[test]
fn every_wrong_payment_in_sol_has_its_reason() {
    assert_eq!(told_in_sol(|transaction| transaction.memos.clear()), "memo_missing");
    assert_eq!(told_in_sol(|transaction| transaction.memos = vec!["HILT:other".into()]), "wrong_memo");
    assert_eq!(told_in_sol(|transaction| transaction.err = Some("x".into())), "tx_failed");
    assert_eq!(told_in_sol(|transaction| transaction.lamports.iter_mut().for_each(|change| change.delta = 0)), "no_transfer");
    assert_eq!(told_in_sol(|transaction| transaction.lamports[1].delta -= 1), "amount_short");
    assert_eq!(told_in_sol(|transaction| transaction.lamports[2].delta -= 1), "amount_short");
    assert_eq!(told_in_sol(|transaction| transaction.lamports.truncate(2)), "amount_short");
    assert_eq!(told_in_sol(|transaction| transaction.lamports[1].delta += 1), "amount_mismatch");
    assert_eq!(told_in_sol(|transaction| transaction.lamports[1].account = SolanaAddress([9; 32])), "wrong_recipient");
    assert_eq!(told_in_sol(|transaction| transaction.lamports[1].delta = -1), "self_transfer");
    assert_eq!(told_in_sol(|transaction| transaction.signers = vec![SolanaAddress([8; 32]), SolanaAddress([9; 32])]), "wrong_payer");
    let two_sources = |transaction: &mut ObservedTransaction| {
        transaction.lamports.push(LamportDelta { account: SolanaAddress([9; 32]), delta: -1 });
        transaction.signers.push(SolanaAddress([9; 32]));
    };
    assert_eq!(told_in_sol(two_sources), "wrong_payer");
}

#[test]
fn tokens_do_not_pay_what_is_asked_for_in_sol_and_sol_not_what_is_asked_for_in_tokens() {
    // Wrapped SOL in the merchant's token account, unit for unit.
    let wrapped = |transaction: &mut ObservedTransaction| {
        transaction.lamports.iter_mut().for_each(|change| change.delta = 0);
        transaction.deltas = paid().deltas;
        transaction.deltas.iter_mut().for_each(|delta| delta.mint = programs::NATIVE_MINT);
    };
    assert_eq!(told_in_sol(wrapped), "wrong_mint");
    assert_eq!(code(&expectation(), &paid_in_sol()), "no_transfer");
    let asked_wrapped = Expectation { currency: Currency::Token(programs::NATIVE_MINT), ..expectation() };
    assert_eq!(code(&asked_wrapped, &paid_in_sol()), "no_transfer");
}

#[test]
fn refusals_come_in_the_documented_order() {
    let mut transaction = paid();
    transaction.err = Some(json!("x").to_string());
    transaction.memos.clear();
    transaction.deltas.clear();
    let mut expected = Expectation { transfers: Vec::new(), payer: Some(address(MERCHANT)), ..expectation() };
    let mut step = |repair: &dyn Fn(&mut Expectation, &mut ObservedTransaction), next: &str| {
        repair(&mut expected, &mut transaction);
        assert_eq!(code(&expected, &transaction), next);
    };
    step(&|_, _| {}, "nothing_expected");
    step(&|expected, _| expected.transfers = vec![leg(PAYER, 1), leg(MERCHANT, 5), leg(FEE_WALLET, 7)], "tx_failed");
    step(&|_, transaction| transaction.err = None, "memo_missing");
    step(&|_, transaction| transaction.memos = vec!["HILT:x".into()], "wrong_memo");
    step(&|_, transaction| transaction.memos = vec![MEMO.into()], "no_transfer");
    step(&|_, transaction| transaction.deltas = paid().deltas, "self_transfer");
    let paid_in_another_mint = |expected: &mut Expectation, transaction: &mut ObservedTransaction| {
        expected.transfers.remove(0);
        delta_of(transaction, MERCHANT).mint = SolanaAddress([9; 32]);
    };
    step(&paid_in_another_mint, "wrong_mint");
    let arrived_elsewhere = |_: &mut Expectation, transaction: &mut ObservedTransaction| {
        transaction.deltas = paid().deltas;
        delta_of(transaction, MERCHANT).account = SolanaAddress([9; 32]);
    };
    step(&arrived_elsewhere, "wrong_recipient");
    step(&|expected, transaction| (transaction.deltas, expected.transfers[1].amount) = (paid().deltas, minor(250_001)), "amount_mismatch");
    step(&|expected, _| expected.transfers[0].amount = minor(24_750_001), "amount_short");
    step(&|expected, _| expected.transfers = expectation().transfers, "wrong_payer");
    step(&|expected, _| expected.payer = None, "matched");
}

#[test]
fn whatever_is_matched_has_arrived_to_the_unit() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = move |bound: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % bound as u64) as usize
    };
    let owners = [MERCHANT, FEE_WALLET, PAYER, "11111111111111111111111111111112"].map(address);
    let mints = [programs::USDC_MINT, SolanaAddress([9; 32])];
    let amounts = [0, 1, -1, 250_000, 24_750_000, -25_000_000];
    let mut matched = 0;
    for _ in 0..20_000 {
        let mut transaction = paid();
        for _ in 0..below(3) {
            let (owner, mint) = (owners[below(4)], mints[below(2)]);
            let account = if below(2) == 0 { SolanaAddress([below(3) as u8; 32]) } else { transaction.deltas[0].account };
            transaction.deltas.push(TokenDelta { account, owner, mint, token_program: programs::TOKEN, delta: amounts[below(6)] });
        }
        if below(3) == 0 {
            transaction.deltas.remove(below(transaction.deltas.len()));
        }
        let Ok(payment) = compare(&expectation(), &transaction) else { continue };
        matched += 1;
        assert_eq!(payment.payer, address(PAYER));
        for (received, asked) in payment.received.iter().zip(expectation().transfers) {
            let of = |delta: &&TokenDelta| delta.owner == asked.owner && delta.mint == programs::USDC_MINT;
            let held: Vec<_> = transaction.deltas.iter().filter(of).collect();
            assert!(held.iter().all(|delta| delta.delta >= 0), "a recipient lost tokens: {held:?}");
            let arrived: i128 = held.iter().filter(|delta| delta.account == received.account).map(|delta| delta.delta).sum();
            assert_eq!((arrived, received.amount), (i128::from(asked.amount.units()), asked.amount));
        }
    }
    assert!(matched > 1000, "only {matched} were matched");
}
