//! What the log and the deciders refuse, as problems.

use super::problem::{Code, Problem};
use axum::http::StatusCode;
use events::{claims::ClaimScope, log::AppendError};
use projections::QueryError;
use rails::price::PricingUnavailable;
use workers::{
    billing::{BillingError, StripeError},
    delivery::DeliverError,
    settle::SettleError,
};

/// A decider's rejection: its code is the contract's, its text says what is wrong. Where the text begins with the field that breaks
/// the rule, the field is named as every other check names it.
pub fn decided(code: &str, detail: impl std::fmt::Display) -> Problem {
    let detail = detail.to_string();
    let is_field = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'));
    match Code::parse(code) {
        Some(code) if matches!(code.status(), StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST) => {
            match detail.split_once(": ") {
                Some((field, rule)) if is_field(field) => Problem::field(code, field, rule),
                _ => Problem::new(code, detail),
            }
        }
        Some(code) => Problem::new(code, detail),
        None => {
            tracing::error!(code, "a rejection has no status");
            Problem::of(Code::Internal)
        }
    }
}

/// An append that did not happen.
pub fn append(error: AppendError) -> Problem {
    match error {
        AppendError::Conflict { .. } => Problem::of(Code::Conflict).retry_after(1),
        AppendError::ClaimTaken { claim, .. } => taken(claim.scope),
        AppendError::Overloaded { retry_after } => Problem::of(Code::Overloaded).retry_after(retry_after.as_secs().max(1)),
        AppendError::TooLarge { limit } => Problem::new(Code::PayloadTooLarge, format!("an append holds at most {limit}")),
        AppendError::SubjectErased => Problem::of(Code::IdentityErased),
        AppendError::Unavailable(error) => {
            tracing::error!(error = %error, "the log is unavailable");
            Problem::of(Code::Unavailable).retry_after(1)
        }
        error @ (AppendError::Answered(_) | AppendError::Codec(_) | AppendError::Invalid { .. }) => Problem::internal(&error, "append"),
    }
}

/// A value that another stream holds.
pub fn taken(scope: ClaimScope) -> Problem {
    Problem::of(match scope {
        ClaimScope::ExternalAppId => Code::ExternalAppIdConflict,
        ClaimScope::ExternalProductId => Code::ExternalProductIdConflict,
        ClaimScope::PaymentTx | ClaimScope::Transfer | ClaimScope::ReceiptTx | ClaimScope::ManualReceiptTx => Code::TxConflict,
        ClaimScope::Place => Code::MaxPaymentsReached,
        ClaimScope::OperatorKey => Code::OperatorKeyTaken,
        ClaimScope::Fingerprint => Code::ProofReplayed,
        // Random values of ours, of which a second draw will differ; and a case that someone else has just opened.
        ClaimScope::Slug | ClaimScope::Memo | ClaimScope::ApiKey | ClaimScope::DeliveryCase => Code::Conflict,
    })
}

/// A query of a read model that failed.
pub fn query(error: QueryError) -> Problem {
    match error {
        QueryError::NotBuilt(name) => Problem::new(Code::ProjectionBehind, format!("the read model {name} is being built")).retry_after(1),
        error @ QueryError::Database(_) => read(&error),
        error @ QueryError::Row(_) => Problem::internal(&error, "read a row"),
    }
}

/// A read that failed.
pub fn read(error: &(dyn std::error::Error + 'static)) -> Problem {
    let _ = Problem::internal(error, "read");
    Problem::of(Code::Unavailable).retry_after(1)
}

/// No price where one is needed.
pub fn pricing(unavailable: PricingUnavailable) -> Problem {
    Problem::new(Code::PricingUnavailable, unavailable.to_string()).retry_after(5)
}

/// A settlement that came to nothing.
pub fn settle(error: SettleError) -> Problem {
    match error {
        SettleError::Rejected { code, detail } => decided(code, detail),
        SettleError::Chain(error) => {
            tracing::warn!(%error, "the chain cannot be asked");
            Problem::of(Code::ChainUnavailable).retry_after(2)
        }
        SettleError::NoChain => Problem::new(Code::ChainUnavailable, "this deployment has no Solana RPC configured"),
        SettleError::Append(error) => append(error),
        SettleError::Read(error) => read(&error),
        SettleError::Query(error) => query(error),
        SettleError::Deliver(error) => deliver(error),
        error @ (SettleError::Vault(_) | SettleError::Inconsistent) => Problem::internal(&error, "settle"),
    }
}

/// Billing that came to nothing. What Stripe said of the deployment's key or settings is for its operator.
pub fn billing(error: BillingError) -> Problem {
    match error {
        BillingError::Rejected(refused) => decided(refused.code(), refused).next_action(
            "Change or end it in the billing portal: POST /v1/billing/portal/stripe. POST /v1/billing/refresh/stripe shows it.",
        ),
        BillingError::NoPrice(..) => Problem::new(Code::StripePriceNotConfigured, error.to_string()),
        BillingError::NoCustomer => {
            Problem::of(Code::StripeCustomerRequired).next_action("Subscribe to a plan first: POST /v1/billing/checkout/stripe.")
        }
        BillingError::Stripe(error @ StripeError::Unavailable(_)) => {
            tracing::warn!(stripe.error = %error, "Stripe cannot be asked");
            Problem::of(Code::StripeUnavailable).retry_after(5)
        }
        BillingError::Stripe(error @ (StripeError::KeyRefused | StripeError::Missing | StripeError::Refused(_))) => {
            tracing::error!(stripe.error = %error, "Stripe refuses");
            Problem::of(Code::StripeRefused)
        }
    }
}

/// What is handed over could not be looked up.
pub fn deliver(error: DeliverError) -> Problem {
    match error {
        DeliverError::Read(error) => read(&error),
        DeliverError::Append(error) => append(error),
        DeliverError::Query(error) => query(error),
        error @ (DeliverError::Vault(_) | DeliverError::Codec(_) | DeliverError::Behind(_) | DeliverError::Refused(_)) => {
            Problem::internal(&error, "hand over")
        }
    }
}
