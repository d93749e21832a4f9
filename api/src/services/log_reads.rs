//! That someone reads the log is itself in the log.

use crate::http::{auth::LogReader, problem::Problem, rejection};
use events::{
    clock::{Clock, new_id},
    log::{Context, Log},
    unit::{Unit, is_conflict},
};
use ledger::audit::{self, Audit};

/// Before anything is read: one event an hour and reader.
pub async fn record(log: &Log, clock: &Clock, reader: &LogReader, request_id: String) -> Result<(), Problem> {
    let (name, now) = (reader.actor.to_string(), clock.now());
    let context =
        Context { owner_id: None, livemode: true, actor: reader.actor.clone(), request_id: Some(request_id), correlation_id: new_id() };
    let mut unit = Unit::new(log, context);
    let mut hour = unit.load::<Audit>(audit::stream(&name, now)).await.map_err(|error| rejection::read(&error))?;
    let Ok(_) = unit.decide(&mut hour, audit::Command::RecordRead { reader: name, now }, None);
    match unit.commit().await {
        Ok(_) => Ok(()),
        // A request of the same reader was first; the hour is recorded.
        Err(error) if is_conflict(&error) => Ok(()),
        Err(error) => Err(rejection::append(error)),
    }
}
