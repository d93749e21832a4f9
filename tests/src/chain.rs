//! A real Solana chain on this machine, one a test, that dies with the test.

use crate::solana_tx::{self, AccountMeta, Instruction, Keypair, Message, Version, ata};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::vocab::bytes::{SolanaAddress, TxSignature};
use rails::solana::{
    programs,
    rpc::{Commitment, Rpc, RpcConfig, SignatureStatus},
};
use serde_json::{Value, json};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const USDC_DECIMALS: u8 = 6;
const PATIENCE: Duration = Duration::from_secs(30);

/// A running chain with mainnet's USDC mint.
pub struct LocalSolana {
    /// Its JSON-RPC address.
    pub rpc_url: String,
    http: reqwest::Client,
    // Dropping it ends the chain.
    node: Child,
}

/// How the tokens are moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransferKind {
    /// TransferChecked, as wallets do.
    Checked,
    /// Transfer, which names no mint.
    Plain,
    /// TransferChecked inside a batch instruction, which nodes do not parse.
    Batch,
}

/// A payment to make.
#[derive(Clone)]
pub struct PayRequest<'a> {
    /// Who pays, and signs.
    pub payer: &'a Keypair,
    /// Who pays the network's fee, if not the payer.
    pub fee_payer: Option<&'a Keypair>,
    /// Wallets and minor units.
    pub transfers: Vec<(SolanaAddress, u64)>,
    /// The token.
    pub mint: SolanaAddress,
    /// The memo.
    pub memo: Option<String>,
    /// A Solana Pay reference key, added to every transfer's accounts so that the payment can be found by it.
    pub reference: Option<SolanaAddress>,
    /// How.
    pub kind: TransferKind,
    /// The form of the transaction.
    pub version: Version,
    /// Send it although it is bound to fail, so that the failure is on chain.
    pub skip_preflight: bool,
}

impl<'a> PayRequest<'a> {
    /// A USDC payment as a wallet makes it.
    pub fn usdc(payer: &'a Keypair, transfers: &[(SolanaAddress, u64)], memo: &str) -> Self {
        PayRequest {
            payer,
            fee_payer: None,
            transfers: transfers.to_vec(),
            mint: programs::USDC_MINT,
            memo: Some(memo.to_owned()),
            reference: None,
            kind: TransferKind::Checked,
            version: Version::Legacy,
            skip_preflight: false,
        }
    }

    /// The instructions: token accounts of the recipients, transfers, memo.
    pub fn instructions(&self) -> Vec<Instruction> {
        let payer = self.payer.address();
        let funder = self.fee_payer.unwrap_or(self.payer).address();
        let source = ata(&payer, &self.mint);
        let mut instructions: Vec<_> = self.transfers.iter().map(|(owner, _)| solana_tx::create_ata(funder, *owner, self.mint)).collect();
        let transfers = self.transfers.iter().map(|(owner, amount)| {
            let to = ata(owner, &self.mint);
            let mut transfer = match self.kind {
                TransferKind::Plain => solana_tx::transfer_plain(source, to, payer, *amount),
                _ => solana_tx::transfer_checked(source, self.mint, to, payer, *amount, USDC_DECIMALS),
            };
            transfer.accounts.extend(self.reference.map(|address| AccountMeta { address, signer: false, writable: false }));
            transfer
        });
        match self.kind {
            TransferKind::Batch => instructions.push(solana_tx::batch(&transfers.collect::<Vec<_>>())),
            _ => instructions.extend(transfers),
        }
        instructions.extend(self.memo.as_deref().map(solana_tx::memo));
        instructions
    }
}

impl LocalSolana {
    /// Starts a chain. Needs Node.js, and `npm ci` done in `tests/chain`.
    pub async fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("chain");
        assert!(folder.join("node_modules").is_dir(), "run `npm ci` in tests/chain first");
        let mut node = Command::new("node")
            .arg("solana.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let mut lines = BufReader::new(node.stdout.take().expect("stdout is piped")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("the chain starts in time");
        let line = line.expect("the chain's output is text").expect("the chain starts");
        // Were the pipe closed, the node would die of its next line.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let ready: Value = serde_json::from_str(&line).expect("the first line is JSON");
        let rpc_url = ready["rpcUrl"].as_str().expect("the first line names rpcUrl").to_owned();
        LocalSolana { rpc_url, http: http_client(), node }
    }

    /// A client of this chain as the service has it.
    pub fn rpc(&self) -> Rpc {
        Rpc::new(self.http.clone(), RpcConfig::new(self.rpc_url.parse().expect("the chain's address is a URL")))
    }

    /// Sets the USDC balance of `owner` and gives it SOL for network fees.
    pub async fn fund(&self, owner: &SolanaAddress, amount: u64) {
        self.fund_token(owner, &programs::USDC_MINT, amount).await;
        self.airdrop(owner).await;
    }

    /// Sets the balance of `owner` in any token.
    pub async fn fund_token(&self, owner: &SolanaAddress, mint: &SolanaAddress, amount: u64) {
        self.call("surfnet_setTokenAccount", json!([owner.to_string(), mint.to_string(), { "amount": amount }])).await;
    }

    /// Gives `owner` one SOL.
    pub async fn airdrop(&self, owner: &SolanaAddress) {
        let lamports = 1_000_000_000_u64;
        self.call("surfnet_setAccount", json!([owner.to_string(), { "lamports": lamports }])).await;
    }

