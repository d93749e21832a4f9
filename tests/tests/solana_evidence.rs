//! Real payments on a real chain: what the evidence says of a correct one and of every wrong one.

use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    money::Minor,
};
use hilt_tests::{
    chain::{LocalSolana, PayRequest, TransferKind, http_client},
    rpc_proxy::{Reply, RpcProxy, hold_at_confirmed},
    solana_tx::{Keypair, Version, ata},
};
use rails::solana::{
    Network,
    currency::Currency,
    evidence::{Expectation, ExpectedTransfer, Mismatch, Observation, compare, observe},
    programs,
    rpc::{Commitment, Page, Rpc, RpcConfig, Unavailable},
    transfer::ObservedTransaction,
};
use std::time::Duration;

const MERCHANT_PART: u64 = 24_750_000;
const FEE_PART: u64 = 250_000;
const MEMO: &str = "HILT:7f9c1d";

/// A chain, a funded buyer, and what a session asks of it.
struct Scene {
    chain: LocalSolana,
    buyer: Keypair,
    merchant: SolanaAddress,
    fee_wallet: SolanaAddress,
}

impl Scene {
    async fn set() -> Self {
        let chain = LocalSolana::start().await;
        let buyer = Keypair::generate();
        chain.fund(&buyer.address(), 1_000_000_000).await;
        Scene { chain, buyer, merchant: Keypair::generate().address(), fee_wallet: Keypair::generate().address() }
    }

    fn expectation(&self) -> Expectation {
        let leg = |owner, units| ExpectedTransfer { owner, amount: Minor::new(units).unwrap() };
        let transfers = vec![leg(self.merchant, MERCHANT_PART), leg(self.fee_wallet, FEE_PART)];
        Expectation { currency: Currency::Token(programs::USDC_MINT), memo: MEMO.into(), transfers, payer: Some(self.buyer.address()) }
    }

    fn payment(&self) -> PayRequest<'_> {
        PayRequest::usdc(&self.buyer, &[(self.merchant, MERCHANT_PART), (self.fee_wallet, FEE_PART)], MEMO)
    }

    async fn finalized(&self, signature: &TxSignature) -> ObservedTransaction {
        self.chain.wait_finalized(signature).await;
        match observe(&self.chain.rpc(), signature).await.unwrap() {
            Observation::Final(transaction) => transaction,
            other => panic!("not final: {other:?}"),
        }
    }

    /// Pays, waits for finality, and compares with what the session asks.
    async fn outcome(&self, request: PayRequest<'_>) -> Result<(), &'static str> {
        let transaction = self.finalized(&self.chain.pay(request).await).await;
        compare(&self.expectation(), &transaction).map(drop).map_err(|mismatch| mismatch.code())
    }

    fn rpc_through(&self, proxy: &RpcProxy) -> Rpc {
        let quick = Duration::from_millis(10);
        let config =
            RpcConfig { timeout: Duration::from_millis(500), attempts: 3, backoff: quick, ..RpcConfig::new(proxy.url.parse().unwrap()) };
        Rpc::new(http_client(), config)
    }
}

#[tokio::test]
async fn a_correct_payment_in_every_form_is_matched() {
    let scene = Scene::set().await;
    let sponsor = Keypair::generate();
    scene.chain.airdrop(&sponsor.address()).await;
    let forms = [
        scene.payment(),
        PayRequest { version: Version::V0, ..scene.payment() },
        PayRequest { kind: TransferKind::Plain, ..scene.payment() },
        PayRequest { kind: TransferKind::Batch, ..scene.payment() },
        PayRequest { fee_payer: Some(&sponsor), ..scene.payment() },
        PayRequest { reference: Some(Keypair::generate().address()), ..scene.payment() },
    ];
    for request in forms {
        let transaction = scene.finalized(&scene.chain.pay(request).await).await;
        let matched = compare(&scene.expectation(), &transaction).unwrap();
        assert_eq!((matched.payer, matched.slot), (scene.buyer.address(), transaction.slot));
        let received: Vec<_> = matched.received.iter().map(|received| (received.account, received.amount.units())).collect();
        let account = |owner| ata(owner, &programs::USDC_MINT);
        assert_eq!(received, [(account(&scene.merchant), MERCHANT_PART), (account(&scene.fee_wallet), FEE_PART)]);
    }
}

