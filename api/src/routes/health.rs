//! RT-118 `/healthz`, `/readyz`, and `/metrics`: whether the process lives, whether it can serve, and what it has done.

use crate::{
    http::{answers, problem::Problem},
    state::State,
};
use axum::{
    Json,
    extract::State as Part,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use events::relay::{Relay, RelayState};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use projections::{
    access_index::AccessIndex,
    runner::{Projections, ReaderHealth, State as ReaderState},
};
use serde::Serialize;
use sqlx::PgPool;
use std::{sync::OnceLock, time::Duration};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::{WorkerState, settle::Settler};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics_page))
}

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Events that a read model may be behind while it counts as ready.
const LAG: u64 = 10_000;
/// How often what was measured is put into its buckets.
const UPKEEP: Duration = Duration::from_secs(5);
/// Upper bounds of the buckets of durations, in seconds.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Collects what the process measures; the first call begins. `None` when another collector is installed.
pub fn install_metrics() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let durations = Matcher::Suffix("_seconds".to_owned());
        PrometheusBuilder::new().set_buckets_for_metric(durations, &BUCKETS).ok()?.install_recorder().ok()
    };
    HANDLE.get_or_init(install).as_ref()
}

/// Puts what was measured into its buckets now and then, until `stop`: measurements that nobody fetches would otherwise pile up.
pub async fn keep_metrics(stop: CancellationToken) {
    let Some(handle) = install_metrics() else { return };
    stop.run_until_cancelled(async {
        loop {
            tokio::time::sleep(UPKEEP).await;
            handle.run_upkeep();
        }
    })
    .await;
}

/// What a process can tell of itself.
#[derive(Clone)]
pub struct Health {
    pool: PgPool,
    projections: Projections,
    relay: Option<Relay>,
    workers: Option<workers::Watch>,
    settler: Settler,
    sends_mail: bool,
    index: AccessIndex,
}

impl Health {
    /// Of these parts; a process that does not have a role has no part for it.
    pub fn new(pool: PgPool, projections: Projections, relay: Option<Relay>, workers: Option<workers::Watch>, settler: Settler) -> Self {
        install_metrics();
        Health { pool, projections, relay, workers, settler, sends_mail: false, index: AccessIndex::default() }
    }

    /// The same, of a deployment that has a mail server or has none.
    pub fn sending_mail(self, sends_mail: bool) -> Self {
        Health { sends_mail, ..self }
    }

    /// The same, of a process with this index.
    pub fn with_index(self, index: AccessIndex) -> Self {
        Health { index, ..self }
    }

    fn access_index(&self) -> AccessIndexReadiness {
        let health = self.index.health();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        AccessIndexReadiness {
            state: health.state.as_str(),
            position: health.position.checked_sub(1),
            lag: self.projections.deps().log.known_head().saturating_sub(health.position),
            age_ms: health.age.map(millis),
            products: health.products,
            entitlements: health.entitlements,
            memberships: health.memberships,
            bytes: health.bytes,
            loaded_in_ms: health.loaded_in.map(millis),
            fallbacks: health.refused,
            error: health.error,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "gauges are floating-point numbers")]
    fn measure_index(&self) {
        let index = self.access_index();
        metrics::gauge!("hilt_access_index_position").set(index.position.unwrap_or(0) as f64);
        metrics::gauge!("hilt_access_index_lag").set(index.lag as f64);
        metrics::gauge!("hilt_access_index_age_seconds")
            .set(index.age_ms.map_or(f64::INFINITY, |age| Duration::from_millis(age).as_secs_f64()));
        metrics::gauge!("hilt_access_index_entries", "kind" => "product").set(index.products as f64);
        metrics::gauge!("hilt_access_index_entries", "kind" => "entitlement").set(index.entitlements as f64);
        metrics::gauge!("hilt_access_index_entries", "kind" => "membership").set(index.memberships as f64);
        metrics::gauge!("hilt_access_index_bytes").set(index.bytes as f64);
    }

    async fn database(&self) -> Dependency {
        let ping = sqlx::query(include_str!("sql/ping.sql")).execute(&self.pool);
        let outcome = tokio::time::timeout(PATIENCE, ping).await;
        match outcome {
            Ok(Ok(_)) => Dependency::up("database", true),
            Ok(Err(_)) => Dependency::down("database", true, "does not answer"),
            Err(_) => Dependency::down("database", true, "does not answer in time"),
        }
    }

