//! Sessions over HTTP: the service with keys, idempotency, gates, sealing and its read models running, beside the bare route.

use super::{
    super::{
        process::{Process, Service},
        scratch::BenchError,
        scratch_log::ScratchLog,
        server::Server,
        turn::{Compared, Latency, Turn},
        usage::own_cpu_seconds,
    },
    LifecycleOptions,
    http::{self, Client},
};
use crate::services::keys::{self, Issue};
use events::{
    clock::{Clock, new_id},
    vocab::{
        stream::Actor,
        words::{ActorKind, Scope},
    },
};
use serde::Serialize;
use serde_json::{Value, json};

/// Any address, as a wallet and as the mint that payments are in.
const WALLET: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
/// A nats-server, a chain: nobody listens there, and opening a session needs neither.
const NOBODY: &str = "http://127.0.0.1:9";

/// What was measured. The client of the figures is this process, the other server the one that answers.
#[derive(Clone, Debug, Serialize)]
pub struct Sessions {
    /// Events of one session.
    pub events_each: u64,
    /// Requests that the service refused for lack of room, which count nowhere else.
    pub refused: u64,
    /// The service beside the bare route.
    #[serde(flatten)]
    pub compared: Compared,
}

/// Measures in the same database, on as many connections as there were clients.
pub async fn measure(url: &str, scratch: &ScratchLog, options: &LifecycleOptions) -> Result<Sessions, BenchError> {
    scratch.build_models().await?;
    let owner = new_id();
    let actor = Actor { kind: ActorKind::Operator, id: Some("bench".into()) };
    let issued = keys::issue(&scratch.log, &Clock::machine(), owner, true, Issue::new("bench", Scope::ALL), actor).await;
    let key = issued.map_err(|error| BenchError::Client(error.to_string()))?.key;
    let service = Service {
        database_url: url,
        master_key: hex::encode(scratch.master_key),
        roles: "api,projections",
        settings: &[
            ("HILT_SOLANA_RPC_URL", NOBODY),
            ("HILT_RATE_LIMIT_KEY", "off"),
            ("HILT_RATE_LIMIT_OWNER", "off"),
            ("HILT_RATE_LIMIT_ADDRESS", "off"),
        ],
    };
    let service = Process::service(&service).await?;
    let mut client = Client::open(service.address).await?;
    offer(&mut client, &key).await?;
    let from = scratch.log.head().await?.next_position;
    let length = client.ask(&http::session(&key, "bench-sample", 0)).await?.1.len();
    let events_each = scratch.log.head().await?.next_position - from;
    let arguments = ["lifecycle-floor", &from.to_string(), &events_each.to_string(), &length.to_string()];
    let bare = Process::bare(&arguments, &[("HILT_ADMIN_DATABASE_URL", url)]).await?;

    let server = Server::of(url).await?;
    let mut run = 0;
    let mut turns = Vec::new();
    let mut refused = 0;
    for round in 0..=options.turns.max(1) {
        let mut pair = Vec::new();
        for process in [&bare, &service] {
            run += 1;
            let (turn, without_room) = turn(process, &server, &key, options, run).await?;
            refused += without_room;
            pair.push(turn);
        }
        // The first of each does not count.
        if let (1.., Ok([floor, measured])) = (round, <[Turn; 2]>::try_from(pair)) {
            turns.push((floor, measured));
        }
    }
    Ok(Sessions { events_each, refused, compared: Compared::of(turns)? })
}

/// An app, where payouts go, and something to sell.
async fn offer(client: &mut Client, key: &str) -> Result<(), BenchError> {
    let app = json!({"name": "Pro AI", "external_app_id": "pro-ai"}).to_string();
    let answer = client.ask(&http::request("POST", "/v1/access/apps", key, "bench-app", &app)).await?;
    let app: Value = serde_json::from_slice(answer.1).map_err(|error| BenchError::Client(error.to_string()))?;
    let setting = json!({"enabled": true, "mode": "live", "payout_address": WALLET}).to_string();
    client.ask(&http::request("PUT", "/v1/access/rail-settings/solana_usdc", key, "bench-rail", &setting)).await?;
    let product = json!({
        "access_app_id": app["id"], "external_product_id": "pro-ai-api", "title": "Pro AI API - 30 days",
        "amount_minor_units": 25_000_000, "merchant_wallet": WALLET, "entitlement_duration_days": 30, "default_rail": "solana_usdc",
        "allowed_rails": ["solana_usdc"], "status": "active", "live_mode_confirmed": true,
    });
    client.ask(&http::request("POST", "/v1/access/products", key, "bench-product", &product.to_string())).await?;
    Ok(())
}

async fn turn(process: &Process, server: &Server, key: &str, options: &LifecycleOptions, run: u64) -> Result<(Turn, u64), BenchError> {
    let spent = (own_cpu_seconds(), server.cpu_seconds(), process.cpu_seconds());
    let answers = http::open_sessions(process.address, key, options.clients, options.turn, run).await?;
    let (count, seconds) = (answers.taken.len() as u64, options.turn.as_secs_f64());
    let turn = Turn {
        count,
        seconds,
        per_second: count as f64 / seconds,
        client_cpu_seconds: own_cpu_seconds() - spent.0,
        server_cpu_seconds: server.cpu_seconds() - spent.1,
        other_cpu_seconds: process.cpu_seconds() - spent.2,
        latency: Latency::of(answers.taken),
        peak_memory_bytes: process.peak_memory(),
        parts: Vec::new(),
    };
    Ok((turn, answers.refused))
}
