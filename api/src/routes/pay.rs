//! `POST /v1/pay/broadcast` (RT-016) and `POST /v1/pay/confirm` (RT-017): a buyer's own calls, without a credential. Nothing he
//! says sets a status; the chain does (INV-65).

use super::{confirm_identity, input, openapi::shapes::ConfirmedPayment};
use crate::{
    http::{
        body::Body,
        fresh::{HILT_POSITION, OwnWrites},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{buyer::IdentityFields, identity::wallet_source},
    state::State,
};
use axum::{
    Json,
    extract::State as Part,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use events::{
    clock::Clock,
    log::{AppendError, Context, Log},
    unit::{Loaded, Unit, is_conflict, load, retry_conflicts},
    vault::Vault,
    vocab::{
        bytes::TxSignature,
        event::PaymentCreated,
        id::PaymentId,
        stream::{Actor, Category, StreamId},
        words::{ActorKind, Trigger},
    },
};
use ledger::{
    payment::{self, Payment},
    product::Product,
    proof::Proof,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::{
    delivery::{Handed, Handover},
    settle::{Asker, GATE_CLOSED, IDENTITY_MISSING, KILL_SWITCHED, Settled, Settlement, Settler, proof_id},
};

/// How long a confirmation waits for a bot to make the buyer's access.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(3);

/// A transaction that the buyer's wallet has sent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Broadcast {
    /// The payment.
    pub payment_id: String,
    /// The transaction.
    pub tx_signature: String,
    /// The wallet that paid.
    pub payer_wallet: Option<String>,
    /// The wallet's software.
    #[schema(example = "EXTERNAL_PHANTOM")]
    pub wallet_source: Option<String>,
}

/// What was recorded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BroadcastRecorded {
    /// The payment.
    pub payment_id: String,
    /// `PENDING_CONFIRMATION`, or what it has become since.
    pub status: String,
    /// The transaction.
    pub tx_signature: String,
}

/// A payment to confirm.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Confirm {
    /// The payment.
    pub payment_id: String,
    /// The product's slug; when sent, it must be the payment's.
    pub slug: Option<String>,
    /// The transaction.
    pub tx_signature: String,
    /// The wallet that paid.
    pub payer_wallet: Option<String>,
    /// The verified identity session, where the product asks for one.
    pub identity_session_id: Option<String>,
    /// The identity that it proved.
    #[serde(flatten)]
    pub identity: IdentityFields,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(broadcast)).routes(routes!(confirm))
}

/// Record a transaction that the buyer has sent.
#[utoipa::path(
    post, path = "/v1/pay/broadcast", tag = "pay", operation_id = "record_broadcast",
    request_body = Broadcast,
    responses(
        (status = 200, description = "Recorded, now or before", body = BroadcastRecorded),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 404, description = "`payment_not_found`", body = Problem),
        (status = 409, description = "`tx_conflict`", body = Problem),
        (status = 410, description = "`payment_expired`", body = Problem),
        (status = 422, description = "`payer_wallet_mismatch`, `invalid_wallet`, `tx_failed`, `validation_failed`", body = Problem),
    )
)]
async fn broadcast(
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    Part(own_writes): Part<OwnWrites>,
    RequestId(request_id): RequestId,
    Body { value: body, .. }: Body<Broadcast>,
) -> Result<Response, Problem> {
    let (payment_id, tx) = (input::id(&body.payment_id, Code::PaymentNotFound)?, tx_signature(&body.tx_signature)?);
    let payer = body.payer_wallet.as_deref().map(|wallet| input::solana_wallet("payer_wallet", wallet)).transpose()?;
    let source = wallet_source(body.wallet_source.as_deref())?;
    let recorded = retry_conflicts(
        8,
        |failure: &Failure| matches!(failure, Failure::Append(error) if is_conflict(error)),
        || async {
            let mut payment = find(&log, payment_id).await?;
            let mut unit = Unit::new(&log, context(&payment, &request_id));
            let command = payment::Command::RecordBroadcast { tx, payer_wallet: payer, wallet_source: source.clone(), now: clock.now() };
            let decided = unit.decide(&mut payment, command, None);
            decided.map_err(|refused| Failure::Told(rejection::decided(refused.code(), refused)))?;
            let status = payment.state.status().unwrap_or("PENDING_CONFIRMATION");
            let position = if unit.is_empty() { None } else { Some(unit.commit().await.map_err(Failure::Append)?.last_position) };
            Ok((status, payment.owner_id, position))
        },
    )
    .await;
    let (status, owner, position) = recorded.map_err(Failure::problem)?;
    if let (Some(owner), Some(position)) = (owner, position) {
        own_writes.wrote(owner, position);
    }
    let answer = BroadcastRecorded { payment_id: payment_id.to_string(), status: status.to_owned(), tx_signature: tx.to_string() };
    Ok((position_header(position), Json(answer)).into_response())
}

