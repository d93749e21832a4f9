//! One payment from session to entitlement in the sandbox, over HTTP like any client's.

use events::{clock::new_id, vocab::id::SandboxSessionId};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use uuid::Uuid;

/// What the payment led to.
#[derive(Clone, Debug)]
pub struct Demo {
    /// The session, whose trail tells the story.
    pub session_id: SandboxSessionId,
    /// One line for each step, for a human.
    pub steps: Vec<String>,
}

/// A step that did not go as it should.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The service did not answer.
    #[error("the service did not answer its own request: {0}")]
    Http(#[from] reqwest::Error),
    /// It answered otherwise than expected.
    #[error("{method} {path} answered {status}: {detail}")]
    Refused {
        /// The request's method.
        method: Method,
        /// The request's path.
        path: String,
        /// The answer's status.
        status: u16,
        /// The answer's `detail`.
        detail: String,
    },
    /// The answer lacks a field.
    #[error("an answer has no {0}")]
    Missing(&'static str),
    /// The last answer denies access.
    #[error("access was not granted: {0}")]
    Denied(String),
}

struct Caller<'a> {
    http: Client,
    base_url: &'a str,
    key: &'a str,
}

/// Runs it against the service at `base_url`.
pub async fn run(base_url: &str, sandbox_key: &str) -> Result<Demo, DemoError> {
    let caller = Caller { http: Client::builder().no_proxy().build()?, base_url, key: sandbox_key };
    let product = format!("tour-{}", new_id::<Uuid>().simple());
    let mut steps = Vec::new();

    let app = json!({"name": "Tour", "external_app_id": &product, "default_rail": "solana_usdc"});
    let app = caller.call(Method::POST, "/v1/access/apps", app).await?;
    steps.push(format!("an app                 {}", text(&app, "/id")?));

    let sold = json!({
        "access_app_id": text(&app, "/id")?, "external_product_id": &product, "title": "Tour - 30 days",
        "amount_minor_units": 25_000_000, "merchant_wallet": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
        "entitlement_duration_days": 30, "default_rail": "solana_usdc", "allowed_rails": "all", "status": "active",
    });
    let sold = caller.call(Method::POST, "/v1/access/products", sold).await?;
    steps.push(format!("a product at 25 USDC   {}", text(&sold, "/id")?));

    let question = json!({"external_product_id": &product, "external_customer_id": "cust_123"});
    let before = caller.call(Method::POST, "/v1/access/entitlements/check", question.clone()).await?;
    steps.push(format!("has cust_123 paid?     no ({})", text(&before, "/reason")?));

    let session =
        json!({"external_product_id": &product, "external_customer_id": "cust_123", "rail": "x402", "confirm_sandbox_mode": true});
    let session = caller.call(Method::POST, "/v1/access/sandbox/payment-sessions", session).await?;
    let session_id = text(&session, "/sandbox_session/id")?;
    steps.push(format!("a sandbox session      {session_id}"));

    let question_on_rail = json!({"external_product_id": &product, "external_customer_id": "cust_123", "rail": "x402"});
    let pending = caller.call(Method::POST, "/v1/access/entitlements/check", question_on_rail.clone()).await?;
    steps.push(format!("has cust_123 paid?     no ({})", text(&pending, "/reason")?));

    let path = format!("/v1/access/sandbox/payment-sessions/{session_id}/confirm");
    let confirmed = caller.call(Method::POST, &path, json!({"proof": text(&session, "/sandbox_session/proof")?})).await?;
    steps.push(format!("the proof is confirmed {}", text(&confirmed, "/entitlement/id")?));

    let after = caller.call(Method::POST, "/v1/access/entitlements/check", question_on_rail).await?;
    if after["has_access"] != json!(true) {
        return Err(DemoError::Denied(text(&after, "/reason")?));
    }
    steps.push(format!("has cust_123 paid?     yes ({}), until {}", text(&after, "/reason")?, text(&after, "/expires_at")?));
    Ok(Demo { session_id: session_id.parse().map_err(|_| DemoError::Missing("session id"))?, steps })
}

impl Caller<'_> {
    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value, DemoError> {
        let request = self.http.request(method.clone(), format!("{}{path}", self.base_url));
        let request = request.header("X-Hilt-Key", self.key).header("Idempotency-Key", new_id::<Uuid>().to_string());
        let answer = request.json(&body).send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        match status.is_success() {
            true => Ok(body),
            false => {
                let detail = body["detail"].as_str().unwrap_or_default().to_owned();
                Err(DemoError::Refused { method, path: path.to_owned(), status: status.as_u16(), detail })
            }
        }
    }
}

fn text(body: &Value, pointer: &'static str) -> Result<String, DemoError> {
    body.pointer(pointer).and_then(Value::as_str).map(str::to_owned).ok_or(DemoError::Missing(pointer))
}
