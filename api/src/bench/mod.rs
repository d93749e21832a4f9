//! What `hilt bench` measures, each beside the same machine's floor in the same run.
#![allow(clippy::float_arithmetic, reason = "figures of a measurement, never money")]

pub mod append;
mod bare;
pub mod check;
pub mod lifecycle;
mod process;
pub mod rebuild;
pub mod relay;
pub mod scratch;
mod scratch_log;
mod server;
pub mod turn;
pub mod usage;
pub mod verify;
pub mod webhooks;
mod world;
