//! RT-037: a receipt of a transaction that the merchant names. It burns a credit, once a transaction, and has no effect on payments or
//! access (INV-74, INV-93).

use super::{context, input};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Body,
        fresh::{Fresh, MinPosition},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{
        plans::OwnerPlans,
        read_receipt::{self, FullReceipt},
    },
    state::{Settings, State},
};
use axum::{extract::State as Part, response::Response};
use events::{
    claims::Claim,
    clock::Clock,
    log::Log,
    unit::Unit,
    vault::{KeyPurpose, Vault},
    vocab::{
        bytes::{Hash32, SolanaAddress, TxSignature},
        id::{OwnerId, ReceiptId},
        money::Minor,
        stream::{Category, StreamId},
    },
};
use ledger::{
    credits::{self, Credits},
    receipt::{self, CreateManual, ManualFacts, Receipt, manual_canonical_bytes, manual_receipt_id},
};
use projections::Reader;
use rails::solana::{
    claimed::{Claimed, contradiction},
    currency::Currency,
    evidence::{self, Observation},
};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::settle::{SettleError, Settler};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create))
}

/// A transaction, as the merchant describes it.
#[derive(Deserialize, ToSchema)]
struct NewReceipt {
    /// The transaction's signature, base58.
    tx_sig: String,
    /// Who paid.
    wallet: Option<String>,
    /// Who was paid.
    counterparty_wallet: Option<String>,
    /// The token's mint; So11111111111111111111111111111111111111112 for SOL itself.
    token_mint: Option<String>,
    /// What was paid, in minor units.
    #[schema(example = 200_000)]
    amount_raw: Option<u64>,
    /// The transaction's memo, if it has one: letters, digits and `: . _ -`.
    #[schema(example = "HILT:nonce")]
    memo: Option<String>,
}

/// Make a receipt
///
/// Of a transaction that no checkout made: signed like any receipt, marked `merchant_submitted`, and compared with the chain. It burns a
/// credit. A transaction that has a receipt, from a checkout or made before, is answered with that one, and nothing is burned.
#[utoipa::path(post, path = "/v1/receipt", tag = "receipts", operation_id = "create_receipt", request_body = NewReceipt,
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 201, description = "The receipt", body = FullReceipt),
        (status = 200, description = "The receipt that the transaction has", body = FullReceipt),
        (status = 402, description = "No credits are left: `insufficient_credits`"), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn create(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settler): Part<Settler>,
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(settings): Part<Arc<Settings>>,
    Part(plans): Part<OwnerPlans>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<NewReceipt>,
) -> Result<Response, Problem> {
    let described = Described::parse(&asked)?;
    let owner = merchant.owner;
    let operation = Operation { owner, name: "POST /v1/receipt".into(), key, request_hash: hash };
    // The chain is asked before anything is decided, and only where there is something to decide.
    let seen_in_slot = match existing(&log, owner, &described.tx).await? {
        Some(_) => None,
        None => look(&settler, &described).await?,
    };
    let draft = || async {
        let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
        if let Some(id) = existing(&log, owner, &described.tx).await? {
            // Asked of the log itself: the claim may be seen before this process has heard of the commit that took it.
            let head = log.head().await.map_err(|error| rejection::read(&error))?;
            fresh.wait("receipts", None, MinPosition(head.next_position.checked_sub(1))).await?;
            return Ok(Draft { unit, answer: Answer::ok(read_receipt::full(&reader, &settings, owner, id).await?)? });
        }
        let receipt_id = manual_receipt_id(owner, &described.tx);
        let facts = ManualFacts {
            receipt_id,
            subject_id: vault.new_subject(owner).await.map_err(|error| rejection::read(&error))?,
            tx_signature: described.tx,
            wallet: described.wallet,
            counterparty_wallet: described.counterparty,
            token_mint: described.mint,
            amount: described.amount,
            memo: described.memo.clone(),
            network: settings.solana_network.clone(),
            seen_in_slot,
            issued_at: clock.now(),
        };
        let signer = vault.signer(KeyPurpose::Receipt).await.map_err(|error| rejection::read(&error))?;
        let bytes = manual_canonical_bytes(&facts);
        let create = CreateManual {
            facts,
            receipt_hash: Hash32::of(&bytes),
            signature: signer.sign(&bytes),
            kid: signer.kid().to_owned(),
            credits_burned: credits::MANUAL_RECEIPT,
        };
        let mut receipt = unit.start::<Receipt>(StreamId::new(Category::Receipt, receipt_id));
        let command = receipt::Command::CreateManual(Box::new(create));
        let made = unit.decide(&mut receipt, command, None).map_err(|refused| rejection::decided(refused.code(), refused))?;
        let stream = StreamId::new(Category::Credits, owner);
        let mut balance = unit.load::<Credits>(stream).await.map_err(|error| rejection::read(&error))?;
        let burn = credits::Command::Burn {
            owner_id: owner,
            receipt_id,
            credits: credits::MANUAL_RECEIPT,
            plan: plans.of(owner).await?,
            now: clock.now(),
        };
        unit.decide(&mut balance, burn, made.last().copied()).map_err(|refused| {
            rejection::decided(refused.code(), refused)
                .next_action("Wait for the next month, or choose a larger plan: GET /v1/credits tells both.")
        })?;
        let Receipt::Issued(created) = &receipt.state else { return Err(Problem::of(Code::Conflict)) };
        let answer = Answer::created(read_receipt::fresh(&settings, created)?)?;
        Ok(Draft { unit, answer })
    };
    commands.run(operation, draft).await
}