    /// Makes another token with six decimals.
    pub async fn create_mint(&self) -> SolanaAddress {
        let mint = Keypair::generate().address();
        self.create_mint_at(&mint, USDC_DECIMALS).await;
        mint
    }

    /// Makes a token at that address.
    pub async fn create_mint_at(&self, mint: &SolanaAddress, decimals: u8) {
        let mut data = [0_u8; 82];
        data[36..44].copy_from_slice(&1_000_000_000_000_u64.to_le_bytes());
        data[44] = decimals;
        data[45] = 1;
        let account = json!({ "lamports": 1_461_600, "data": hex::encode(data), "owner": programs::TOKEN.to_string() });
        self.call("surfnet_setAccount", json!([mint.to_string(), account])).await;
    }

    /// Gives the token account of `owner` to another wallet, as its owner could.
    pub async fn hand_over(&self, owner: &SolanaAddress, mint: &SolanaAddress, to: &SolanaAddress) {
        let address = ata(owner, mint);
        let accounts = self.rpc().accounts(&[address]).await.expect("the chain answers");
        let mut account = accounts[0].clone().expect("there is an account to hand over");
        account.data[32..64].copy_from_slice(&to.0);
        let changed = json!({ "lamports": account.lamports, "data": hex::encode(account.data), "owner": account.owner.to_string() });
        self.call("surfnet_setAccount", json!([address.to_string(), changed])).await;
    }

    /// Ends the chain: nobody answers any more.
    pub async fn stop(&mut self) {
        self.node.kill().await.expect("the chain ends");
    }

    /// Builds, signs and sends a payment.
    pub async fn pay(&self, request: PayRequest<'_>) -> TxSignature {
        let mut keypairs = vec![request.payer];
        keypairs.extend(request.fee_payer);
        let fee_payer = request.fee_payer.unwrap_or(request.payer).address();
        let message = Message::compile(request.version, fee_payer, self.blockhash().await, &request.instructions());
        self.send(&message.sign(&keypairs), request.skip_preflight).await
    }

    /// Signs and sends any instructions; the first key pair pays the network.
    pub async fn submit(&self, keypairs: &[&Keypair], instructions: &[Instruction], skip_preflight: bool) -> TxSignature {
        let message = Message::compile(Version::Legacy, keypairs[0].address(), self.blockhash().await, instructions);
        self.send(&message.sign(keypairs), skip_preflight).await
    }

    /// What a wallet holds in SOL, as a supermajority has it.
    pub async fn lamports(&self, owner: &SolanaAddress) -> u64 {
        let answer = self.call("getBalance", json!([owner.to_string(), { "commitment": "confirmed" }])).await;
        answer["value"].as_u64().expect("a balance is a number")
    }

    /// What a wallet holds of a token; 0 without an account for it.
    pub async fn tokens(&self, owner: &SolanaAddress, mint: &SolanaAddress) -> u64 {
        let accounts = self.rpc().accounts(&[ata(owner, mint)]).await.expect("the chain answers");
        let held = accounts[0].as_ref().and_then(|account| account.data.get(64..72)?.try_into().ok());
        held.map_or(0, u64::from_le_bytes)
    }

    /// A recent blockhash.
    pub async fn blockhash(&self) -> [u8; 32] {
        let answer = self.call("getLatestBlockhash", json!([])).await;
        answer["value"]["blockhash"].as_str().and_then(|text| text.parse::<SolanaAddress>().ok()).expect("a blockhash is 32 bytes").0
    }

    /// Sends a signed transaction.
    pub async fn send(&self, transaction: &[u8], skip_preflight: bool) -> TxSignature {
        let options = json!({ "encoding": "base64", "skipPreflight": skip_preflight });
        let answer = self.call("sendTransaction", json!([STANDARD.encode(transaction), options])).await;
        answer.as_str().and_then(|text| text.parse().ok()).expect("sending answers with the signature")
    }

    /// Waits until the chain has finalized a transaction, failed ones too.
    pub async fn wait_finalized(&self, signature: &TxSignature) -> SignatureStatus {
        self.wait_for(signature, Commitment::Finalized).await
    }

    /// Waits until a transaction is settled at least so far.
    pub async fn wait_for(&self, signature: &TxSignature, commitment: Commitment) -> SignatureStatus {
        // However long an answer takes: what is waited for is the transaction.
        let url = self.rpc_url.parse().expect("the chain's address is a URL");
        let rpc = Rpc::new(self.http.clone(), RpcConfig { timeout: PATIENCE, ..RpcConfig::new(url) });
        let reached = async {
            loop {
                let status = rpc.signature_status(signature).await.expect("the chain answers");
                if let Some(status) = status.filter(|status| status.confirmation_status >= Some(commitment)) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("the transaction settles in time")
    }

    /// Any JSON-RPC call; panics on an error answer.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.http.post(&self.rpc_url).json(&question).send().await.expect("the chain answers");
        let mut answer: Value = answer.json().await.expect("the chain answers with JSON");
        assert!(answer.get("error").is_none_or(Value::is_null), "{method}: {}", answer["error"]);
        answer["result"].take()
    }
}

/// An HTTP client as the service has it.
pub fn http_client() -> reqwest::Client {
    // A second installation in one process is refused, and the first serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}
