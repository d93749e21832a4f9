#![doc = include_str!("../README.md")]

mod class;
pub mod cli;
mod copy;
mod inspect;
mod models;
mod note;
mod progress;
mod settings;
mod trail;
mod verify;

pub use class::{Break, BreakClass, Failure};
pub use inspect::{Inclusion, Inspection, inspect};
pub use models::{ModelHolds, Tell, diff, open_models, rebuild};
pub use progress::Progress;
pub use trail::{Attempt, EvidenceFound, Money, Stage, Step, Trail, trail};
pub use verify::{ReceiptKeys, VerifyOptions, VerifyReport, verify};
