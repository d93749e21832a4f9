//! The one statement that writes a batch.

use super::{Head, batch::Plan, listen::CHANNEL, rows::integer};
use sqlx::PgConnection;

/// What came of a statement that was sent.
pub(super) enum Sent {
    /// The batch is written.
    Written,
    /// Another process has moved the head: nothing is written.
    Moved,
    /// A unique value was there already: nothing is written.
    Duplicate,
    /// The database refused it for another reason: nothing is written.
    Refused(sqlx::Error),
    /// No answer came.
    Unknown(sqlx::Error),
}

/// Swaps `head` for the plan's and writes its rows, all in one statement, which by itself is one transaction.
pub(super) async fn send(connection: &mut PgConnection, head: &Head, plan: &Plan<'_>) -> Sent {
    let (events, taken, moved, released, answers) =
        (&plan.rows.events, &plan.rows.taken, &plan.rows.moved, &plan.rows.released, &plan.rows.answers);
    let outcome = sqlx::query(include_str!("sql/append.sql"))
        .bind(integer(head.next_position))
        .bind(integer(head.epoch))
        .bind(integer(plan.next.next_position))
        .bind(plan.next.recorded_at.micros())
        .bind(plan.next.frontier.to_bytes())
        .bind(&events.position)
        .bind(&events.version)
        .bind(&events.recorded_at)
        .bind(&events.stream_id)
        .bind(&events.event_id)
        .bind(&events.owner_id)
        .bind(&events.correlation_id)
        .bind(&events.causation_id)
        .bind(&events.subject_id)
        .bind(&events.schema_version)
        .bind(&events.livemode)
        .bind(&events.category)
        .bind(&events.event_type)
        .bind(&events.actor)
        .bind(&events.request_id)
        .bind(&events.prev_leaf)
        .bind(&events.leaf)
        .bind(&events.payload)
        .bind(&events.sealed)
        .bind(&taken.scope)
        .bind(&taken.key)
        .bind(&taken.category)
        .bind(&taken.stream_id)
        .bind(&taken.position)
        .bind(&moved.scope)
        .bind(&moved.key)
        .bind(&moved.category)
        .bind(&moved.stream_id)
        .bind(&moved.position)
        .bind(&released.scope)
        .bind(&released.key)
        .bind(&answers.owner_id)
        .bind(&answers.operation)
        .bind(&answers.key)
        .bind(&answers.request_hash)
        .bind(&answers.status)
        .bind(&answers.body)
        .bind(&answers.position)
        .bind(&answers.created_at)
        .bind(CHANNEL)
        // To the end, not to the first row: the commit comes after it.
        .fetch_all(connection)
        .await;
    match outcome {
        Ok(rows) if rows.is_empty() => Sent::Moved,
        Ok(_) => Sent::Written,
        Err(error) => judge(error),
    }
}

/// Whether an error says that nothing was written, or says nothing.
pub(super) fn judge(error: sqlx::Error) -> Sent {
    let Some(code) = error.as_database_error().and_then(|error| error.code()) else { return Sent::Unknown(error) };
    match &code[..code.len().min(2)] {
        // Unique violation; the foreign keys and checks of the same class are refusals.
        "23" if code == "23505" => Sent::Duplicate,
        // Connection trouble, operator intervention, system and internal errors: the end of the session may have hidden a commit.
        "08" | "57" | "58" | "XX" => Sent::Unknown(error),
        _ => Sent::Refused(error),
    }
}
