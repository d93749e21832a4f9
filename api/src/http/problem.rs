//! Every error there is: one code, one status, one place (RFC 9457, CV-4).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($( $variant:ident = $code:literal $status:literal $title:literal ),* $(,)?) => {
        /// A stable error code.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Code { $( #[doc = $title] $variant ),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$( Code::$variant ),*];
            /// The code clients match on.
            pub const fn as_str(self) -> &'static str { match self { $( Code::$variant => $code ),* } }
            /// The one status it comes with.
            pub const fn status(self) -> StatusCode {
                // The literals above are valid statuses; anything else would be our own fault.
                match StatusCode::from_u16(match self { $( Code::$variant => $status ),* }) {
                    Ok(status) => status,
                    Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
                }
            }
            /// What it means, the same for every occurrence.
            pub const fn title(self) -> &'static str { match self { $( Code::$variant => $title ),* } }
            /// The code of that name, as deciders name their rejections.
            pub fn parse(code: &str) -> Option<Code> { match code { $( $code => Some(Code::$variant), )* _ => None } }
        }
    };
}

codes! {
    MalformedRequest = "malformed_request" 400 "The request cannot be read",
    IdempotencyKeyRequired = "idempotency_key_required" 400 "An Idempotency-Key header is required",
    InvalidIdempotencyKey = "invalid_idempotency_key" 400 "The Idempotency-Key header is not valid",
    FixedAmountRequired = "fixed_amount_required" 400 "The product needs a fixed amount",
    AuthRequired = "auth_required" 401 "A credential is required",
    InvalidApiKey = "invalid_api_key" 401 "The API key is not valid",
    InvalidToken = "invalid_token" 401 "The bearer token is not valid",
    CredentialConflict = "credential_conflict" 401 "The two credentials are of different owners",
    ScopeRequired = "scope_required" 403 "The key lacks a permission",
    DashboardSessionRequired = "dashboard_session_required" 403 "Only the owner's dashboard session may do this",
    StaffRequired = "staff_required" 403 "Only staff may do this",
    MerchantRequired = "merchant_required" 403 "Only a merchant's credential may do this",
    LiveKeyRequired = "live_key_required" 403 "A live credential is required",
    SandboxKeyRequired = "sandbox_key_required" 403 "A sandbox key or a dashboard session is required",
    NotFound = "not_found" 404 "There is no such thing",
    ProductNotFound = "product_not_found" 404 "There is no such product",
    AppNotFound = "app_not_found" 404 "There is no such app",
    PaymentNotFound = "payment_not_found" 404 "There is no such payment",
    PaymentSessionNotFound = "payment_session_not_found" 404 "There is no such payment session",
    MembershipNotFound = "membership_not_found" 404 "There is no such membership",
    ReceiptNotFound = "receipt_not_found" 404 "There is no such receipt",
    TicketNotFound = "ticket_not_found" 404 "There is no such ticket",
    RailSettingNotFound = "rail_setting_not_found" 404 "There is no such rail setting",
    WebhookNotFound = "webhook_not_found" 404 "There is no such webhook endpoint",
    SandboxSessionNotFound = "sandbox_session_not_found" 404 "There is no such sandbox session",
    ApiKeyNotFound = "api_key_not_found" 404 "There is no such API key",
    EntitlementNotFound = "entitlement_not_found" 404 "There is no such entitlement",
    WebhookEndpointNotFound = "webhook_endpoint_not_found" 404 "There is no such webhook endpoint",
    WebhookDeliveryNotFound = "webhook_delivery_not_found" 404 "There is no such webhook delivery",
    MethodNotAllowed = "method_not_allowed" 405 "The route does not know this method",
    TxNotConfirmed = "tx_not_confirmed" 408 "The transaction is not final yet",
    RequestTimeout = "request_timeout" 408 "The request took too long",
    IdempotencyInProgress = "idempotency_in_progress" 409 "A request with this Idempotency-Key is under way",
    Conflict = "conflict" 409 "Someone else changed it at the same time",
    ExternalAppIdConflict = "external_app_id_conflict" 409 "The external_app_id is taken",
    ExternalProductIdConflict = "external_product_id_conflict" 409 "The external_product_id is taken",
    TxConflict = "tx_conflict" 409 "Another transaction or another payment is linked",
    ProofReplayed = "proof_replayed" 409 "This proof was recorded before",
    RailKillSwitched = "rail_kill_switched" 409 "The rail is switched off",
    RailDisabled = "rail_disabled" 409 "The rail is disabled",
    RailNotEffective = "rail_not_effective" 409 "The rail is not effective",
    PayoutAddressRequired = "payout_address_required" 409 "The rail has no payout address",
    BackingProductWalletMismatch = "backing_product_wallet_mismatch" 409 "The payout address is not the product's wallet",
    RailSessionAdapterNotImplemented = "rail_session_adapter_not_implemented" 409 "This deployment cannot create live sessions on the rail",
    MerchantFeeCollectionNotActive = "merchant_fee_collection_not_active" 409 "Fee collection is not active",
    NoAvailableRails = "no_available_rails" 409 "No rail is available",
    NoSessionCreatableRails = "no_session_creatable_rails" 409 "No rail can create a session",
    ProductNotActive = "product_not_active" 409 "The product does not sell",
    PaymentSessionClosed = "payment_session_closed" 409 "The payment session is not open any more",
    PaymentFinished = "payment_finished" 409 "The payment is finished",
    WebhookDisabled = "webhook_disabled" 409 "The webhook endpoint is disabled",
    AlreadyExists = "already_exists" 409 "It exists with other content",
    FeeWalletRequired = "fee_wallet_required" 409 "The fee has no wallet to go to",
    MerchantFeeCollectionNotInstant = "merchant_fee_collection_not_instant" 409 "Deferred billing is not allowed for buyer sessions",
    FeeCollectorAddressRequired = "fee_collector_address_required" 409 "The fee collector has no address",
    NotExpiredYet = "not_expired_yet" 409 "The time is not over yet",
    PaymentAlreadyConfirmed = "payment_already_confirmed" 409 "The payment is confirmed",
    PaymentPendingConfirmation = "payment_pending_confirmation" 409 "A transaction is recorded and may still be confirmed",
    PaymentRequirementAuthored = "payment_requirement_authored" 409 "The requirement is written and never changes",
    PaymentRequirementMissing = "payment_requirement_missing" 409 "The session has no requirement yet",
    PaymentSessionConfirmed = "payment_session_confirmed" 409 "The payment session is confirmed",
    PaymentSessionFailed = "payment_session_failed" 409 "The payment session's payment failed",
    EntitlementMismatch = "entitlement_mismatch" 409 "The evidence is not of this entitlement",
    EntitlementTransitionNotAllowed = "entitlement_transition_not_allowed" 409 "The entitlement cannot change that way",
    MembershipMismatch = "membership_mismatch" 409 "The payment is not of this membership",
    ProofNotRecorded = "proof_not_recorded" 409 "The proof is not recorded",
    ProofReleased = "proof_released" 409 "The proof was about another payment",
    StageNotCited = "stage_not_cited" 409 "The stage before is not cited",
    ObservationRequired = "observation_required" 409 "What the chain showed is missing",
    VerificationNotPassed = "verification_not_passed" 409 "The verification did not pass",
    SettlementMismatch = "settlement_mismatch" 409 "The settlement is not of this payment",
    SettlementNotEvidenced = "settlement_not_evidenced" 409 "The settlement is not evidenced",
    AlreadySettled = "already_settled" 409 "The proof is settled",
    ReceiptMismatch = "receipt_mismatch" 409 "The receipt is not of this settlement",
    ReceiptHashMismatch = "receipt_hash_mismatch" 409 "The hash is not the receipt's",
    ReceiptAlreadyIssued = "receipt_already_issued" 409 "The receipt is issued",
    ReceiptAlreadyMapped = "receipt_already_mapped" 409 "The settlement has its receipt",
    WebhookDeliveryClosed = "webhook_delivery_closed" 409 "The delivery is finished",
    AttemptOutOfOrder = "attempt_out_of_order" 409 "Another attempt comes first",
    PaymentExpired = "payment_expired" 410 "The payment session is expired",
    PaymentSessionExpired = "payment_session_expired" 410 "The payment session is expired",
    SandboxProofExpired = "sandbox_proof_expired" 410 "The sandbox proof is expired",
    PayloadTooLarge = "payload_too_large" 413 "The request body is too large",
    UnsupportedMediaType = "unsupported_media_type" 415 "The request body must be application/json",
    ValidationFailed = "validation_failed" 422 "A field breaks a rule",
    IdempotencyKeyReused = "idempotency_key_reused" 422 "The Idempotency-Key was used for another request",
    AmountOutOfRange = "amount_out_of_range" 422 "The amount is out of range",
    InvalidWallet = "invalid_wallet" 422 "The wallet is not valid",
    UnknownRail = "unknown_rail" 422 "There is no such rail",
    RailRequired = "rail_required" 422 "Several rails are possible: name one",
    RailConflict = "rail_conflict" 422 "The rail fields contradict each other",
    RailFamilyNotConfigurable = "rail_family_not_configurable" 422 "A rail family cannot be configured",
    DefaultRailNotAllowed = "default_rail_not_allowed" 422 "The default rail is not among the allowed rails",
    LiveModeConfirmationRequired = "live_mode_confirmation_required" 422 "An active live product needs live_mode_confirmed",
    ProductRequired = "product_required" 422 "A product is required",
    CustomerIdentityRequired = "customer_identity_required" 422 "A customer identity is required",
    PaymentSessionRequired = "payment_session_required" 422 "payment_session_id is required",
    PaymentRequirementMismatch = "payment_requirement_mismatch" 422 "The proof does not match the stored requirement",
    ProofIncomplete = "proof_incomplete" 422 "The proof lacks a field",
    PayerWalletMismatch = "payer_wallet_mismatch" 422 "Another wallet must pay",
    SlugMismatch = "slug_mismatch" 422 "The slug is of another product",
    TxFailed = "tx_failed" 422 "The transaction does not pay this payment",
    SandboxModeConfirmationRequired = "sandbox_mode_confirmation_required" 422 "confirm_sandbox_mode must be true",
    InvalidSandboxProof = "invalid_sandbox_proof" 422 "The sandbox proof is not valid",
    LookupKeyRequired = "lookup_key_required" 422 "Exactly one look-up key is required",
    InvalidCategory = "invalid_category" 422 "The ticket category is not valid",
    MessageTooShort = "message_too_short" 422 "The message is too short",
    UnknownEvent = "unknown_event" 422 "There is no such webhook event",
    InvalidWebhookUrl = "invalid_webhook_url" 422 "The webhook URL is not valid",
    IdentityErased = "identity_erased" 422 "The data subject is erased",
    NameRequired = "name_required" 422 "A name is required",
    LabelRequired = "label_required" 422 "A label is required",
    TitleRequired = "title_required" 422 "A title is required",
    SubjectRequired = "subject_required" 422 "A subject is required",
    ReasonRequired = "reason_required" 422 "A reason is required",
    ExternalAppIdRequired = "external_app_id_required" 422 "An external_app_id is required",
    ExternalProductIdRequired = "external_product_id_required" 422 "An external_product_id is required",
    EntitlementDurationOutOfRange = "entitlement_duration_out_of_range" 422 "The entitlement's duration is out of range",
    InvalidMembershipConfig = "invalid_membership_config" 422 "The membership settings are not valid",
    InvalidSlug = "invalid_slug" 422 "The slug is not valid",
    InvalidFeeCollection = "invalid_fee_collection" 422 "The fee collection fields are not valid",
    InvalidKeyPrefix = "invalid_key_prefix" 422 "The key's prefix is not of its mode",
    PermissionsRequired = "permissions_required" 422 "A key needs a permission",
    SubscribedEventsRequired = "subscribed_events_required" 422 "A webhook needs an event to tell of",
    Internal = "internal_error" 500 "Something went wrong on our side",
    Overloaded = "overloaded" 503 "Too many requests are waiting",
    Unavailable = "unavailable" 503 "A part that this needs is not available",
    ChainUnavailable = "chain_unavailable" 503 "The chain cannot be asked now",
    ProjectionBehind = "projection_behind" 503 "The read model has not reached that position yet",
}

