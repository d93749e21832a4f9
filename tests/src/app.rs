//! A whole service for one test, built the way production builds it: its own database, subject prefix and port, a clock that the
//! test moves, and, if wanted, a real local chain.

use crate::{
    checks,
    db::Database,
    stack::{nats_prefix, nats_url},
};
use api::{
    app::{self, App, Parts},
    config::Config,
    http::jwt::{self, Claims, Role},
    services::keys::{self, Issue},
    state::State,
};
use events::{
    clock::{Clock, new_id},
    vault::KeyPurpose,
    vocab::{
        id::OwnerId,
        stream::Actor,
        words::{ActorKind, Scope},
    },
};
use ledger::rails::Rails;
use projections::runner::{Progress, Projections};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long anything may take that should happen soon.
pub const SOON: Duration = Duration::from_secs(30);

/// A running service and the credentials of one owner.
pub struct TestApp {
    /// Where it answers.
    pub base_url: String,
    /// The owner.
    pub owner: OwnerId,
    /// A live key of his with every scope.
    pub live_key: String,
    /// A sandbox key of his.
    pub sandbox_key: String,
    /// Its parts.
    pub state: State,
    /// Its clock.
    pub clock: Clock,
    /// Its database.
    pub database: Database,
    /// The read models.
    pub projections: Projections,
    http: Client,
    over: CancellationToken,
    served: JoinHandle<std::io::Result<()>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body, null when it is not JSON.
    pub body: Value,
    /// Its `Hilt-Position`.
    pub position: Option<u64>,
    /// Whether it was stored before.
    pub replayed: bool,
}

impl Answer {
    /// The body of a 2xx answer.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.body);
        self.body
    }
    /// The body of a problem with that status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        self.body
    }
}

impl TestApp {
    /// Starts one; `settings` are `HILT_*` variables.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        TestApp::start_with(settings, Rails::standard()).await
    }

    /// Starts one that is built with other rails.
    pub async fn start_with(settings: &[(&str, &str)], rails: Rails) -> Self {
        let database = Database::fresh().await;
        let prefix = nats_prefix();
        // Any valid address serves as the fee wallet; it is a constant so that amounts are the only thing a test varies.
        let fixed = [
            ("HILT_NATS_PREFIX", prefix.as_str()),
            ("HILT_FEE_WALLET", "11111111111111111111111111111112"),
            ("HILT_WEBHOOK_ALLOW_PRIVATE", "true"),
        ];
        let settings = fixed.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::parse(None, settings).expect("a test's settings are valid");
        let clock = Clock::adjustable();
        let parts = Parts {
            config,
            database_url: database.service_url().to_owned(),
            nats_url: Some(nats_url()),
            master_key: [7; 32],
            rails,
            clock: clock.clone(),
            check_network: false,
        };
        let app: App = app::build(parts).await.expect("a test's service is built");
        let (state, projections) = (app.state.clone(), app.projections.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let base_url = format!("http://{}", listener.local_addr().expect("it listens"));
        let over = CancellationToken::new();
        let served = tokio::spawn(app.serve(listener, over.clone().cancelled_owned()));
        let owner: OwnerId = new_id();
        let mut app = TestApp {
            base_url,
            owner,
            live_key: String::new(),
            sandbox_key: String::new(),
            state,
            clock,
            database,
            projections,
            http: Client::builder().no_proxy().build().expect("a client is built"),
            over,
            served,
        };
        app.live_key = app.key(owner, true, Scope::ALL).await;
        app.sandbox_key = app.key(owner, false, Scope::ALL).await;
        app
    }

    /// A key of `owner`.
    pub async fn key(&self, owner: OwnerId, livemode: bool, scopes: &[Scope]) -> String {
        let actor = Actor { kind: ActorKind::Operator, id: Some("test".into()) };
        keys::issue(&self.state.log, &self.clock, owner, livemode, Issue::new("test", scopes), actor).await.expect("a key is issued").key
    }

    /// A token for `role`.
    pub async fn token(&self, role: Role, owner: Option<OwnerId>) -> String {
        self.token_of("test", role, owner).await
    }

    /// A token for `role`, of that person.
    pub async fn token_of(&self, sub: &str, role: Role, owner: Option<OwnerId>) -> String {
        let signer = self.state.vault.signer(KeyPurpose::Jwt).await.expect("there is a signing key");
        let exp = self.clock.now().plus_seconds(3600).seconds();
        let claims = Claims { sub: sub.into(), owner_id: owner.map(|owner| owner.0), role, exp, aud: "hilt".into(), iss: None };
        jwt::sign(&signer, &claims).expect("a token is signed")
    }

    /// A request without a credential.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base_url))
    }

    /// Sends it.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.expect("the service answers");
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (status, position, replayed) = (answer.status(), header("hilt-position"), header("idempotency-replayed"));
        let body = answer.json().await.unwrap_or(Value::Null);
        Answer { status, body, position: position.and_then(|text| text.parse().ok()), replayed: replayed.is_some() }
    }

    /// `POST` with a key and a fresh idempotency key.
    pub async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        let idempotency: Uuid = new_id();
        self.post_as(key, path, &idempotency.to_string(), body).await
    }

    /// `POST` with a key and that idempotency key.
    pub async fn post_as(&self, key: &str, path: &str, idempotency: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).header("X-Hilt-Key", key).header("Idempotency-Key", idempotency);
        self.send(request.json(&body)).await
    }

    /// `GET` with a key.
    pub async fn get(&self, key: &str, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).header("X-Hilt-Key", key)).await
    }

    /// `GET` without a credential.
    pub async fn get_public(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Asks until `holds`, and returns that answer's body.
    pub async fn until(&self, key: &str, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + SOON;
        loop {
            let body = self.get(key, path).await.body;
            if holds(&body) {
                return body;
            }
            assert!(Instant::now() < deadline, "{path} never came to it: {body}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the service, after asserting what every test must leave behind: rebuilt read models equal the live ones, the index
    /// answers what PostgreSQL does, and the log verifies from its bytes.
    pub async fn close(self) {
        self.rebuilt_equals_live().await;
        let options = replay_tool::VerifyOptions::default();
        if let Err(broken) = replay_tool::verify(self.state.log.pool(), &options, &|_| {}).await {
            panic!("the log does not verify: {broken:?}");
        }
        self.end().await;
    }

    /// Waits until every read model shows what is in the log by now: a check is answered from memory, often before they do.
    pub async fn caught_up(&self) {
        let head = self.state.log.head().await.expect("the log has a head").next_position;
        for name in self.projections.names() {
            if let Some(last) = head.checked_sub(1) {
                self.projections.wait_for(name, last, SOON).await.expect("a read model catches up");
            }
        }
    }

    /// Asserts that rebuilt read models equal the live ones, and that the index answers what PostgreSQL does.
    pub async fn rebuilt_equals_live(&self) {
        self.caught_up().await;
        for name in self.projections.names() {
            let compared = self.projections.compare(name, Progress::silent()).await.expect("a read model is compared");
            assert!(compared.differences.is_empty(), "{name}: rebuilt differs from live: {compared:?}");
        }
        checks::same_answers(&self.state, 12).await;
    }

    /// Ends the service and asserts nothing: for histories that break rules on purpose.
    pub async fn end(self) {
        let (nats, stream) = (self.projections.deps().nats.clone(), self.projections.deps().stream.name());
        self.over.cancel();
        self.served.await.expect("the service ends").expect("it ends well");
        // Its stream reserves space that the tests after it need.
        if let Some(nats) = nats {
            let _ = async_nats::jetstream::new(nats).delete_stream(stream).await;
        }
    }
}
