//! Two members of staff, and rails of which a second can be switched on.

use crate::{an_app, product_body, put};
use api::http::jwt::Role;
use events::vocab::rail::RailId;
use hilt_tests::app::{Answer, TestApp};
use ledger::rails::{Gate, Rails};
use reqwest::Method;
use serde_json::{Value, json};

/// A merchant's address on an EVM chain.
pub const EVM: &str = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
/// The collector of Hilt's fee.
pub const COLLECTOR: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

/// Two members of staff.
pub struct Desk<'a> {
    app: &'a TestApp,
    tokens: [String; 2],
}

impl<'a> Desk<'a> {
    pub async fn of(app: &'a TestApp) -> Self {
        let token = |sub: &'static str| app.token_of(sub, Role::Staff, None);
        Desk { app, tokens: [token("staff-1").await, token("staff-2").await] }
    }

    /// A request of the first or the second of them.
    pub async fn send(&self, who: usize, method: Method, path: &str, body: Value) -> Answer {
        let request = self.app.request(method, &format!("/v1/admin/access{path}")).bearer_auth(&self.tokens[who]);
        self.app.send(request.json(&body)).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.app.send(self.app.request(Method::GET, &format!("/v1/admin/access{path}")).bearer_auth(&self.tokens[0])).await.ok()
    }

    pub async fn switch(&self, rail: &str, state: &str) -> Answer {
        self.send(0, Method::PUT, &format!("/rails/{rail}/kill-switch"), json!({"state": state, "reason": "drill"})).await
    }

    pub async fn capability(&self, rail: &str, body: Value) -> Answer {
        self.send(0, Method::PUT, &format!("/rails/{rail}/capability"), body).await
    }

    /// Both look at it: the second approves what the first asked for.
    pub async fn agree(&self, action: &str, setting: &Value) -> Value {
        let asked = json!({"action": action, "target": setting["id"], "reason": "looked at the payout"});
        let asked = self.send(0, Method::POST, "/approvals", asked).await.ok();
        let path = format!("/approvals/{}/approve", asked["id"].as_str().unwrap());
        self.send(1, Method::POST, &path, json!({"reason": "so did I"})).await.ok()
    }

    pub async fn apply(&self, setting: &Value, approval: &Value) -> Answer {
        let path = format!("/rail-settings/{}/apply-verification", setting["id"].as_str().unwrap());
        self.send(0, Method::POST, &path, json!({"approval_id": approval["id"]})).await
    }

    /// Looked at by two and verified.
    pub async fn verify(&self, setting: &Value) -> Value {
        let approval = self.agree("rail_setting_verification", setting).await;
        self.apply(setting, &approval).await.ok()
    }

    pub async fn fees(&self, setting: &Value, body: Value) -> Answer {
        self.send(0, Method::PUT, &format!("/rail-settings/{}/fee-collection", setting["id"].as_str().unwrap()), body).await
    }
}

/// Rails as the product would have them if Base had passed every gate: staff may then switch it on.
pub fn with_base() -> Rails {
    Rails::standard().with(RailId::BaseUsdc, |rail| {
        if let Some(adapter) = &mut rail.adapter {
            adapter.passed_gates = Gate::ALL;
        }
    })
}

/// A live setting.
pub async fn setting(app: &TestApp, rail: &str, mut more: Value) -> Value {
    more["mode"] = json!("live");
    if more["enabled"].is_null() {
        more["enabled"] = json!(true);
    }
    put(app, &app.live_key, &format!("/v1/access/rail-settings/{rail}"), more).await.ok()
}

/// A product that allows these rails.
pub async fn product(app: &TestApp, id: &str, wallet: &str, rails: Value) {
    let own = an_app(app, &app.live_key, id).await;
    let mut body = product_body(&own["id"], id, wallet);
    body["allowed_rails"] = rails;
    app.post(&app.live_key, "/v1/access/products", body).await.ok();
}

/// A session on that rail, if one is named.
pub async fn session(app: &TestApp, product: &str, rail: Option<&str>) -> Answer {
    let body = json!({"external_product_id": product, "external_customer_id": "cust_123", "rail": rail});
    app.post(&app.live_key, "/v1/access/payment-sessions", body).await
}

/// What `available-rails` says of one rail: its blockers, and why it creates no session.
pub async fn gates(app: &TestApp, product: &str, rail: &str) -> (Vec<Value>, Value) {
    let all = app.get(&app.live_key, &format!("/v1/access/products/available-rails?external_product_id={product}")).await.ok();
    let of = |list: &Value| list.as_array().unwrap().iter().find(|row| row["rail_id"] == json!(rail)).cloned();
    let row = of(&all["available_rails"]).or_else(|| of(&all["blocked_rails"])).expect("every rail is evaluated");
    let blocked = of(&all["payment_session_options"]["session_blocked_rails"]);
    (row["blockers"].as_array().unwrap().clone(), blocked.map(|row| row["payment_session_blocker"].clone()).unwrap_or_default())
}
