//! A stand-in for Stripe: it speaks the API as documented for what the service uses (form-encoded requests, idempotency keys, error bodies,
//! ids of its kinds), keeps what it was asked, and fails as it is told. What happens on Stripe's own pages is done by methods.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use events::clock::Clock;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The account's secret key.
pub const KEY: &str = "sk_test_51HiltTestKeyOfTheStandIn";
/// What to configure as `HILT_STRIPE_WORKSPACE_PRICES`.
pub const PRICES: &str = "starter_monthly=price_starterMonthly,starter_yearly=price_starterYearly,\
                          growth_monthly=price_growthMonthly,growth_yearly=price_growthYearly,\
                          scale_monthly=price_scaleMonthly,scale_yearly=price_scaleYearly";
const MONTH: i64 = 30 * 86_400;

/// How to answer a call, other than well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Too many requests.
    TooMany,
    /// A fault of Stripe's own.
    Broken,
    /// A page of a server in between.
    Html,
    /// No answer.
    Hang,
}

/// A call that arrived with the right key.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// `POST /v1/customers`.
    pub route: String,
    /// Its query or form.
    pub fields: BTreeMap<String, String>,
    /// Its `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// What the same `Idempotency-Key` is answered with.
#[derive(Clone)]
struct Kept {
    call: Call,
    status: u16,
    body: Value,
}

#[derive(Default)]
struct Shared {
    script: VecDeque<Fault>,
    then: Option<Fault>,
    calls: Vec<Call>,
    strangers: usize,
    kept: HashMap<String, Kept>,
    made: usize,
    customers: BTreeMap<String, Value>,
    sessions: BTreeMap<String, Value>,
    /// In the order they were made.
    subscriptions: Vec<Value>,
    invoices: Vec<Value>,
}

type Handle = Arc<Mutex<Shared>>;

/// A running stand-in. It ends with the value.
pub struct StripeServer {
    /// What to configure as `HILT_STRIPE_API_URL`.
    pub url: String,
    shared: Handle,
    task: JoinHandle<()>,
}

impl StripeServer {
    /// Starts one on a port that the system chooses.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Handle::default();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        StripeServer { url, shared, task }
    }

    /// The settings of a service that has an account here.
    pub fn settings(&self) -> [(&'static str, &str); 3] {
        [("HILT_STRIPE_API_URL", &self.url), ("HILT_STRIPE_SECRET_KEY", KEY), ("HILT_STRIPE_WORKSPACE_PRICES", PRICES)]
    }

    /// Fails the next calls by `script`, and all later ones as `then` says.
    pub fn fails(&self, script: impl IntoIterator<Item = Fault>, then: Option<Fault>) {
        let mut shared = lock(&self.shared);
        (shared.script, shared.then) = (script.into_iter().collect(), then);
    }

    /// Every call to `route`, in order.
    pub fn calls(&self, route: &str) -> Vec<Call> {
        lock(&self.shared).calls.iter().filter(|call| call.route == route).cloned().collect()
    }

    /// How many calls arrived, with whatever key.
    pub fn asked(&self) -> usize {
        let shared = lock(&self.shared);
        shared.calls.len() + shared.strangers
    }

    /// The merchant pays on the page of that checkout session: its subscription's id.
    pub fn completes(&self, session: &str) -> String {
        let mut shared = lock(&self.shared);
        let id = shared.id("sub_1R");
        let found = shared.sessions.get_mut(session).expect("the session is there");
        assert_eq!(found["status"], json!("open"), "only an open page takes a payment");
        (found["status"], found["subscription"]) = (json!("complete"), json!(id));
        let (customer, price, metadata) =
            (found["customer"].clone(), found["_price"].as_str().unwrap().to_owned(), found["_subscription_metadata"].clone());
        shared.subscribe(&id, &customer, &price, metadata);
        id
    }

    /// Somebody at Stripe, or another program, subscribes a customer to something else.
    pub fn subscribes_elsewhere(&self, customer: &str) {
        let mut shared = lock(&self.shared);
        let id = shared.id("sub_1R");
        shared.subscribe(&id, &json!(customer), "price_ofSomethingElse", json!({"hilt_product": "hilt_pay_api"}));
    }

    /// The subscription stands otherwise from now on.
    pub fn becomes(&self, subscription: &str, status: &str) {
        self.change(subscription, |found| {
            found["status"] = json!(status);
            if status == "canceled" {
                found["canceled_at"] = json!(Clock::machine().now().seconds());
            }
        });
    }

    /// The merchant chooses another price in the portal.
    pub fn moves_to(&self, subscription: &str, price: &str) {
        self.change(subscription, |found| found["items"]["data"][0]["price"]["id"] = json!(price));
    }

    /// The merchant ends it in the portal, with the period.
    pub fn ends_with_the_period(&self, subscription: &str) {
        self.change(subscription, |found| found["cancel_at_period_end"] = json!(true));
    }

    /// A customer is deleted at Stripe.
    pub fn deletes(&self, customer: &str) {
        let mut shared = lock(&self.shared);
        shared.customers.insert(customer.to_owned(), json!({"id": customer, "object": "customer", "deleted": true}));
    }

    fn change(&self, subscription: &str, change: impl Fn(&mut Value)) {
        let mut shared = lock(&self.shared);
        let found = shared.subscriptions.iter_mut().find(|found| found["id"] == json!(subscription));
        change(found.expect("the subscription is there"));
    }
}

