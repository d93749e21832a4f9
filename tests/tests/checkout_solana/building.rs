//! Transactions that the service builds, signed by a key that it does not know, on a real chain; and SOL that arrives, or does not.

use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    money::Minor,
};
use hilt_tests::{
    chain::LocalSolana,
    solana_tx::{self, Instruction, Keypair, ata, sign_built},
};
use rails::solana::{
    build::{self, BuildError},
    currency::Currency,
    evidence::{Expectation, ExpectedTransfer, Matched, Mismatch, Observation, compare, observe},
    message::Transaction,
    programs,
};

const MERCHANT_PART: u64 = 199_800_000;
const FEE_PART: u64 = 1_000_000;
const MEMO: &str = "HILT:0123456789abcdef0123456789abcdef";

struct Scene {
    chain: LocalSolana,
    buyer: Keypair,
    merchant: Keypair,
    fee_wallet: SolanaAddress,
}

impl Scene {
    async fn set() -> Self {
        let chain = LocalSolana::start().await;
        let buyer = Keypair::generate();
        chain.fund(&buyer.address(), 1_000_000_000).await;
        Scene { chain, buyer, merchant: Keypair::generate(), fee_wallet: Keypair::generate().address() }
    }

    fn expectation(&self, currency: Currency) -> Expectation {
        let leg = |owner, units| ExpectedTransfer { owner, amount: Minor::new(units).unwrap() };
        let transfers = vec![leg(self.merchant.address(), MERCHANT_PART), leg(self.fee_wallet, FEE_PART)];
        Expectation { currency, memo: MEMO.into(), transfers, payer: Some(self.buyer.address()) }
    }

    async fn outcome(&self, currency: Currency, signature: &TxSignature) -> Result<Matched, Mismatch> {
        self.chain.wait_finalized(signature).await;
        match observe(&self.chain.rpc(), signature).await.unwrap() {
            Observation::Final(transaction) => compare(&self.expectation(currency), &transaction),
            other => panic!("not final: {other:?}"),
        }
    }

    /// What a payment in SOL of these instructions comes to, paid for by the first of `keypairs`.
    async fn code(&self, keypairs: &[&Keypair], instructions: &[Instruction]) -> &'static str {
        self.chain.airdrop(&self.buyer.address()).await;
        let signature = self.chain.submit(keypairs, instructions, false).await;
        self.outcome(Currency::Sol, &signature).await.map_or_else(|mismatch| mismatch.code(), |_| "matched")
    }
}

#[tokio::test]
async fn what_is_built_pays_exactly_what_was_asked_for() {
    let scene = Scene::set().await;
    let rpc = scene.chain.rpc();
    for (currency, decimals) in [(Currency::Token(programs::USDC_MINT), 6), (Currency::Sol, 9), (Currency::Token(programs::USDC_MINT), 6)] {
        let expected = scene.expectation(currency);
        let built = build::build(&rpc, &expected, scene.buyer.address(), decimals).await.unwrap();
        assert!(built.last_valid_block_height > 0);
        let signed = sign_built(&built.transaction, &scene.buyer);
        let parsed = Transaction::parse(&signed).unwrap();
        assert_eq!(parsed.message, built.message);
        assert_eq!(build::check_signed(&parsed, &expected, scene.buyer.address(), decimals), Ok(()));

        let signature = rpc.send_transaction(&signed).await.unwrap();
        assert_eq!(Some(signature), parsed.id());
        let matched = scene.outcome(currency, &signature).await.unwrap();
        let received: Vec<_> = matched.received.iter().map(|leg| (leg.owner, leg.amount.units())).collect();
        assert_eq!(received, [(scene.merchant.address(), MERCHANT_PART), (scene.fee_wallet, FEE_PART)]);
        assert_eq!(matched.payer, scene.buyer.address());
    }
    // The first payment made the two token accounts, the last one found them.
    assert_eq!(scene.chain.tokens(&scene.merchant.address(), &programs::USDC_MINT).await, 2 * MERCHANT_PART);
    assert_eq!(scene.chain.tokens(&scene.fee_wallet, &programs::USDC_MINT).await, 2 * FEE_PART);
    assert_eq!(scene.chain.lamports(&scene.merchant.address()).await, MERCHANT_PART);
    assert_eq!(scene.chain.lamports(&scene.fee_wallet).await, FEE_PART);
}