/// Confirm a payment: look at the chain now.
#[utoipa::path(
    post, path = "/v1/pay/confirm", tag = "pay", operation_id = "confirm_payment",
    request_body = Confirm,
    responses(
        (status = 200, description = "Confirmed, now or before", body = ConfirmedPayment),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 404, description = "`payment_not_found`", body = Problem),
        (status = 408, description = "`tx_not_confirmed`: the same request may succeed later", body = Problem),
        (status = 409, description = "`tx_conflict`, `proof_replayed`, `identity_session_consumed`", body = Problem),
        (status = 410, description = "`payment_expired`", body = Problem),
        (status = 422, description = "`payer_wallet_mismatch`, `slug_mismatch`, `tx_failed`, `invalid_wallet`, \
                                      `identity_verification_required`, `wallet_mismatch`, `validation_failed`", body = Problem),
        (status = 503, description = "`chain_unavailable`", body = Problem),
    )
)]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn confirm(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settler): Part<Settler>,
    Part(handover): Part<Handover>,
    Part(own_writes): Part<OwnWrites>,
    RequestId(request_id): RequestId,
    Body { value: body, .. }: Body<Confirm>,
) -> Result<Response, Problem> {
    let (payment_id, tx) = (input::id(&body.payment_id, Code::PaymentNotFound)?, tx_signature(&body.tx_signature)?);
    let payment = find(&log, payment_id).await.map_err(Failure::problem)?;
    check(&log, &payment, &body, tx, &clock).await?;
    let identity_session_id = match &payment.state {
        Payment::Confirmed { .. } => None,
        state => confirm_identity::check(&log, &vault, state, &body, clock.now()).await?,
    };
    let asker = Asker { actor: public(), request_id: Some(request_id), trigger: Trigger::Confirm, identity_session_id };
    match settler.settle(payment_id, tx, &asker).await.map_err(rejection::settle)? {
        Settlement::Settled(settled) => {
            if let (Some(owner), Some(position)) = (payment.owner_id, settled.position) {
                own_writes.wrote(owner, position);
            }
            let handed = handover.handed(payment_id, DELIVERY_PATIENCE).await.map_err(rejection::deliver)?;
            Ok((position_header(settled.position), Json(confirmed(&settled, handed))).into_response())
        }
        Settlement::Pending(IDENTITY_MISSING) => Err(confirm_identity::missing()),
        Settlement::Pending(reason @ (KILL_SWITCHED | GATE_CLOSED)) => Err(held(reason)),
        Settlement::Pending(reason) => Err(Problem::new(Code::TxNotConfirmed, format!("the transaction is not final yet: {reason}"))
            .next_action("Send the same request again.")
            .retry_after(2)),
        Settlement::Refused(reason) if reason == "wrong_payer" => Err(Problem::new(Code::PayerWalletMismatch, "another wallet paid")),
        Settlement::Refused(reason) => {
            let mut problem = Problem::new(Code::TxFailed, format!("the transaction does not pay this payment: {reason}"));
            problem.blockers = vec![reason];
            Err(problem)
        }
    }
}

/// It is paid, and its rail is stopped: nothing is lost, and the watcher settles it when the stop is over (INV-30).
fn held(reason: &'static str) -> Problem {
    let code = if reason == KILL_SWITCHED { Code::RailKillSwitched } else { Code::LiveApplyGateClosed };
    Problem::new(code, "the payment is seen, and settles when Hilt has let the rail go on")
        .next_action("Do not pay again: the payment settles by itself.")
}

