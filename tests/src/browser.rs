//! A real browser, driven step by step, that dies with its test.

use serde_json::{Value, json};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// Longer than any step takes, on a machine that runs everything else at once too.
const PATIENCE: Duration = Duration::from_secs(180);

/// A headless Chromium. With `HILT_TEST_SHOTS` set to a folder, it leaves pictures of the pages there.
pub struct Browser {
    steps: ChildStdin,
    results: Lines<BufReader<ChildStdout>>,
    // Dropping it closes the browser.
    _node: Child,
}

impl Browser {
    /// Starts one. Needs Node.js, Chromium, and `npm ci` done in `tests/browser`.
    pub async fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
        assert!(folder.join("node_modules").is_dir(), "run `npm ci` in tests/browser first");
        let mut node = Command::new("node")
            .arg("driver.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let steps = node.stdin.take().expect("stdin is piped");
        let results = BufReader::new(node.stdout.take().expect("stdout is piped")).lines();
        Browser { steps, results, _node: node }
    }

    /// Takes one step, named in `tests/browser/steps.mjs`; a step that fails fails the test.
    #[track_caller]
    pub fn step<'a>(&'a mut self, step: &'a str, args: Value) -> impl Future<Output = Value> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let line = format!("{}\n", json!({ "step": step, "args": args }));
            self.steps.write_all(line.as_bytes()).await.expect("the browser's driver reads");
            let line = tokio::time::timeout(PATIENCE, self.results.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("{caller}: {step} never ended"));
            let line = line.expect("the driver's output is text").unwrap_or_else(|| panic!("{caller}: the driver ended at {step}"));
            let mut result: Value = serde_json::from_str(&line).expect("a result is JSON");
            if let Some(error) = result["error"].as_str() {
                panic!("{caller}: {error}");
            }
            result["value"].take()
        }
    }
}