#[tokio::test]
async fn what_could_not_arrive_is_not_built() {
    let mut scene = Scene::set().await;
    let rpc = scene.chain.rpc();
    let payer = scene.buyer.address();
    let small = |currency| {
        let mut expected = scene.expectation(currency);
        expected.transfers[1].amount = Minor::new(200).unwrap();
        expected
    };
    // 200 lamports open no wallet, but they do arrive in one that is open.
    let refused = build::build(&rpc, &small(Currency::Sol), payer, 9).await.unwrap_err();
    assert!(matches!(refused, BuildError::BelowRent { owner, amount: 200, minimum: 890_880 } if owner == scene.fee_wallet), "{refused}");
    scene.chain.airdrop(&scene.fee_wallet).await;
    build::build(&rpc, &small(Currency::Sol), payer, 9).await.unwrap();
    build::build(&rpc, &small(Currency::Token(programs::USDC_MINT)), payer, 6).await.unwrap();

    let own = build::build(&rpc, &scene.expectation(Currency::Sol), scene.merchant.address(), 9).await.unwrap_err();
    assert_eq!(own, BuildError::SelfTransfer { owner: scene.merchant.address() });

    // The merchant's token account handed to another wallet: tokens sent there would be the other's.
    let usdc = Currency::Token(programs::USDC_MINT);
    scene.chain.fund_token(&scene.merchant.address(), &programs::USDC_MINT, 1).await;
    scene.chain.hand_over(&scene.merchant.address(), &programs::USDC_MINT, &payer).await;
    let refused = build::build(&rpc, &scene.expectation(usdc), payer, 6).await.unwrap_err();
    assert_eq!(refused, BuildError::UnusableAccount { owner: scene.merchant.address() });
    scene.chain.stop().await;
    assert!(matches!(build::build(&rpc, &scene.expectation(usdc), payer, 6).await, Err(BuildError::Chain(_))));
}

#[tokio::test]
async fn sol_is_counted_in_the_wallets_themselves() {
    let scene = Scene::set().await;
    let (buyer, merchant) = (scene.buyer.address(), scene.merchant.address());
    for wallet in [merchant, scene.fee_wallet] {
        scene.chain.airdrop(&wallet).await;
    }
    let sol = |to, lamports| solana_tx::transfer_sol(buyer, to, lamports);
    let memo = || solana_tx::memo(MEMO);
    let pays = || vec![sol(merchant, MERCHANT_PART), sol(scene.fee_wallet, FEE_PART), memo()];
    let stranger = Keypair::generate().address();
    let by_buyer = [&scene.buyer];
    assert_eq!(scene.code(&by_buyer, &pays()).await, "matched");
    // The merchant pays the network's fee: that is no part of what he received.
    assert_eq!(scene.code(&[&scene.merchant, &scene.buyer], &pays()).await, "matched");
    // In two parts, which the balances add up.
    let parts = [sol(merchant, 1), sol(scene.fee_wallet, FEE_PART), sol(merchant, MERCHANT_PART - 1), memo()];
    assert_eq!(scene.code(&by_buyer, &parts).await, "matched");

    let changed = |instruction: Instruction, place: usize| {
        let mut instructions = pays();
        instructions[place] = instruction;
        instructions
    };
    for (code, instructions) in [
        ("amount_short", changed(sol(merchant, MERCHANT_PART - 1), 0)),
        ("amount_short", changed(sol(scene.fee_wallet, FEE_PART - 1), 1)),
        ("amount_short", vec![sol(merchant, MERCHANT_PART), memo()]),
        ("amount_mismatch", changed(sol(merchant, MERCHANT_PART + 1), 0)),
        ("wrong_recipient", changed(sol(stranger, MERCHANT_PART), 0)),
        ("memo_missing", pays()[..2].to_vec()),
        ("wrong_memo", changed(solana_tx::memo("HILT:other"), 2)),
        ("no_transfer", vec![sol(buyer, MERCHANT_PART), memo()]),
    ] {
        assert_eq!(scene.code(&by_buyer, &instructions).await, code);
    }
    let own = [solana_tx::transfer_sol(merchant, merchant, MERCHANT_PART), sol(scene.fee_wallet, FEE_PART), memo()];
    assert_eq!(scene.code(&[&scene.buyer, &scene.merchant], &own).await, "self_transfer");
    let another = Keypair::generate();
    scene.chain.airdrop(&another.address()).await;
    let of_another = [
        solana_tx::transfer_sol(another.address(), merchant, MERCHANT_PART),
        solana_tx::transfer_sol(another.address(), scene.fee_wallet, FEE_PART),
        memo(),
    ];
    assert_eq!(scene.code(&[&another], &of_another).await, "wrong_payer");
}

#[tokio::test]
async fn wrapped_sol_and_failed_transactions_pay_nothing() {
    let scene = Scene::set().await;
    let (buyer, merchant) = (scene.buyer.address(), scene.merchant.address());
    let wrapped = programs::NATIVE_MINT;
    scene.chain.create_mint_at(&wrapped, 9).await;
    for wallet in [buyer, merchant, scene.fee_wallet] {
        scene.chain.fund_token(&wallet, &wrapped, 500_000_000).await;
    }
    let token = |to, amount| solana_tx::transfer_checked(ata(&buyer, &wrapped), wrapped, ata(&to, &wrapped), buyer, amount, 9);
    let pays = [token(merchant, MERCHANT_PART), token(scene.fee_wallet, FEE_PART), solana_tx::memo(MEMO)];
    assert_eq!(scene.code(&[&scene.buyer], &pays).await, "wrong_mint");

    let too_much = [solana_tx::transfer_sol(buyer, merchant, 900_000_000_000), solana_tx::memo(MEMO)];
    let failed = scene.chain.submit(&[&scene.buyer], &too_much, true).await;
    scene.chain.wait_finalized(&failed).await;
    assert!(matches!(observe(&scene.chain.rpc(), &failed).await.unwrap(), Observation::Failed { .. }));
}
