//! `rebuild` and `diff`: read models built again from the log, beside those in use, and compared with them.

use crate::{
    class::{Break, BreakClass, Failure},
    progress::Progress,
};
use events::{
    clock::Clock,
    leader::Leases,
    log::{Log, LogOptions, ReadError},
    relay::StreamConfig,
    vault::{MasterKey, Vault},
};
use projections::runner::{self, BuildError, Comparison, Deps, Difference, Projections};
use serde::Serialize;
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

/// How many wrong rows a break names.
const ROWS_NAMED: usize = 5;

/// A read model that is what the log folds to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ModelHolds {
    /// The projection.
    pub projection: String,
    /// Position of the last event in it; `None` before the first.
    pub checkpoint: Option<u64>,
    /// How many rows it has.
    pub rows: u64,
    /// Whether it was built anew and put in use.
    pub rebuilt: bool,
}

/// Whom to tell how far a projection has come.
pub type Tell = Arc<dyn Fn(&str, Progress) + Send + Sync>;

/// The read models in the database of `pool`, none of them running here. The role must be the service's, since a model that is
/// built for comparison is a table; `master` opens the personal data that models show.
pub async fn open_models(pool: &PgPool, master: MasterKey) -> Result<Projections, Failure> {
    let clock = Clock::machine();
    let vault = Vault::new(pool.clone(), master, clock.clone());
    let log = Log::open(pool.clone(), vault.clone(), clock, LogOptions::default()).await.map_err(|error| match error {
        ReadError::Database(source) => Failure::Database { doing: "opening the log", source },
        ReadError::Codec { .. } => Failure::Unreadable("an event does not decode; run verify"),
    })?;
    let leases = Leases::new(pool.clone());
    Ok(Projections::new(Deps { pool: pool.clone(), log, vault, nats: None, stream: StreamConfig::default(), leases }))
}

/// Folds the log anew for each of `names` and compares the result with the live model; stops at the first that differs.
pub async fn diff(models: &Projections, names: &[String], tell: &Tell) -> Result<Vec<ModelHolds>, Failure> {
    let mut holding = Vec::new();
    for name in names {
        holding.push(compare(models, name, tell, false).await?);
    }
    Ok(holding)
}

/// Builds each of `names` anew beside the live model, puts it in its place, and compares it with yet another fold.
pub async fn rebuild(models: &Projections, names: &[String], tell: &Tell) -> Result<Vec<ModelHolds>, Failure> {
    let mut holding = Vec::new();
    for name in names {
        models.rebuild(name, teller(tell, name)).await.map_err(|source| failure(name, source))?;
        holding.push(compare(models, name, tell, true).await?);
    }
    Ok(holding)
}

async fn compare(models: &Projections, name: &str, tell: &Tell, rebuilt: bool) -> Result<ModelHolds, Failure> {
    let compared = models.compare(name, teller(tell, name)).await;
    let found = compared.map_err(|source| failure(name, source))?;
    match found.differences.is_empty() {
        true => Ok(ModelHolds { projection: found.name, checkpoint: found.checkpoint, rows: found.rows, rebuilt }),
        false => Err(mismatch(&found).into()),
    }
}

fn failure(name: &str, source: BuildError) -> Failure {
    match source {
        BuildError::UnknownProjection => Failure::Input(format!("there is no projection {name}")),
        source => Failure::Projection { name: name.to_owned(), source },
    }
}

fn teller(tell: &Tell, name: &str) -> runner::Progress {
    let (tell, name) = (tell.clone(), name.to_owned());
    runner::Progress::new(move |done| tell(&name, Progress { done: done.events, total: done.of }))
}

/// Names rows and columns; what is in them may be personal.
fn mismatch(found: &Comparison) -> Break {
    let describe = |difference: &Difference| -> (Uuid, String) {
        match difference {
            Difference::Missing(id) => (*id, "is missing".to_owned()),
            Difference::Extra(id) => (*id, "follows from no event".to_owned()),
            Difference::Differs { id, columns } => (*id, format!("differs in {}", columns.join(", "))),
        }
    };
    let named: Vec<String> = found
        .differences
        .iter()
        .take(ROWS_NAMED)
        .map(|difference| {
            let (id, what) = describe(difference);
            format!("row {id} {what}")
        })
        .collect();
    let more = match found.differences.len().saturating_sub(ROWS_NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let detail = format!("{}: {}{more}", found.name, named.join("; "));
    Break::at(BreakClass::ProjectionMismatch, found.checkpoint.unwrap_or(0), detail)
}