/// What the request itself says wrong, before anyone asks the chain.
async fn check(log: &Log, payment: &Loaded<Payment>, body: &Confirm, tx: TxSignature, clock: &Clock) -> Result<(), Problem> {
    let Some(facts) = payment.state.facts() else { return Err(Problem::of(Code::PaymentNotFound)) };
    if let Some(slug) = &body.slug {
        let product =
            load::<Product>(log, StreamId::new(Category::Product, facts.product_id)).await.map_err(|error| rejection::read(&error))?;
        if product.state.facts().is_none_or(|product| product.slug != *slug) {
            return Err(Problem::field(Code::SlugMismatch, "slug", "is not the payment's product"));
        }
    }
    if payment.state.tx().is_some_and(|linked| linked != tx) {
        return Err(Problem::new(Code::TxConflict, "this payment is linked to a different transaction"));
    }
    if let Some(wallet) = &body.payer_wallet {
        let wallet = input::solana_wallet("payer_wallet", wallet)?;
        if facts.payer_wallet.is_some_and(|expected| expected != wallet) {
            return Err(Problem::of(Code::PayerWalletMismatch));
        }
    }
    match &payment.state {
        Payment::Expired { .. } => Err(Problem::of(Code::PaymentExpired)),
        Payment::PendingSignature { facts, .. } if clock.now() >= facts.expires_at => match proof_recorded(log, facts, tx).await? {
            true => Ok(()),
            false => Err(Problem::of(Code::PaymentExpired)),
        },
        Payment::Failed { failed, .. } => Err(Problem::new(Code::TxFailed, format!("the payment failed: {}", failed.reason))),
        _ => Ok(()),
    }
}

/// Whether a proof with that transaction was recorded for the payment, which keeps it confirmable beyond its end. When it was
/// made is for the chain to say.
async fn proof_recorded(log: &Log, payment: &PaymentCreated, tx: TxSignature) -> Result<bool, Problem> {
    let stream = StreamId::new(Category::Proof, proof_id(payment, &tx));
    let proof = load::<Proof>(log, stream).await.map_err(|error| rejection::read(&error))?;
    Ok(proof.state.proof().is_some() && proof.created_at.is_some_and(|recorded| recorded < payment.expires_at))
}

/// The one answer that shows what was bought: only whoever names the payment and its own transaction gets here.
fn confirmed(settled: &Settled, handed: Handed) -> Value {
    json!({
        "status": "confirmed",
        "payment_id": settled.payment.payment_id,
        "tx_signature": settled.confirmed.tx_signature,
        "amount_lamports": settled.payment.amount,
        "amount_minor_units": settled.payment.amount,
        "delivery_type": handed.delivery_type,
        "delivery_value": handed.value,
        "delivery_status": handed.status,
        "membership_id": settled.membership.map(|(id, _)| id),
        "membership_status": settled.membership.map(|_| "ACTIVE"),
        "membership_period_end_at": settled.membership.map(|(_, end)| end),
        "receipt_id": settled.receipt.as_ref().map(|receipt| receipt.receipt_id),
        "entitlement_id": settled.entitlement.as_ref().map(|entitlement| entitlement.entitlement_id),
    })
}

enum Failure {
    Told(Problem),
    Append(AppendError),
}

impl Failure {
    fn problem(self) -> Problem {
        match self {
            Failure::Told(problem) => problem,
            Failure::Append(error) => rejection::append(error),
        }
    }
}

async fn find(log: &Log, payment_id: PaymentId) -> Result<Loaded<Payment>, Failure> {
    let payment = load::<Payment>(log, StreamId::new(Category::Payment, payment_id)).await;
    let payment = payment.map_err(|error| Failure::Told(rejection::read(&error)))?;
    match payment.state.facts() {
        Some(_) => Ok(payment),
        None => Err(Failure::Told(Problem::of(Code::PaymentNotFound))),
    }
}

fn public() -> Actor {
    Actor { kind: ActorKind::Public, id: None }
}

fn context(payment: &Loaded<Payment>, request_id: &str) -> Context {
    Context {
        owner_id: payment.owner_id,
        livemode: payment.livemode.unwrap_or(true),
        actor: public(),
        request_id: Some(request_id.to_owned()),
        correlation_id: payment.correlation_id.unwrap_or(payment.stream.id),
    }
}

fn tx_signature(text: &str) -> Result<TxSignature, Problem> {
    text.parse().map_err(|rule: events::vocab::bytes::Malformed| Problem::field(Code::ValidationFailed, "tx_signature", rule.to_string()))
}

fn position_header(position: Option<u64>) -> HeaderMap {
    position.map(|position| (HILT_POSITION, position.into())).into_iter().collect()
}
