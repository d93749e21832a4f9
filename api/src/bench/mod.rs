//! What `hilt bench` measures, each beside the same machine's floor in the same run.
#![allow(clippy::float_arithmetic, reason = "figures of a measurement, never money")]

pub mod append;
pub mod check;
pub mod scratch;
pub mod usage;
pub mod verify;
