//! The servers of `examples/paid-endpoint`, started as its page says.

use crate::{app::SOON, python};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A version of the example.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// `fastapi/main.py`.
    FastApi,
    /// `express/server.mjs`.
    Express,
}

/// A running server of the example; it ends with the value.
pub struct Server {
    /// Where it is.
    pub url: String,
    /// Asks it.
    pub http: Client,
    /// What it prints.
    pub said: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/paid-endpoint")
}

impl Server {
    /// Starts it with these settings and waits until it answers.
    ///
    /// # Panics
    /// If it does not.
    pub async fn start(version: Version, port: u16, settings: &[(&str, &str)]) -> Self {
        let mut command = match version {
            Version::FastApi => {
                let mut uvicorn = python::program("uvicorn");
                uvicorn.args(["main:app", "--port", &port.to_string(), "--log-level", "warning"]).current_dir(example().join("fastapi"));
                uvicorn
            }
            Version::Express => {
                let mut node = Command::new("node");
                node.arg("server.mjs").env("PORT", port.to_string()).current_dir(example().join("express"));
                node
            }
        };
        let mut process = command
            .envs(settings.iter().copied())
            .env("PUBLIC_URL", format!("http://127.0.0.1:{port}"))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the example starts");
        let said = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let server = Server {
            url: format!("http://127.0.0.1:{port}"),
            http: Client::builder().no_proxy().build().expect("a client is built"),
            said,
            _process: process,
        };
        let deadline = Instant::now() + SOON;
        while server.http.get(&server.url).send().await.is_err() {
            assert!(Instant::now() < deadline, "{version:?} never answered");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    /// A request of a customer, or of nobody.
    pub async fn post(&self, path: &str, customer: Option<&str>, body: Value) -> Response {
        let mut request = self.http.post(format!("{}{path}", self.url)).json(&body);
        if let Some(customer) = customer {
            request = request.header("X-Customer-Id", customer);
        }
        request.send().await.expect("the example answers")
    }

    /// The protected work, and the answer's status.
    pub async fn work(&self, customer: &str) -> (u16, Value) {
        let answer = self.post("/ai/pro", Some(customer), json!({"prompt": "summarize this research dataset"})).await;
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// What AC-57 asks of a denial.
    pub async fn denied(&self, customer: &str) -> Value {
        let (status, body) = self.work(customer).await;
        assert_eq!((status, &body["code"]), (402, &json!("payment_required")), "{body}");
        for member in ["payment_protocol", "settlement_rail", "entitlement", "payment_session", "payment_requirement"] {
            assert!(body.get(member).is_some(), "{member} is missing in {body:#}");
        }
        assert_eq!(body["entitlement"]["has_access"], json!(false));
        body
    }

    /// Asks until the work is done.
    pub async fn until_granted(&self, customer: &str) -> Value {
        let deadline = Instant::now() + SOON;
        loop {
            let (status, body) = self.work(customer).await;
            if status == 200 {
                return body;
            }
            assert!(Instant::now() < deadline, "{customer} never got in: {body}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
