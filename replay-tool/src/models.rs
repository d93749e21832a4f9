//! `rebuild` and `diff`: read models built again from the log, beside those in use, and compared with them.

use crate::{
    class::{Break, BreakClass, Failure},
    progress::Progress,
    state::RowChange,
};
use events::{
    clock::Clock,
    leader::Leases,
    log::{Log, LogOptions, ReadError},
    relay::StreamConfig,
    vault::{MasterKey, Vault},
    vocab::bytes::Hash32,
};
use projections::{
    runner::{self, Afterwards, BuildError, Comparison, Deps, Difference, Projections},
    state::Table,
};
use serde::Serialize;
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

/// How many wrong rows a break names.
pub(crate) const ROWS_NAMED: usize = 5;

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

/// What a build beside a live model has found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ModelBeside {
    /// The projection.
    pub projection: String,
    /// Position of the last event in both; `None` before the first.
    pub checkpoint: Option<u64>,
    /// How many events an earlier run had folded, before it was killed or kept its build.
    pub resumed: u64,
    /// The live model as it was.
    pub before: ModelTable,
    /// What the log makes of it.
    pub after: ModelTable,
    /// How many rows were missing, extra or other.
    pub differing: u64,
    /// Which: `added`, `removed` or `changed` by the swap, and the columns; never what is in them.
    pub differences: Vec<RowChange>,
    /// Whether the build is live now.
    pub swapped: bool,
}

/// A table in one number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ModelTable {
    /// The version of the fold that wrote it.
    pub version: i32,
    /// How many rows it has.
    pub rows: u64,
    /// The root over them, without what is personal.
    pub root: Hash32,
}

/// What builds beside the live models have found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Besides {
    /// Whether the live models are right now: they were, or they are replaced.
    pub ok: bool,
    /// Each of them.
    pub models: Vec<ModelBeside>,
}

/// Builds each of `names` beside the live model, or goes on where an earlier run was killed; compares the two row by row and does
/// with the build what `afterwards` says.
pub async fn rebuild_beside(models: &Projections, names: &[String], afterwards: Afterwards, tell: &Tell) -> Result<Besides, Failure> {
    let mut found = Vec::new();
    for name in names {
        let beside = models.build_beside(name, afterwards, teller(tell, name)).await.map_err(|source| failure(name, source))?;
        let table = |table: Table| ModelTable { version: table.version, rows: table.rows, root: table.root };
        found.push(ModelBeside {
            projection: beside.name,
            checkpoint: beside.checkpoint,
            resumed: beside.resumed,
            before: table(beside.before),
            after: table(beside.after),
            differing: beside.differences.len() as u64,
            differences: beside.differences.iter().map(RowChange::of).collect(),
            swapped: beside.swapped,
        });
    }
    Ok(Besides { ok: found.iter().all(|model| model.swapped || model.differing == 0), models: found })
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
    let detail = describe_all(&found.name, &found.differences, found.differences.len() as u64, ROWS_NAMED);
    Break::at(BreakClass::ProjectionMismatch, found.checkpoint.unwrap_or(0), detail)
}

/// The first `named` of `differing` rows of a read model, in words.
pub(crate) fn describe_all(name: &str, differences: &[Difference], differing: u64, named: usize) -> String {
    let rows: Vec<String> = differences
        .iter()
        .take(named)
        .map(|difference| {
            let (id, what) = describe(difference);
            format!("row {id} {what}")
        })
        .collect();
    let more = match differing.saturating_sub(rows.len() as u64) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{name}: {}{more}", rows.join("; "))
}

/// Which row, and what is wrong with it.
pub(crate) fn describe(difference: &Difference) -> (Uuid, String) {
    match difference {
        Difference::Missing(id) => (*id, "is missing".to_owned()),
        Difference::Extra(id) => (*id, "follows from no event".to_owned()),
        Difference::Differs { id, columns } => (*id, format!("differs in {}", columns.join(", "))),
    }
}
