//! Stripe's API, as far as merchants' own subscriptions of Hilt need it. Requests are form-encoded, name the version of the API, and carry an
//! `Idempotency-Key` where they make something, so that a repeat makes nothing more. Nothing here knows what is sold.

use crate::provider::{self, ProviderError, Reply};
use events::vocab::event::BillingInvoice;
use rails::stripe::{self, API_VERSION, Customer, Malformed, Page, Refusal, Subscription};
use reqwest::{Client, Method, StatusCode, header};
use std::{fmt, time::Duration};
use url::{Url, form_urlencoded};

/// How long Stripe may take for one answer. What a request needs of Stripe has to fit into a request's own limit.
const TIMEOUT: Duration = Duration::from_secs(6);
/// Pauses before a request is made again that Stripe could not serve.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];
/// Subscriptions of a customer that are looked at; a merchant has one, and those that ended.
const SUBSCRIPTIONS: &str = "20";
/// Invoices that are kept.
const INVOICES: &str = "12";

/// Why Stripe did not do it. Holds nothing of what Stripe said in words, which may quote what was sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StripeError {
    /// It did not answer, wants to be left alone, or had a fault of its own: this passes by itself.
    #[error("{0}")]
    Unavailable(&'static str),
    /// It does not take the secret key, or the key may not do this.
    #[error("stripe_key_refused")]
    KeyRefused,
    /// It knows no such customer or session.
    #[error("stripe_resource_missing")]
    Missing,
    /// It refuses, and will until a person changes something.
    #[error("stripe_refused: {} {} {}", .0.kind, .0.code.as_deref().unwrap_or("-"), .0.param.as_deref().unwrap_or("-"))]
    Refused(Refusal),
}

impl From<ProviderError> for StripeError {
    fn from(error: ProviderError) -> Self {
        StripeError::Unavailable(error.code())
    }
}
impl From<Malformed> for StripeError {
    fn from(_: Malformed) -> Self {
        ProviderError::MALFORMED.into()
    }
}

/// The API, with a secret key.
#[derive(Clone)]
pub struct Stripe {
    http: Client,
    base: Url,
    key: String,
}

impl fmt::Debug for Stripe {
    // The key is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// A page on which a customer may subscribe.
pub struct NewCheckout<'a> {
    /// Who subscribes.
    pub customer: &'a str,
    /// To what.
    pub price: &'a str,
    /// Where the browser goes afterwards.
    pub success_url: &'a str,
    /// Where it goes otherwise.
    pub cancel_url: &'a str,
    /// What is said of the session, and of the subscription that comes of it.
    pub metadata: &'a [(&'a str, &'a str)],
    /// The same session for the same key.
    pub idempotency_key: &'a str,
}

impl Stripe {
    /// The API at `base`. Fails when the system's root certificates cannot be read.
    pub fn new(base: Url, key: String) -> Result<Self, reqwest::Error> {
        Ok(Stripe { http: provider::client()?, base, key })
    }

    /// Makes a customer; with the same key, the same one.
    pub async fn create_customer(&self, metadata: &[(&str, &str)], idempotency_key: &str) -> Result<Customer, StripeError> {
        let form: Vec<_> = metadata.iter().map(|(name, value)| (format!("metadata[{name}]"), *value)).collect();
        Ok(stripe::customer(&self.post("customers", &form, idempotency_key).await?)?)
    }

