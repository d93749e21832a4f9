//! What Stripe's API answers, read into types: subscriptions, invoices, customers, pages to open, and refusals. Only fields that are used
//! are read, so that what Stripe adds does no harm.

use events::vocab::{
    event::BillingInvoice,
    time::Timestamp,
    words::{InvoiceStatus, SubscriptionStatus},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// The version of the API whose answers are read here; every request names it.
pub const API_VERSION: &str = "2025-06-30.basil";

/// An answer that is not of the documented form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Stripe's answer does not have the documented form")]
pub struct Malformed;

/// A subscription.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// `sub_…`.
    pub id: String,
    /// Where it stands.
    pub status: SubscriptionStatus,
    /// `price_…` of its first item; a plan is one item.
    pub price_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The period that the newest invoice is for.
    pub current_period_start: Timestamp,
    /// Its end.
    pub current_period_end: Timestamp,
    /// Whether it ends with the period.
    pub cancel_at_period_end: bool,
    /// When it was cancelled.
    pub canceled_at: Option<Timestamp>,
    /// What was said of it when it was made.
    pub metadata: BTreeMap<String, String>,
}

/// A customer.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Customer {
    /// `cus_…`.
    pub id: String,
    /// Whether it is a customer no more; Stripe then says little else of it.
    #[serde(default)]
    pub deleted: bool,
}

/// A page of Stripe's for the merchant's browser.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Page {
    /// `cs_…` or `bps_…`.
    pub id: String,
    /// Where it is. Whoever has it can open it.
    pub url: String,
}

