//! A merchant's dashboard, on a service that has an account at Stripe.

use api::http::jwt::Role;
use hilt_tests::{
    app::{Answer, TestApp},
    stripe::StripeServer,
};
use reqwest::Method;
use serde_json::{Value, json};

pub const SUMMARY: &str = "/v1/billing/summary";
pub const CHECKOUT: &str = "/v1/billing/checkout/stripe";
pub const PORTAL: &str = "/v1/billing/portal/stripe";
pub const REFRESH: &str = "/v1/billing/refresh/stripe";

/// The route of the stand-in that opens checkout sessions.
pub const SESSIONS: &str = "POST /v1/checkout/sessions";

/// See the module.
pub struct Office {
    pub app: TestApp,
    pub stripe: StripeServer,
}

impl Office {
    pub async fn open() -> Self {
        Office::with(&[]).await
    }

    /// With further settings, which win.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let stripe = StripeServer::start().await;
        let settings: Vec<_> = stripe.settings().into_iter().chain(settings.iter().copied()).collect();
        let app = TestApp::start(&settings).await;
        Office { app, stripe }
    }

    /// The owner's dashboard session; it ends within an hour of the clock.
    pub async fn token(&self) -> String {
        self.app.token(Role::Owner, Some(self.app.owner)).await
    }

    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.app.request(method, path).bearer_auth(self.token().await);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        self.app.send(request).await
    }

    pub async fn summary(&self) -> Value {
        self.ask(Method::GET, SUMMARY, None).await.ok()
    }

    pub async fn refresh(&self) -> Answer {
        self.ask(Method::POST, REFRESH, None).await
    }

    pub async fn checkout(&self, plan: &str, interval: &str) -> Answer {
        self.ask(Method::POST, CHECKOUT, Some(checkout(plan, interval))).await
    }

    pub async fn portal(&self) -> Answer {
        self.ask(Method::POST, PORTAL, Some(json!({"return_url": "https://app.hilt.so/dashboard/billing"}))).await
    }

    /// A subscription to growth, paid each month, that the service knows of: its id.
    pub async fn subscribed(&self) -> String {
        let opened = self.checkout("growth", "monthly").await.ok();
        let subscription = self.stripe.completes(opened["session_id"].as_str().unwrap());
        assert_eq!(self.refresh().await.ok()["billing_status"], json!("active"));
        subscription
    }

    /// Events of that type in the log.
    pub async fn events(&self, event_type: &str) -> usize {
        let head = self.app.state.log.head().await.unwrap().next_position;
        let recorded = self.app.state.log.read_range(0..head).await.unwrap();
        recorded.iter().filter(|recorded| recorded.envelope.event_type.as_str() == event_type).count()
    }

    /// How many events the log holds.
    pub async fn head(&self) -> u64 {
        self.app.state.log.head().await.unwrap().next_position
    }

    pub async fn close(self) {
        self.app.close().await;
    }
}

/// The body of AC-38.
pub fn checkout(plan: &str, interval: &str) -> Value {
    json!({
        "plan": plan, "interval": interval, "success_url": "https://app.hilt.so/dashboard/billing?stripe=success",
        "cancel_url": "https://app.hilt.so/dashboard/billing?stripe=cancel",
    })
}
