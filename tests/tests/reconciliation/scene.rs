//! A merchant whose buyers have paid on a local chain, and statements made from the chain's own answers.

use crate::shop::{Shop, events_of_type, legs, memo};
use api::http::jwt::Role;
use events::{
    clock::new_id,
    log::{Append, Context, Expected, NewEvent, StreamWrite},
    vocab::{
        bytes::SolanaAddress,
        event::Event,
        id::StatementId,
        stream::{Actor, Category, StreamId},
    },
};
use hilt_tests::{
    app::{Answer, TestApp},
    chain::{LocalSolana, PayRequest},
    solana_tx::{Keypair, ata},
};
use rails::solana::programs::USDC_MINT;
use reqwest::Method;
use serde_json::{Value, json};

/// Where tests' fees go.
pub const FEE_WALLET: &str = "11111111111111111111111111111112";

pub struct Scene {
    pub chain: LocalSolana,
    pub app: TestApp,
    pub shop: Shop,
    /// The merchant's wallet.
    pub merchant: SolanaAddress,
}

/// What a file is said to be a statement of.
#[derive(Clone)]
pub struct Asked {
    pub source: String,
    pub account: String,
    pub asset: String,
    pub from: String,
    pub to: String,
    pub format: String,
}

impl Asked {
    /// All of a wallet's USDC, as a node tells of it. From 1970 on: the local chain's node says a thousandth of a transaction's time.
    pub fn of(wallet: &SolanaAddress) -> Self {
        Asked {
            source: "solana_usdc".to_owned(),
            account: wallet.to_string(),
            asset: "USDC".to_owned(),
            from: "1970-01-01T00:00:00Z".to_owned(),
            to: "2100-01-01T00:00:00Z".to_owned(),
            format: "solana_rpc".to_owned(),
        }
    }

    pub fn path(&self) -> String {
        let Asked { source, account, asset, from, to, format } = self;
        let query = format!("source={source}&account={account}&asset={asset}&from={from}&to={to}&format={format}");
        format!("/v1/admin/access/reconciliation/statements?{query}")
    }
}

impl Scene {
    /// After so many payments.
    pub async fn start(payments: usize) -> Self {
        let chain = LocalSolana::start().await;
        let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &chain.rpc_url)]).await;
        let shop = Shop::open(&app).await;
        let mut scene = Scene { chain, app, shop, merchant: SolanaAddress([0; 32]) };
        for n in 0..payments {
            scene.pay(&format!("cust_{n}")).await;
        }
        scene
    }

    /// One more customer pays, and gets access.
    pub async fn pay(&mut self, customer: &str) {
        let buyer = Keypair::generate();
        self.chain.airdrop(&buyer.address()).await;
        self.chain.fund(&buyer.address(), 100_000_000).await;
        let session = self.shop.session(&self.app, customer).await;
        let requirement = &session["payment_session"]["payment_requirement"];
        self.merchant = legs(requirement)[0].0;
        let tx = self.chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
        self.chain.wait_finalized(&tx).await;
        self.shop.until_access(&self.app, customer).await;
    }

    /// What the chain's node says of every transaction of the wallet's USDC.
    pub async fn statement_of(&self, wallet: &SolanaAddress) -> Vec<u8> {
        let account = ata(wallet, &USDC_MINT).to_string();
        let signatures = self.chain.call("getSignaturesForAddress", json!([account, {"commitment": "finalized"}])).await;
        let mut transactions = Vec::new();
        for found in signatures.as_array().expect("a list of signatures") {
            let options = json!({"encoding": "json", "commitment": "finalized", "maxSupportedTransactionVersion": 0});
            transactions.push(self.chain.call("getTransaction", json!([found["signature"], options])).await);
        }
        serde_json::to_vec(&transactions).unwrap()
    }

    /// Staff bring a file.
    pub async fn import(&self, asked: &Asked, file: &[u8]) -> Answer {
        let staff = self.app.token_of("staff-1", Role::Staff, None).await;
        self.app.send(self.app.request(Method::POST, &asked.path()).bearer_auth(staff).body(file.to_vec())).await
    }

    /// Appends what no decider allows, as whoever may write to the log could.
    pub async fn append_forged(&self, id: StatementId, events: Vec<Event>) {
        let new = |event| NewEvent { event_id: new_id(), event, personal: None, causation_id: None };
        let events = events.into_iter().map(new).collect();
        let writes = vec![StreamWrite { stream: StreamId::new(Category::Statement, id), expected: Expected::NoStream, events }];
        let context =
            Context { owner_id: None, livemode: true, actor: Actor::system("forger"), request_id: None, correlation_id: new_id() };
        self.app.state.log.append(Append { context, writes, idempotency: None }).await.expect("the log takes it");
    }

    /// A list of a statement's entries.
    pub async fn items(&self, statement: &Value, query: &str) -> Value {
        let auditor = self.app.token(Role::Auditor, None).await;
        let id = statement["statement_id"].as_str().unwrap();
        let path = format!("/v1/admin/access/reconciliation/statements/{id}/items{query}");
        self.app.send(self.app.request(Method::GET, &path).bearer_auth(auditor)).await.ok()
    }
}

/// Lets a transaction have brought the wallet so much more.
pub fn receive(transaction: &mut Value, wallet: &SolanaAddress, more: i64) {
    let balances = transaction["meta"]["postTokenBalances"].as_array_mut().unwrap();
    let balance = balances.iter_mut().find(|balance| balance["owner"] == json!(wallet.to_string())).expect("it has the token");
    let amount: i64 = balance["uiTokenAmount"]["amount"].as_str().unwrap().parse().unwrap();
    balance["uiTokenAmount"]["amount"] = json!((amount + more).to_string());
}

/// How many statements the log holds.
pub async fn statements_on_record(app: &TestApp) -> usize {
    events_of_type(app, "statement.imported").await.len()
}

/// The statement's total, the log's, and the difference; which is also what is unmatched.
#[track_caller]
pub fn sums(sums: &Value) -> [i64; 3] {
    let units = |value: &Value| value.as_str().unwrap().parse::<i64>().unwrap();
    let of = |status: &str, side: &str| units(&sums[status][side]);
    let [statement, ledger, difference] =
        ["statement_total", "ledger_total", "difference"].map(|name| units(&sums[format!("{name}_minor_units").as_str()]));
    assert_eq!(statement - ledger, difference);
    let alone = of("statement_only", "statement_minor_units") - of("ledger_only", "ledger_minor_units");
    assert_eq!(alone + of("different", "statement_minor_units") - of("different", "ledger_minor_units"), difference, "{sums}");
    assert_eq!(of("matched", "statement_minor_units"), of("matched", "ledger_minor_units"));
    [statement, ledger, difference]
}