/// One field and the rule that it breaks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// Path of the field.
    #[schema(example = "payout_address")]
    pub field: String,
    /// The rule, in words.
    pub message: String,
}

/// An error answer, `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `https://docs.hilt.so/problems/{code}`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The same for every occurrence of the code.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// Stable code to match on.
    pub code: &'static str,
    /// The request's id, also in `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Fields that break a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What stands in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_action: Option<String>,
    /// Whether the same request may succeed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// Seconds to wait, sent as `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// The problem of that code, with what is wrong this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem {
            type_: format!("https://docs.hilt.so/problems/{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            detail: detail.into(),
            code: code.as_str(),
            request_id: None,
            errors: Vec::new(),
            blockers: Vec::new(),
            next_action: None,
            retryable: None,
            retry_after: None,
        }
    }
    /// The problem of that code, in the code's own words.
    pub fn of(code: Code) -> Self {
        Problem::new(code, code.title())
    }
    /// One field that breaks a rule.
    pub fn field(code: Code, field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        let mut problem = Problem::new(code, format!("{field}: {message}"));
        problem.errors = vec![FieldError { field, message }];
        problem
    }
    /// With what to do next.
    pub fn next_action(mut self, next: impl Into<String>) -> Self {
        self.next_action = Some(next.into());
        self
    }
    /// May be tried again after `seconds`.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retryable = Some(true);
        self.retry_after = Some(seconds);
        self
    }
    /// Our own fault: the caller learns nothing of the inside, the operator everything.
    pub fn internal(error: &(dyn std::error::Error + 'static), doing: &str) -> Self {
        let mut causes = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push_str(": ");
            causes.push_str(&cause.to_string());
            source = cause.source();
        }
        tracing::error!(operation = doing, error = causes, "request failed");
        Problem::of(Code::Internal)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self.clone())).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_code_is_made_once_and_leads_back_to_itself() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }
}