#[tokio::test]
async fn every_wrong_payment_is_refused_with_its_own_code() {
    let scene = Scene::set().await;
    let stranger = Keypair::generate();
    let other_mint = scene.chain.create_mint().await;
    scene.chain.fund(&stranger.address(), 1_000_000_000).await;
    scene.chain.fund_token(&scene.buyer.address(), &other_mint, 1_000_000_000).await;
    let legs = |merchant, fee| vec![(scene.merchant, merchant), (scene.fee_wallet, fee)];
    let cases = [
        ("amount_short", PayRequest { transfers: legs(MERCHANT_PART - 1, FEE_PART), ..scene.payment() }),
        ("amount_short", PayRequest { transfers: vec![(scene.merchant, MERCHANT_PART)], ..scene.payment() }),
        ("amount_mismatch", PayRequest { transfers: legs(MERCHANT_PART, FEE_PART + 1), ..scene.payment() }),
        ("wrong_mint", PayRequest { mint: other_mint, ..scene.payment() }),
        ("wrong_memo", PayRequest { memo: Some("HILT:another".into()), ..scene.payment() }),
        ("memo_missing", PayRequest { memo: None, ..scene.payment() }),
        ("wrong_payer", PayRequest { payer: &stranger, ..scene.payment() }),
        ("wrong_recipient", PayRequest { transfers: vec![(stranger.address(), MERCHANT_PART + FEE_PART)], ..scene.payment() }),
        ("no_transfer", PayRequest { transfers: Vec::new(), ..scene.payment() }),
    ];
    for (code, request) in cases {
        assert_eq!(scene.outcome(request).await, Err(code));
    }
    assert_eq!(scene.outcome(scene.payment()).await, Ok(()), "the refusals did not spoil the payment");
}

#[tokio::test]
async fn a_merchant_that_pays_itself_has_not_been_paid() {
    let mut scene = Scene::set().await;
    scene.merchant = scene.buyer.address();
    assert_eq!(scene.outcome(scene.payment()).await, Err("self_transfer"));
}

#[tokio::test]
async fn a_failed_payment_is_final_and_failed() {
    let scene = Scene::set().await;
    let beyond_means = vec![(scene.merchant, 2_000_000_000)];
    let signature = scene.chain.pay(PayRequest { transfers: beyond_means, skip_preflight: true, ..scene.payment() }).await;
    scene.chain.wait_finalized(&signature).await;
    let observed = observe(&scene.chain.rpc(), &signature).await.unwrap();
    assert!(matches!(&observed, Observation::Failed { err, .. } if err.contains("InstructionError")), "{observed:?}");

    let raw = scene.chain.rpc().transaction(&signature, Commitment::Finalized).await.unwrap().unwrap();
    let transaction = rails::solana::transfer::parse(&raw).unwrap();
    assert!(matches!(compare(&scene.expectation(), &transaction), Err(Mismatch::TxFailed { .. })));
}

#[tokio::test]
async fn a_payment_is_unknown_then_pending_then_final() {
    let scene = Scene::set().await;
    let proxy = RpcProxy::start(&scene.chain.rpc_url).await;
    let rpc = scene.rpc_through(&proxy);
    assert_eq!(observe(&rpc, &TxSignature([7; 64])).await.unwrap(), Observation::NotFound);

    proxy.set_rule(hold_at_confirmed);
    let signature = scene.chain.pay(scene.payment()).await;
    scene.chain.wait_finalized(&signature).await;
    let observed = observe(&rpc, &signature).await.unwrap();
    assert!(matches!(observed, Observation::Pending { commitment: Commitment::Confirmed, confirmations: Some(10), .. }), "{observed:?}");
    assert_eq!(proxy.calls("getTransaction"), 0, "what may still be reverted is not read");

    proxy.clear_rule();
    let Observation::Final(transaction) = observe(&rpc, &signature).await.unwrap() else { panic!("not final") };
    compare(&scene.expectation(), &transaction).unwrap();
}