impl Drop for StripeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(shared: &Handle) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Handle>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if header("authorization") != Some(format!("Bearer {KEY}")) {
        lock(&shared).strangers += 1;
        return refused(401, &json!({"type": "invalid_request_error", "message": "Invalid API Key provided: sk_test_****In"}));
    }
    let form = match method {
        Method::POST => body.as_ref(),
        _ => uri.query().unwrap_or_default().as_bytes(),
    };
    let fields = url::form_urlencoded::parse(form).into_owned().collect();
    let call = Call { route: format!("{method} {}", uri.path()), fields, idempotency_key: header("idempotency-key") };
    let fault = {
        let mut shared = lock(&shared);
        shared.calls.push(call.clone());
        shared.script.pop_front().or(shared.then)
    };
    match fault {
        None => {}
        Some(Fault::TooMany) => {
            return refused(429, &json!({"type": "invalid_request_error", "code": "rate_limit", "message": "Slow down"}));
        }
        Some(Fault::Broken) => return refused(500, &json!({"type": "api_error", "message": "Something went wrong on our end"})),
        Some(Fault::Html) => return (StatusCode::BAD_GATEWAY, "<html>Bad Gateway</html>").into_response(),
        Some(Fault::Hang) => return std::future::pending().await,
    }
    if header("stripe-version").is_none_or(|version| !version.starts_with("20")) {
        return refused(400, &json!({"type": "invalid_request_error", "message": "Invalid Stripe API version"}));
    }
    if method == Method::POST && header("content-type").as_deref() != Some("application/x-www-form-urlencoded") && !body.is_empty() {
        return refused(400, &json!({"type": "invalid_request_error", "message": "The body is not a form"}));
    }
    once(&mut lock(&shared), &call)
}