    /// Nothing that is read needs NATS, so its absence does not stop a process from serving.
    fn nats(&self) -> Dependency {
        match &self.projections.deps().nats {
            None => Dependency { name: "nats", ok: true, required: false, detail: Some("not configured") },
            Some(client) if client.connection_state() == async_nats::connection::State::Connected => Dependency::up("nats", false),
            Some(_) => Dependency::down("nats", false, "is not connected: events are read from the database"),
        }
    }

    fn chain(&self) -> Dependency {
        match self.settler.chain() {
            Some(_) => {
                Dependency { name: "solana_rpc", ok: true, required: false, detail: Some("configured; asked when a payment is looked at") }
            }
            None => Dependency::down("solana_rpc", false, "not configured: live payments cannot be settled"),
        }
    }

    fn smtp(&self) -> Dependency {
        match self.sends_mail {
            true => Dependency { name: "smtp", ok: true, required: false, detail: Some("configured; asked when a mail is due") },
            false => Dependency::down("smtp", false, "not configured: mails stay queued"),
        }
    }

    fn relay(&self) -> Option<RelayReadiness> {
        let health = self.relay.as_ref()?.health();
        let state = match health.state {
            RelayState::Standby => "standby",
            RelayState::Leading => "leading",
            RelayState::Retrying => "retrying",
        };
        Some(RelayReadiness { state, position: health.position, lag: health.lag(), refills: health.refills, error: health.last_error })
    }

    fn workers(&self) -> Vec<WorkerReadiness> {
        let Some(health) = self.workers.as_ref().map(workers::Watch::health) else { return Vec::new() };
        let subscriptions = health.subscriptions.into_iter().map(|reader| WorkerReadiness {
            name: reader.name.clone(),
            state: reader.state.as_str(),
            error: trouble(&reader.state),
            queued: usize::try_from(reader.lag).unwrap_or(usize::MAX),
            under_way: 0,
        });
        let led = health.workers.into_iter().map(|worker| WorkerReadiness {
            name: worker.name.to_owned(),
            state: worker.state.as_str(),
            error: match worker.state {
                WorkerState::Retrying { error } => Some(error),
                WorkerState::Standby | WorkerState::Leading | WorkerState::Stopped => None,
            },
            queued: worker.queued,
            under_way: worker.under_way,
        });
        subscriptions.chain(led).collect()
    }
}

/// Alive.
#[derive(Serialize, ToSchema)]
struct Alive {
    /// `ok`.
    status: &'static str,
}

/// Whether the process can serve.
#[derive(Serialize, ToSchema)]
struct ServiceReadiness {
    ready: bool,
    dependencies: Vec<Dependency>,
    projections: Vec<ProjectionReadiness>,
    /// Null in a process that does not relay.
    relay: Option<RelayReadiness>,
    workers: Vec<WorkerReadiness>,
    access_index: AccessIndexReadiness,
}

/// The entitlement check's index in this process. While it is not current PostgreSQL answers, so that a process is ready without it.
#[derive(Serialize, ToSchema)]
struct AccessIndexReadiness {
    /// `off`, `loading`, `catching_up`, `live` or `broken`.
    state: &'static str,
    /// Position of the last event folded in.
    position: Option<u64>,
    /// Events committed and not yet folded in.
    lag: u64,
    /// Milliseconds since it last made certain that nothing was missing; null until it is filled.
    age_ms: Option<u64>,
    products: usize,
    entitlements: usize,
    memberships: usize,
    /// Bytes that entitlements and memberships occupy.
    bytes: usize,
    /// How long the last fill took.
    loaded_in_ms: Option<u64>,
    /// Checks that PostgreSQL answered instead.
    fallbacks: u64,
    error: Option<String>,
}

/// Something outside the process.
#[derive(Serialize, ToSchema)]
struct Dependency {
    name: &'static str,
    ok: bool,
    /// Whether the process is not ready without it.
    required: bool,
    detail: Option<&'static str>,
}

