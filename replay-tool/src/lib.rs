#![doc = include_str!("../README.md")]

mod approval;
mod attest;
mod bundle;
mod class;
pub mod cli;
mod copy;
mod floor;
mod history;
mod inspect;
mod models;
mod note;
mod past;
mod progress;
mod published;
mod reconcile;
mod recovery;
mod remote;
mod settings;
mod state;
pub mod tables;
mod tail;
mod trail;
mod verify;
mod witness;

pub use approval::{APPROVAL_PROOF_FORM, ApprovalReport, verify_approval};
pub use attest::{OnRecord, attest};
pub use bundle::{ExportOptions, ExportReport, SEGMENT_EVENTS, export};
pub use class::{Break, BreakClass, Failure, Told};
pub use floor::{Floor, floor};
pub use history::{Completeness, HistoryReport, HistoryStep, history, verify_history};
pub use inspect::{Inclusion, Inspection, inspect};
pub use models::{Besides, ModelBeside, ModelHolds, ModelTable, Tell, diff, open_models, rebuild, rebuild_beside};
pub use progress::Progress;
pub use reconcile::{Reconcile, Reconciliation, RecordHolds, Wanted, reconcile};
pub use recovery::{Certificate, Certify, FORM as CERTIFICATE_FORM, OperatorKey, certify, public_key};
pub use state::{
    AsOf, AsOfRow, AtPosition, Attested, AttestedState, Changed, Consistency, Missed, ModelState, Numbers, RowChange, StateReport, WhatIf,
    When, as_of, as_of_bundle, verify_state, what_if,
};
pub use tail::{Followed, TailOptions, tail};
pub use trail::{Attempt, EvidenceFound, Money, Stage, Step, Trail, trail};
pub use verify::{ReceiptKeys, Resume, VerifyOptions, VerifyReport, verify, verify_bundle};
pub use witness::{WitnessOptions, Witnessed, witness};