/// Answers the same key with the same answer, and refuses it for another request.
fn once(shared: &mut Shared, call: &Call) -> Response {
    let key = call.idempotency_key.clone().filter(|_| call.route.starts_with("POST"));
    if let Some(kept) = key.as_ref().and_then(|key| shared.kept.get(key)) {
        if kept.call != *call {
            let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
            return refused(400, &json!({"type": "idempotency_error", "message": message}));
        }
        let status = StatusCode::from_u16(kept.status).unwrap();
        return (status, [("idempotent-replayed", "true")], Json(kept.body.clone())).into_response();
    }
    let (status, body) = match done(shared, call) {
        Ok(body) => (200, body),
        Err((status, error)) => (status, json!({"error": error})),
    };
    if let Some(key) = key {
        shared.kept.insert(key, Kept { call: call.clone(), status, body: body.clone() });
    }
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

type Done = Result<Value, (u16, Value)>;

/// What the call does when nothing is wrong.
fn done(shared: &mut Shared, call: &Call) -> Done {
    let field = |name: &str| call.fields.get(name).map(String::as_str);
    let path: Vec<&str> = call.route.split(['/', ' ']).filter(|part| !part.is_empty()).collect();
    match path.as_slice() {
        ["POST", "v1", "customers"] => {
            let id = shared.id("cus_Rilt");
            let customer = json!({"id": id, "object": "customer", "email": null, "livemode": false, "metadata": group(call, "metadata")});
            shared.customers.insert(id, customer.clone());
            Ok(customer)
        }
        ["GET", "v1", "customers", id] => shared.customers.get(*id).cloned().ok_or_else(|| missing("customer", 404)),
        ["GET", "v1", "subscriptions"] => Ok(listed(&shared.subscriptions, field("customer"), field("status") == Some("all"))),
        ["GET", "v1", "invoices"] => Ok(listed(&shared.invoices, field("customer"), true)),
        ["POST", "v1", "checkout", "sessions"] => checkout(shared, call),
        ["POST", "v1", "checkout", "sessions", id, "expire"] => {
            let session = shared.sessions.get_mut(*id).ok_or_else(|| missing("session", 404))?;
            if session["status"] != json!("open") {
                return Err(invalid("session", "Only Checkout Sessions with a status in [\"open\"] can be expired."));
            }
            session["status"] = json!("expired");
            Ok(session.clone())
        }
        ["POST", "v1", "billing_portal", "sessions"] => {
            let customer = shared.customer(field("customer"))?;
            let id = shared.id("bps_1R");
            let url = format!("https://billing.stripe.com/p/session/test_{id}");
            Ok(json!({"id": id, "object": "billing_portal.session", "customer": customer, "return_url": field("return_url"), "url": url}))
        }
        _ => Err((404, json!({"type": "invalid_request_error", "message": format!("Unrecognized request URL ({})", call.route)}))),
    }
}

fn checkout(shared: &mut Shared, call: &Call) -> Done {
    let field = |name: &str| call.fields.get(name).map(String::as_str);
    let customer = shared.customer(field("customer"))?;
    let price = field("line_items[0][price]").unwrap_or_default();
    if !PRICES.split(['=', ',']).any(|known| known == price) {
        return Err(missing("line_items[0][price]", 400));
    }
    if field("mode") != Some("subscription") || field("line_items[0][quantity]") != Some("1") {
        return Err(invalid("mode", "A subscription has one item"));
    }
    for name in ["success_url", "cancel_url"] {
        if !field(name).is_some_and(|url| url.starts_with("https://") || url.starts_with("http://")) {
            return Err(invalid(name, "Not a valid URL"));
        }
    }
    let id = shared.id("cs_test_a1");
    let session = json!({
        "id": id, "object": "checkout.session", "mode": "subscription", "status": "open", "customer": customer, "subscription": null,
        "metadata": group(call, "metadata"), "url": format!("https://checkout.stripe.com/c/pay/{id}"),
        "_price": price, "_subscription_metadata": group(call, "subscription_data[metadata]"),
    });
    shared.sessions.insert(id, session.clone());
    Ok(session)
}

impl Shared {
    fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{:06}", self.made)
    }

    /// The customer of that id, who is not deleted.
    fn customer(&self, id: Option<&str>) -> Done {
        let known = id.and_then(|id| self.customers.get(id)).filter(|customer| customer["deleted"] != json!(true));
        known.map(|customer| customer["id"].clone()).ok_or_else(|| missing("customer", 400))
    }

    fn subscribe(&mut self, id: &str, customer: &Value, price: &str, metadata: Value) {
        let now = Clock::machine().now().seconds();
        let item = json!({"id": self.id("si_R"), "object": "subscription_item", "quantity": 1, "price": {"id": price, "object": "price"},
            "current_period_start": now, "current_period_end": now + MONTH});
        let invoice = self.id("in_1R");
        let number = format!("A1B2C3D4-{:04}", self.made);
        self.subscriptions.push(json!({
            "id": id, "object": "subscription", "status": "active", "customer": customer, "created": now + i64::try_from(self.made).unwrap(),
            "cancel_at_period_end": false, "canceled_at": null, "metadata": metadata,
            "items": {"object": "list", "data": [item], "has_more": false},
        }));
        self.invoices.push(json!({
            "id": invoice, "object": "invoice", "number": number, "status": "paid", "currency": "usd", "total": 34_900,
            "amount_paid": 34_900, "created": now, "period_start": now, "period_end": now, "customer": customer,
            "hosted_invoice_url": "https://invoice.stripe.com/i/acct_1/test_secretLink", "invoice_pdf": "https://pay.stripe.com/secretLink/pdf",
        }));
    }
}

/// A customer's objects, newest first.
fn listed(all: &[Value], customer: Option<&str>, ended_too: bool) -> Value {
    let shown = |object: &&Value| object["customer"].as_str() == customer && (ended_too || object["status"] != json!("canceled"));
    json!({"object": "list", "data": all.iter().rev().filter(shown).collect::<Vec<_>>(), "has_more": false})
}

/// The members of a group of fields: `metadata[a]=1` as `{"a": "1"}`.
fn group(call: &Call, name: &str) -> Value {
    let member = |(field, value): (&String, &String)| {
        let member = field.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?;
        Some((member.to_owned(), json!(value)))
    };
    Value::Object(call.fields.iter().filter_map(member).collect())
}

fn missing(param: &str, status: u16) -> (u16, Value) {
    let message = format!("No such {param}: 'of_a_secret_name'");
    (status, json!({"type": "invalid_request_error", "code": "resource_missing", "param": param, "message": message}))
}

fn invalid(param: &str, message: &str) -> (u16, Value) {
    (400, json!({"type": "invalid_request_error", "param": param, "message": message}))
}

fn refused(status: u16, error: &Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(json!({"error": error}))).into_response()
}
