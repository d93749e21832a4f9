//! Clients that open and confirm sandbox sessions, and send a request again under the same key until they have its answer.

use crate::service::PATIENCE;
use reqwest::Client;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use uuid::Uuid;

const CLIENTS: usize = 8;
/// Every so many writes a client does not wait long enough for the first answer.
const IMPATIENT: usize = 4;
const SESSIONS: &str = "/v1/access/sandbox/payment-sessions";

/// What clients wrote.
pub struct Bought {
    /// Position of the last event before.
    pub since: u64,
    /// Every acknowledged write; nothing else was asked for.
    pub written: Vec<Written>,
}

/// An acknowledged write.
#[derive(Clone, Debug)]
pub struct Written {
    /// Its idempotency key, and its request id.
    pub key: String,
    /// The sandbox session that the answer names.
    pub session: Uuid,
    /// The entitlement that the answer names.
    pub entitlement: Uuid,
    /// `Hilt-Position` of the answer.
    pub position: u64,
    /// Whether it confirmed the session.
    pub confirmed: bool,
    request: Request,
}

#[derive(Clone, Debug)]
struct Request {
    path: String,
    body: Value,
}

struct Answer {
    body: Value,
    position: u64,
    replayed: bool,
}

struct Shared {
    http: Client,
    base_urls: Vec<String>,
    key: String,
    over: AtomicBool,
    acknowledged: AtomicUsize,
    repeated: AtomicUsize,
    replayed: AtomicUsize,
}

/// Running clients.
pub struct Load {
    shared: Arc<Shared>,
    since: u64,
    clients: Vec<JoinHandle<Vec<Written>>>,
}

impl Load {
    /// Makes a product with that sandbox key and starts buying it, at any of these addresses.
    pub async fn start(base_urls: &[&str], key: &str) -> Self {
        let shared = Arc::new(Shared {
            http: Client::builder().no_proxy().build().unwrap(),
            base_urls: base_urls.iter().map(|&url| url.to_owned()).collect(),
            key: key.to_owned(),
            over: AtomicBool::new(false),
            acknowledged: AtomicUsize::new(0),
            repeated: AtomicUsize::new(0),
            replayed: AtomicUsize::new(0),
        });
        let (product, since) = shared.open_shop().await;
        let client = |number| tokio::spawn(shared.clone().buy(number, product.clone()));
        Load { clients: (0..CLIENTS).map(client).collect(), since, shared }
    }

    /// Waits for that many more acknowledgements; how long it took.
    pub async fn more(&self, count: usize) -> Duration {
        let begun = Instant::now();
        let wanted = self.shared.acknowledged.load(Ordering::SeqCst) + count;
        while self.shared.acknowledged.load(Ordering::SeqCst) < wanted {
            assert!(begun.elapsed() < PATIENCE, "{count} more writes are acknowledged in time");
            assert!(self.clients.iter().all(|client| !client.is_finished()), "a client met an answer that it cannot accept");
            sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }

    /// Lets every client get the answer it waits for, and sends some of the requests once more.
    pub async fn finish(self) -> Bought {
        self.shared.over.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await.unwrap());
        }
        for written in all.iter().step_by(all.len() / 20 + 1) {
            let again = self.shared.ask(0, &written.key, &written.request).await;
            assert!(again.replayed, "an answer is stored: {written:?}");
            assert_eq!((again.position, written.session), (written.position, id(&again.body["sandbox_session"])));
        }
        let count = |number: &AtomicUsize| number.load(Ordering::SeqCst);
        let (repeated, replayed) = (count(&self.shared.repeated), count(&self.shared.replayed));
        println!("{} writes acknowledged; {repeated} requests sent again, {replayed} of them had taken effect before", all.len());
        Bought { since: self.since, written: all }
    }
}