/// The receipt that a transaction has: its checkout's before one that was made by hand.
async fn existing(log: &Log, owner: OwnerId, tx: &TxSignature) -> Result<Option<ReceiptId>, Problem> {
    for claim in [Claim::receipt_tx(owner, tx), Claim::manual_receipt_tx(owner, tx)] {
        if let Some(stream) = log.find_claim(&claim).await.map_err(|error| rejection::read(&error))? {
            return Ok(Some(stream.id.into()));
        }
    }
    Ok(None)
}

/// The fields, each valid by itself.
struct Described {
    tx: TxSignature,
    wallet: SolanaAddress,
    counterparty: SolanaAddress,
    mint: SolanaAddress,
    amount: Minor,
    memo: Option<String>,
}

impl Described {
    fn parse(asked: &NewReceipt) -> Result<Self, Problem> {
        let wallet = |field: &'static str, text: &Option<String>| match text.as_deref() {
            Some(text) => input::solana_wallet(field, text),
            None => Err(Problem::field(Code::ValidationFailed, field, "is required")),
        };
        let tx = asked.tx_sig.parse().map_err(|rule| Problem::field(Code::ValidationFailed, "tx_sig", format!("{rule}")))?;
        let amount = asked.amount_raw.ok_or_else(|| Problem::field(Code::ValidationFailed, "amount_raw", "is required"))?;
        let amount = Minor::new(amount).ok().filter(|amount| *amount != Minor::ZERO);
        let memo = asked.memo.clone().filter(|memo| !memo.is_empty());
        if memo.as_deref().is_some_and(|memo| !receipt::memo_can_be_signed(memo)) {
            return Err(Problem::field(Code::MemoInvalid, "memo", "1 to 64 letters, digits and : . _ -"));
        }
        Ok(Described {
            tx,
            wallet: wallet("wallet", &asked.wallet)?,
            counterparty: wallet("counterparty_wallet", &asked.counterparty_wallet)?,
            mint: wallet("token_mint", &asked.token_mint)?,
            amount: amount.ok_or_else(|| Problem::field(Code::AmountOutOfRange, "amount_raw", "from 1 to 9007199254740991"))?,
            memo,
        })
    }
}

/// The slot in which the chain has the transaction as described. A deployment without a chain, and a transaction that its node does
/// not know, leave it unseen, and the receipt says so; one that shows something else is refused.
async fn look(settler: &Settler, described: &Described) -> Result<Option<u64>, Problem> {
    let Some(chain) = settler.chain() else { return Ok(None) };
    let contradicts = |field: &'static str| Problem::field(Code::ReceiptContradictsChain, field, "the chain shows something else");
    match evidence::observe(&chain.rpc, &described.tx).await.map_err(|error| rejection::settle(SettleError::Chain(error)))? {
        Observation::NotFound => Ok(None),
        // A receipt never changes, so it waits until it can say the better thing.
        Observation::Pending { .. } => Err(Problem::of(Code::TxNotConfirmed).retry_after(2)),
        Observation::Failed { .. } => Err(Problem::field(Code::ReceiptContradictsChain, "tx_sig", "the transaction failed on chain")),
        Observation::Final(transaction) => {
            let claimed = Claimed {
                wallet: described.wallet,
                counterparty: described.counterparty,
                currency: Currency::of_mint(described.mint),
                amount: described.amount,
                memo: described.memo.clone(),
            };
            match contradiction(&claimed, &transaction) {
                Some(field) => Err(contradicts(field)),
                None => Ok(Some(transaction.slot)),
            }
        }
    }
}