impl Dependency {
    fn up(name: &'static str, required: bool) -> Self {
        Dependency { name, ok: true, required, detail: None }
    }
    fn down(name: &'static str, required: bool, detail: &'static str) -> Self {
        Dependency { name, ok: false, required, detail: Some(detail) }
    }
}

/// A read model.
#[derive(Serialize, ToSchema)]
struct ProjectionReadiness {
    name: String,
    version: i32,
    ready: bool,
    /// `starting`, `standby`, `rebuilding`, `live`, `retrying`, `poisoned`, `superseded` or `stopped`.
    state: &'static str,
    /// Position of the last event applied.
    checkpoint: Option<u64>,
    /// Events committed and not yet applied.
    lag: u64,
    /// Whether events come through JetStream now.
    streaming: bool,
    /// What holds it up.
    error: Option<String>,
}

/// The relay to JetStream.
#[derive(Serialize, ToSchema)]
struct RelayReadiness {
    /// `standby`, `leading` or `retrying`.
    state: &'static str,
    /// Position of the last event acknowledged.
    position: Option<u64>,
    /// Events committed and not yet published.
    lag: u64,
    /// How often the stream had lost events and was filled again.
    refills: u64,
    error: Option<String>,
}

/// A worker.
#[derive(Serialize, ToSchema)]
struct WorkerReadiness {
    name: String,
    state: &'static str,
    queued: usize,
    under_way: usize,
    error: Option<String>,
}

impl From<ReaderHealth> for ProjectionReadiness {
    fn from(reader: ReaderHealth) -> Self {
        // On standby another process applies the events, and this one reads what it has written.
        let ready = match reader.state {
            ReaderState::Live => reader.lag <= LAG,
            ReaderState::Standby | ReaderState::Rebuilding => true,
            ReaderState::Starting
            | ReaderState::Retrying { .. }
            | ReaderState::Poisoned { .. }
            | ReaderState::Superseded
            | ReaderState::Stopped => false,
        };
        ProjectionReadiness {
            ready,
            state: reader.state.as_str(),
            error: trouble(&reader.state),
            name: reader.name,
            version: reader.version,
            checkpoint: reader.checkpoint,
            lag: reader.lag,
            streaming: reader.streaming,
        }
    }
}

fn trouble(state: &ReaderState) -> Option<String> {
    match state {
        ReaderState::Retrying { error } => Some(error.clone()),
        ReaderState::Poisoned { position, reason, .. } => Some(format!("the event at position {position} cannot be folded: {reason}")),
        ReaderState::Starting
        | ReaderState::Standby
        | ReaderState::Rebuilding
        | ReaderState::Live
        | ReaderState::Superseded
        | ReaderState::Stopped => None,
    }
}

/// Alive
#[utoipa::path(get, path = "/healthz", tag = "health", operation_id = "healthz",
    responses((status = 200, description = "The process answers", body = Alive), answers::Anyone))]
async fn healthz() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// Ready to serve
#[utoipa::path(get, path = "/readyz", tag = "health", operation_id = "readyz",
    responses((status = 200, description = "Ready", body = ServiceReadiness), (status = 503, description = "Not ready", body = ServiceReadiness), answers::Unexpected))]
async fn readyz(Part(health): Part<Health>) -> Response {
    let dependencies = vec![health.database().await, health.nats(), health.chain(), health.smtp()];
    let projections: Vec<ProjectionReadiness> = health.projections.health().into_iter().map(ProjectionReadiness::from).collect();
    let ready = dependencies.iter().all(|part| part.ok || !part.required) && projections.iter().all(|projection| projection.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = ServiceReadiness {
        ready,
        dependencies,
        projections,
        relay: health.relay(),
        workers: health.workers(),
        access_index: health.access_index(),
    };
    (status, Json(body)).into_response()
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "health", operation_id = "metrics",
    responses((status = 200, description = "Text exposition format", body = String, content_type = "text/plain"), answers::Anyone))]
async fn metrics_page(Part(health): Part<Health>) -> Result<impl IntoResponse, Problem> {
    metrics::gauge!("hilt_database_connections").set(f64::from(health.pool.size()));
    health.measure_index();
    let page = install_metrics().map(|handle| {
        handle.run_upkeep();
        handle.render()
    });
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.unwrap_or_default()))
}
