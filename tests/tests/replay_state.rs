//! Read models held against the log: the signed number, tables of every kind, the past, what might have been, and recoveries that are
//! certified. Models are built on a real PostgreSQL; nothing else runs.

#[path = "replay_state/killed.rs"]
mod killed;
#[path = "replay_state/numbers.rs"]
mod numbers;
#[path = "replay_state/past.rs"]
mod past;
#[path = "replay_state/recovery.rs"]
mod recovery;
#[path = "replay_state/scene.rs"]
mod scene;
#[path = "replay_state/tables.rs"]
mod tables;
