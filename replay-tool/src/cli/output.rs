//! How outcomes are printed, and what the exit codes mean.

use crate::{BreakClass, Failure};
use serde::Serialize;
use std::{
    fmt::{self, Write as _},
    io::Write as _,
};

/// How a failure is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// One JSON document.
    Document,
    /// JSON on one line.
    Line,
}

/// An outcome as text, or as one JSON document.
pub(super) fn print<T: Serialize + fmt::Display>(value: &T, json: bool) -> String {
    match json {
        true => serde_json::to_string_pretty(value).map_or_else(|_| String::new(), |text| text + "\n"),
        false => value.to_string(),
    }
}

/// Breaks go where the outcome goes, and in JSON so does everything; what kept the tool from an outcome goes to standard error.
pub(super) fn report(failure: &Failure, shape: Shape) {
    let document = match failure {
        Failure::Broken(found) => serde_json::json!({ "ok": false, "break": found }),
        _ => serde_json::json!({ "ok": false, "error": causes(failure) }),
    };
    let text = match (shape, failure) {
        (_, Failure::Differs(_, told)) => told.text.clone(),
        (Shape::Document, _) => format!("{document:#}\n"),
        (Shape::Line, _) => format!("{document}\n"),
        (Shape::Text, Failure::Broken(found)) => format!("It does not hold.\n  {found}\n"),
        (Shape::Text, _) => {
            eprintln!("hilt-replay: {}", causes(failure));
            return;
        }
    };
    _ = std::io::stdout().write_all(text.as_bytes());
}

/// An error and what it came from, in one line.
fn causes(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = std::error::Error::source(failure);
    while let Some(error) = cause {
        _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// The exit codes, for `--help`.
pub(super) fn exit_codes() -> String {
    let mut text = String::from("Exit codes:\n   0  everything holds\n   1  the run could not finish\n   2  unusable arguments\n");
    text.push_str("   3  nothing has that name\n");
    for class in BreakClass::ALL {
        _ = writeln!(text, "  {:>2}  {class}:{}", class.exit_code(), class.meaning());
    }
    text
}
