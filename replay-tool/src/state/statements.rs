//! Statements on record: what their lines and the log come to, once more.

use crate::{
    class::{Doing, Failure},
    reconcile::{Movements, mismatch, on_record},
};
use events::vocab::stream::Recorded;
use futures::TryStreamExt as _;
use projections::state::Replay;
use sqlx::PgConnection;

/// Holds every statement on record against its lines and against `replay`, and says how many there are. One of them is in memory at a
/// time.
pub(super) async fn hold(connection: &mut PgConnection, replay: &Replay) -> Result<u64, Failure> {
    // Folded rows are read out again for it, which costs nothing where there is no statement.
    let mut movements: Option<Movements> = None;
    let mut rows = sqlx::query_as::<_, Recorded>(include_str!("sql/statements.sql")).fetch(connection);
    let (mut held, mut stream) = (0, Vec::<Recorded>::new());
    loop {
        let next = rows.try_next().await.doing("reading the statements on record")?;
        let same = next.as_ref().zip(stream.first()).is_some_and(|(next, first)| next.envelope.stream == first.envelope.stream);
        if !same && !stream.is_empty() {
            let movements = match &mut movements {
                Some(movements) => movements,
                none => none.insert(Movements::of(replay)?),
            };
            one(&stream, movements)?;
            held += 1;
            stream.clear();
        }
        match next {
            Some(recorded) => stream.push(recorded),
            None => return Ok(held),
        }
    }
}

fn one(stream: &[Recorded], movements: &Movements) -> Result<(), Failure> {
    let record = on_record(stream)?;
    let legs = movements.legs(&record.scope, record.imported.through_position);
    record.hold(legs).map_err(|wrong| mismatch(stream, wrong))
}