    /// The customer, unless Stripe knows none any more.
    pub async fn customer(&self, id: &str) -> Result<Option<Customer>, StripeError> {
        match self.get(&format!("customers/{id}"), &[]).await {
            Ok(body) => Ok(Some(stripe::customer(&body)?).filter(|customer| !customer.deleted)),
            Err(StripeError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A customer's subscriptions, ended ones too, newest first.
    pub async fn subscriptions(&self, customer: &str) -> Result<Vec<Subscription>, StripeError> {
        let query = [("customer", customer), ("status", "all"), ("limit", SUBSCRIPTIONS)];
        Ok(stripe::subscriptions(&self.get("subscriptions", &query).await?)?)
    }

    /// A customer's newest invoices, newest first.
    pub async fn invoices(&self, customer: &str) -> Result<Vec<BillingInvoice>, StripeError> {
        Ok(stripe::invoices(&self.get("invoices", &[("customer", customer), ("limit", INVOICES)]).await?)?)
    }

    /// Opens a checkout session for a subscription.
    pub async fn create_checkout(&self, new: &NewCheckout<'_>) -> Result<Page, StripeError> {
        let fixed = [
            ("mode", "subscription"),
            ("customer", new.customer),
            ("line_items[0][price]", new.price),
            ("line_items[0][quantity]", "1"),
            ("success_url", new.success_url),
            ("cancel_url", new.cancel_url),
        ];
        let mut form: Vec<_> = fixed.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        for (name, value) in new.metadata {
            form.push((format!("metadata[{name}]"), value));
            form.push((format!("subscription_data[metadata][{name}]"), value));
        }
        Ok(stripe::page(&self.post("checkout/sessions", &form, new.idempotency_key).await?)?)
    }

    /// Closes a checkout session, so that nobody can subscribe on it. One that is completed or over stays as it is.
    pub async fn expire_checkout(&self, session: &str) -> Result<(), StripeError> {
        let key = format!("hilt-expire-{session}");
        match self.post(&format!("checkout/sessions/{session}/expire"), &[], &key).await {
            Ok(_) | Err(StripeError::Missing | StripeError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Opens the billing portal for a customer.
    pub async fn create_portal(&self, customer: &str, return_url: &str, idempotency_key: &str) -> Result<Page, StripeError> {
        let form = [("customer".to_owned(), customer), ("return_url".to_owned(), return_url)];
        Ok(stripe::page(&self.post("billing_portal/sessions", &form, idempotency_key).await?)?)
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, StripeError> {
        let mut url = self.endpoint(path);
        if !query.is_empty() {
            url = format!("{url}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish());
        }
        self.ask(Method::GET, &url, None).await
    }

    async fn post(&self, path: &str, form: &[(String, &str)], idempotency_key: &str) -> Result<Vec<u8>, StripeError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.ask(Method::POST, &self.endpoint(path), Some((body, idempotency_key))).await
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Asks, and again if Stripe could not serve it: whatever is made carries its key, so a repeat makes nothing more.
    async fn ask(&self, method: Method, url: &str, making: Option<(String, &str)>) -> Result<Vec<u8>, StripeError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let mut request = self.http.request(method.clone(), url).timeout(TIMEOUT);
            request = request.bearer_auth(&self.key).header("Stripe-Version", API_VERSION);
            if let Some((body, key)) = &making {
                request = request.header("Idempotency-Key", *key).body(body.clone());
                request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            }
            let outcome = provider::send(request).await.map_err(StripeError::from).and_then(read);
            match outcome {
                Err(StripeError::Unavailable(why)) if why != TOO_SLOW => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(StripeError::Unavailable(why)),
                },
                decided => return decided,
            }
        }
    }
}

/// Whoever has waited that long is not made to wait again.
const TOO_SLOW: &str = "provider_timeout";

fn read(reply: Reply) -> Result<Vec<u8>, StripeError> {
    match reply.status {
        status if status.is_success() => Ok(reply.body),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(StripeError::KeyRefused),
        StatusCode::TOO_MANY_REQUESTS => Err(StripeError::Unavailable("provider_rate_limited")),
        // Another request with this key is under way.
        StatusCode::CONFLICT => Err(StripeError::Unavailable("provider_unavailable")),
        status => match stripe::refusal(&reply.body) {
            refusal if status == StatusCode::NOT_FOUND || refusal.code.as_deref() == Some("resource_missing") => Err(StripeError::Missing),
            refusal if refusal.kind.is_empty() => Err(ProviderError::MALFORMED.into()),
            refusal => Err(StripeError::Refused(refusal)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> Result<Vec<u8>, StripeError> {
        read(Reply { status: StatusCode::from_u16(status).unwrap(), headers: Default::default(), body: body.into() })
    }

    #[test]
    fn refusals_are_told_apart() {
        let missing = r#"{"error":{"type":"invalid_request_error","code":"resource_missing","param":"customer","message":"No such customer: 'cus_x'"}}"#;
        assert_eq!(told(404, missing), Err(StripeError::Missing));
        assert_eq!(told(400, missing), Err(StripeError::Missing));
        let key = r#"{"error":{"type":"invalid_request_error","message":"Invalid API Key provided: sk_test_****1234"}}"#;
        assert_eq!(told(401, key), Err(StripeError::KeyRefused));
        assert_eq!(told(429, "{}"), Err(StripeError::Unavailable("provider_rate_limited")));
        assert_eq!(told(409, "{}"), Err(StripeError::Unavailable("provider_unavailable")));
        assert_eq!(told(400, "<html>"), Err(StripeError::Unavailable("provider_answer_malformed")));
        let refused = told(400, r#"{"error":{"type":"invalid_request_error","param":"success_url","message":"Not a valid URL"}}"#);
        assert_eq!(refused.unwrap_err().to_string(), "stripe_refused: invalid_request_error - success_url");
        assert_eq!(told(200, "{}"), Ok(b"{}".to_vec()));
    }

    #[test]
    fn the_key_is_not_shown() {
        crate::provider::client().unwrap();
        let stripe = Stripe::new("https://api.stripe.com".parse().unwrap(), "sk_test_secret".into()).unwrap();
        assert!(!format!("{stripe:?}").contains("sk_test"));
        assert_eq!(stripe.endpoint("customers"), "https://api.stripe.com/v1/customers");
    }
}