/// A refusal. What it says in words may quote what was sent, so it is not read.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub struct Refusal {
    /// `invalid_request_error`, `idempotency_error`, `api_error`, …
    #[serde(rename = "type", default)]
    pub kind: String,
    /// `resource_missing`, …
    pub code: Option<String>,
    /// The parameter that it is about.
    pub param: Option<String>,
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct RawSubscription {
    id: String,
    status: SubscriptionStatus,
    created: i64,
    cancel_at_period_end: bool,
    canceled_at: Option<i64>,
    items: List<RawItem>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawItem {
    price: RawPrice,
    current_period_start: i64,
    current_period_end: i64,
}

#[derive(Deserialize)]
struct RawPrice {
    id: String,
}

#[derive(Deserialize)]
struct RawInvoice {
    id: String,
    number: Option<String>,
    status: InvoiceStatus,
    currency: String,
    total: i64,
    amount_paid: i64,
    created: i64,
    period_start: i64,
    period_end: i64,
}

#[derive(Deserialize)]
struct RawRefusal {
    error: Refusal,
}

/// `GET /v1/subscriptions`.
pub fn subscriptions(body: &[u8]) -> Result<Vec<Subscription>, Malformed> {
    parsed::<List<RawSubscription>>(body)?.data.into_iter().map(subscription).collect()
}

/// `GET /v1/invoices`, in its order, which is newest first.
pub fn invoices(body: &[u8]) -> Result<Vec<BillingInvoice>, Malformed> {
    parsed::<List<RawInvoice>>(body)?.data.into_iter().map(invoice).collect()
}

/// `POST /v1/customers`, `GET /v1/customers/{id}`.
pub fn customer(body: &[u8]) -> Result<Customer, Malformed> {
    parsed(body)
}

/// `POST /v1/checkout/sessions`, `POST /v1/billing_portal/sessions`.
pub fn page(body: &[u8]) -> Result<Page, Malformed> {
    let page: Page = parsed(body)?;
    if page.url.starts_with("https://") || page.url.starts_with("http://") { Ok(page) } else { Err(Malformed) }
}

/// The body of an error; the default when it cannot be read, as of a proxy in between.
pub fn refusal(body: &[u8]) -> Refusal {
    parsed::<RawRefusal>(body).map(|raw| raw.error).unwrap_or_default()
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    serde_json::from_slice(body).map_err(|_| Malformed)
}

fn subscription(raw: RawSubscription) -> Result<Subscription, Malformed> {
    let item = raw.items.data.into_iter().next().ok_or(Malformed)?;
    Ok(Subscription {
        id: raw.id,
        status: raw.status,
        price_id: item.price.id,
        created_at: at(raw.created)?,
        current_period_start: at(item.current_period_start)?,
        current_period_end: at(item.current_period_end)?,
        cancel_at_period_end: raw.cancel_at_period_end,
        canceled_at: raw.canceled_at.map(at).transpose()?,
        metadata: raw.metadata,
    })
}

fn invoice(raw: RawInvoice) -> Result<BillingInvoice, Malformed> {
    Ok(BillingInvoice {
        invoice_id: raw.id,
        number: raw.number,
        status: raw.status,
        currency: raw.currency,
        total: raw.total,
        amount_paid: raw.amount_paid,
        created_at: at(raw.created)?,
        period_start: at(raw.period_start)?,
        period_end: at(raw.period_end)?,
    })
}

/// Seconds since 1970, of a year that a calendar has.
fn at(seconds: i64) -> Result<Timestamp, Malformed> {
    const LAST: i64 = 253_402_300_799;
    (0..=LAST).contains(&seconds).then(|| Timestamp::from_micros(seconds * 1_000_000)).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn raw_subscription() -> Value {
        json!({
            "id": "sub_1", "object": "subscription", "status": "active", "created": 1_780_000_000, "customer": "cus_1",
            "cancel_at_period_end": false, "canceled_at": null, "metadata": {"hilt_product": "hilt_workspace"},
            "items": {"object": "list", "data": [{"id": "si_1", "price": {"id": "price_1", "currency": "usd"}, "quantity": 1,
                "current_period_start": 1_780_000_000, "current_period_end": 1_782_592_000}], "has_more": false},
            "something_new": {"of": "Stripe's"},
        })
    }

    fn raw_invoice() -> Value {
        json!({
            "id": "in_1", "object": "invoice", "number": null, "status": "draft", "currency": "usd", "total": -100, "amount_paid": 0,
            "created": 1_780_000_000, "period_start": 1_780_000_000, "period_end": 1_780_000_000,
            "hosted_invoice_url": "https://invoice.stripe.com/i/acct_1/test_secret",
        })
    }

    fn list(item: Value) -> Vec<u8> {
        json!({"object": "list", "data": [item], "has_more": false}).to_string().into_bytes()
    }

    #[test]
    fn documented_answers_are_read() {
        let found = subscriptions(&list(raw_subscription())).unwrap();
        assert_eq!((found[0].id.as_str(), found[0].status, found[0].price_id.as_str()), ("sub_1", SubscriptionStatus::Active, "price_1"));
        assert_eq!(found[0].current_period_end.seconds(), 1_782_592_000);
        assert_eq!(found[0].metadata["hilt_product"], "hilt_workspace");
        let found = invoices(&list(raw_invoice())).unwrap();
        assert_eq!((found[0].total, found[0].status, &found[0].number), (-100, InvoiceStatus::Draft, &None));
        assert!(customer(br#"{"id":"cus_1","object":"customer","deleted":true}"#).unwrap().deleted);
        assert!(!customer(br#"{"id":"cus_1","object":"customer","email":null}"#).unwrap().deleted);
        assert_eq!(page(br#"{"id":"bps_1","url":"https://billing.stripe.com/p/session/x"}"#).unwrap().id, "bps_1");
    }

    #[test]
    fn what_is_not_documented_is_no_answer() {
        let altered = |name: &str, value: Value| {
            let mut raw = raw_subscription();
            raw[name] = value;
            subscriptions(&list(raw))
        };
        assert_eq!(altered("status", json!("sleeping")), Err(Malformed));
        assert_eq!(altered("items", json!({"data": []})), Err(Malformed));
        assert_eq!(altered("created", json!(-1)), Err(Malformed));
        assert_eq!(altered("created", json!(i64::MAX)), Err(Malformed));
        for body in [&b"<html>"[..], b"[]", b"{}", b"{\"data\":{}}"] {
            assert!(subscriptions(body).is_err() && invoices(body).is_err() && page(body).is_err());
        }
        assert_eq!(page(br#"{"id":"cs_1","url":"javascript:alert(1)"}"#), Err(Malformed));
        assert_eq!(page(br#"{"id":"cs_1","url":null}"#), Err(Malformed));
    }

    #[test]
    fn a_refusal_keeps_its_code_and_not_its_words() {
        let body = br#"{"error":{"type":"invalid_request_error","code":"resource_missing","param":"customer","message":"No such customer: 'cus_x'"}}"#;
        let refusal = refusal(body);
        assert_eq!((refusal.kind.as_str(), refusal.code.as_deref()), ("invalid_request_error", Some("resource_missing")));
        assert!(!format!("{refusal:?}").contains("cus_x"));
        assert_eq!(super::refusal(b"<html>"), Refusal::default());
    }
}