impl Shared {
    /// The product, and the position of the event that made it.
    async fn open_shop(&self) -> (String, u64) {
        let name = format!("shop-{}", events::clock::new_id::<Uuid>().simple());
        let body = json!({"name": "Shop", "external_app_id": &name, "default_rail": "solana_usdc"});
        let app = self.ask(0, &format!("{name}-app"), &Request { path: "/v1/access/apps".into(), body }).await;
        let body = json!({
            "access_app_id": app.body["id"], "external_product_id": &name, "title": "30 days", "amount_minor_units": 25_000_000,
            "merchant_wallet": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "entitlement_duration_days": 30,
            "default_rail": "solana_usdc", "allowed_rails": "all", "status": "active",
        });
        let product = self.ask(0, &format!("{name}-product"), &Request { path: "/v1/access/products".into(), body }).await;
        (name, product.position)
    }

    async fn buy(self: Arc<Self>, client: usize, product: String) -> Vec<Written> {
        let mut all = Vec::new();
        while !self.over.load(Ordering::SeqCst) {
            let customer = format!("customer-{client}-{}", all.len());
            let body =
                json!({"external_product_id": &product, "external_customer_id": customer, "rail": "x402", "confirm_sandbox_mode": true});
            let (opened, written) = self.write(client, Request { path: SESSIONS.into(), body }).await;
            let path = format!("{SESSIONS}/{}/confirm", written.session);
            all.push(written);
            // A repeated answer does not show the proof once more; such a session stays open.
            let Some(proof) = opened.body["sandbox_session"]["proof"].as_str() else { continue };
            let (_, written) = self.write(client, Request { path, body: json!({"proof": proof}) }).await;
            all.push(written);
        }
        all
    }

    async fn write(&self, client: usize, request: Request) -> (Answer, Written) {
        let key = events::clock::new_id::<Uuid>().to_string();
        let number = self.acknowledged.load(Ordering::SeqCst);
        if number.is_multiple_of(IMPATIENT) {
            // Between no time and about what an answer takes, so that it is lost before, in and after the commit.
            let moment = Duration::from_millis(2 * (number / IMPATIENT % 40) as u64);
            let _ = timeout(moment, self.try_once(&self.base_urls[client % self.base_urls.len()], &key, &request)).await;
            self.repeated.fetch_add(1, Ordering::SeqCst);
        }
        let answer = self.ask(client, &key, &request).await;
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
        self.replayed.fetch_add(usize::from(answer.replayed), Ordering::SeqCst);
        let confirmed = request.path != SESSIONS;
        let entitlement = id(&answer.body[if confirmed { "entitlement" } else { "pending_entitlement" }]);
        let session = id(&answer.body["sandbox_session"]);
        let written = Written { key, session, entitlement, position: answer.position, confirmed, request };
        (answer, written)
    }

    /// Sends the request until it is answered for good.
    async fn ask(&self, client: usize, key: &str, request: &Request) -> Answer {
        let begun = Instant::now();
        for attempt in client.. {
            if let Some(answer) = self.try_once(&self.base_urls[attempt % self.base_urls.len()], key, request).await {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{} is answered in time", request.path);
            self.repeated.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_millis(20)).await;
        }
        unreachable!()
    }

    /// The answer, if there is one and it does not ask to come again.
    async fn try_once(&self, base_url: &str, key: &str, Request { path, body }: &Request) -> Option<Answer> {
        let sent = self.http.post(format!("{base_url}{path}")).header("X-Hilt-Key", &self.key).timeout(Duration::from_secs(3));
        let answer = sent.header("Idempotency-Key", key).header("X-Request-Id", key).json(body).send().await.ok()?;
        let position = answer.headers().get("hilt-position").map(|position| position.to_str().unwrap().parse().unwrap());
        let (status, replayed) = (answer.status().as_u16(), answer.headers().contains_key("idempotency-replayed"));
        let body: Value = answer.json().await.ok()?;
        match (status, body["code"].as_str()) {
            (200 | 201, _) => Some(Answer { body, position: position.expect("a write has a position"), replayed }),
            (503, _) | (409, Some("idempotency_in_progress" | "conflict")) => None,
            _ => panic!("{path} answered {status}: {body}"),
        }
    }
}

fn id(object: &Value) -> Uuid {
    object["id"].as_str().unwrap_or_else(|| panic!("no id in {object}")).parse().unwrap()
}