#[tokio::test]
async fn a_node_that_cannot_be_trusted_gives_no_observation() {
    let scene = Scene::set().await;
    let signature = scene.chain.pay(scene.payment()).await;
    scene.chain.wait_finalized(&signature).await;
    let proxy = RpcProxy::start(&scene.chain.rpc_url).await;
    let rpc = scene.rpc_through(&proxy);
    rpc.network().await.unwrap();
    let reason = async || observe(&rpc, &signature).await.unwrap_err().reason;

    proxy.set_rule(|_| Reply::Status(503));
    assert_eq!(reason().await, Unavailable::Status(503));
    assert_eq!(proxy.calls("getSignatureStatuses"), 3, "a transient fault is asked again, a bounded number of times");
    proxy.set_rule(|_| Reply::Status(401));
    assert_eq!(reason().await, Unavailable::Status(401));
    assert_eq!(proxy.calls("getSignatureStatuses"), 4, "a refusal is not asked again");
    proxy.set_rule(|_| Reply::Status(429));
    assert_eq!(reason().await, Unavailable::RateLimited);
    proxy.set_rule(|_| Reply::Break);
    assert!(matches!(reason().await, Unavailable::Transport(_)));
    proxy.set_rule(|_| Reply::Hang);
    assert_eq!(reason().await, Unavailable::Transport("no answer in time"));
    proxy.set_rule(|_| Reply::Text("<html>maintenance</html>"));
    assert!(matches!(reason().await, Unavailable::Malformed(_)));
    proxy.set_rule(|_| Reply::Answer(serde_json::json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32005, "message": "behind" } })));
    assert_eq!(reason().await, Unavailable::Unhealthy(-32005));
    assert_eq!(rpc.health().await.unwrap_err().reason, Unavailable::Unhealthy(-32005));

    proxy.clear_rule();
    rpc.health().await.unwrap();
    assert!(matches!(observe(&rpc, &signature).await, Ok(Observation::Final(_))));
}

#[tokio::test]
async fn contradictory_answers_are_no_evidence() {
    let scene = Scene::set().await;
    let signature = scene.chain.pay(scene.payment()).await;
    scene.chain.wait_finalized(&signature).await;
    let proxy = RpcProxy::start(&scene.chain.rpc_url).await;
    let rpc = scene.rpc_through(&proxy);
    type Alteration = fn(&mut serde_json::Value);
    let alterations: [(&str, Alteration); 4] = [
        ("not there", |result| *result = serde_json::Value::Null),
        ("another transaction", |result| result["transaction"]["signatures"][0] = TxSignature([7; 64]).to_string().into()),
        ("another slot", |result| result["slot"] = 1.into()),
        ("failure", |result| result["meta"]["err"] = "AccountInUse".into()),
    ];
    for (says, alter) in alterations {
        proxy.set_rule(move |mut exchange| {
            if exchange.method == "getTransaction" {
                alter(&mut exchange.answer["result"]);
            }
            Reply::Answer(exchange.answer)
        });
        let error = observe(&rpc, &signature).await.unwrap_err();
        assert!(matches!(error.reason, Unavailable::Contradiction(_)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_node_on_another_cluster_is_not_believed() {
    let scene = Scene::set().await;
    let url = scene.chain.rpc_url.parse().unwrap();
    let config = RpcConfig { expected_network: Some(Network::mainnet()), ..RpcConfig::new(url) };
    let error = observe(&Rpc::new(http_client(), config), &TxSignature([7; 64])).await.unwrap_err();
    assert!(matches!(error.reason, Unavailable::WrongNetwork { .. }), "{error}");
}

#[tokio::test]
async fn payments_are_found_by_the_merchants_token_account_and_by_reference() {
    let scene = Scene::set().await;
    let reference = Keypair::generate().address();
    let first = scene.chain.pay(PayRequest { reference: Some(reference), ..scene.payment() }).await;
    scene.chain.wait_finalized(&first).await;
    let second = scene.chain.pay(PayRequest { memo: Some("HILT:second".into()), ..scene.payment() }).await;
    scene.chain.wait_finalized(&second).await;
    let account = ata(&scene.merchant, &programs::USDC_MINT);
    let page = Page { before: None, until: None, limit: 10, commitment: Commitment::Finalized };
    let rpc = scene.chain.rpc();
    let found = async |address: &SolanaAddress, page: &Page| -> Vec<_> {
        rpc.signatures_for_address(address, page).await.unwrap().into_iter().map(|info| info.signature).collect()
    };
    let signatures = async |page: &Page| found(&account, page).await;
    assert_eq!(found(&reference, &page).await, [first]);
    assert_eq!(signatures(&page).await, [second, first]);
    assert_eq!(signatures(&Page { until: Some(first), ..page.clone() }).await, [second]);
    assert_eq!(signatures(&Page { before: Some(second), ..page.clone() }).await, [first]);
    assert_eq!(signatures(&Page { limit: 1, ..page }).await, [second]);
    let network = rpc.network().await.unwrap();
    assert_eq!(network.transfer_id(&first), format!("{network}:{first}"));
}
