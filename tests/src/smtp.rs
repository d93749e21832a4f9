//! A real mail server, written by others, that keeps what it is sent and refuses when it is told to.

use crate::app::SOON;
use serde_json::{Value, json};
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    sync::watch,
};

/// A running mail server.
pub struct MailServer {
    /// Where it listens, on this machine.
    pub port: u16,
    stdin: ChildStdin,
    told: watch::Receiver<Vec<Value>>,
    // Dropping it ends the server.
    _server: Child,
}

/// A mail, as another implementation reads it.
#[derive(Clone, Debug)]
pub struct Received(pub Value);

impl Received {
    /// A member that is text.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }
    /// Its header lines, as they came.
    pub fn headers(&self) -> Vec<&str> {
        self.0["headers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

impl MailServer {
    /// Starts one on a port that the system chooses. Needs Node.js, and `npm ci` done in `tests/mail`.
    pub async fn start() -> Self {
        MailServer::start_on(0).await
    }

    /// Starts one on that port.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_on(port: u16) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mail");
        assert!(folder.join("node_modules").is_dir(), "run `npm ci` in tests/mail first");
        let mut server = Command::new("node")
            .args(["smtp.mjs", &port.to_string()])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let stdin = server.stdin.take().expect("stdin is piped");
        let mut lines = BufReader::new(server.stdout.take().expect("stdout is piped")).lines();
        let (tell, told) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let line: Value = serde_json::from_str(&line).expect("the server speaks JSON");
                tell.send_modify(|lines| lines.push(line));
            }
        });
        let mut server = MailServer { port: 0, stdin, told, _server: server };
        let started = server.until(|lines| lines.iter().find_map(|line| line["port"].as_u64())).await;
        server.port = u16::try_from(started).expect("a port");
        server
    }

    /// Its setting, spoken to without encryption.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    /// Answers every recipient with `status` from now on; 0 takes them.
    ///
    /// # Panics
    /// If it does not obey.
    pub async fn refuse(&mut self, status: u16) {
        let orders = |lines: &[Value]| lines.iter().filter(|line| line.get("refuse").is_some()).count();
        let before = orders(&self.told.borrow());
        self.stdin.write_all(format!("{}\n", json!({"refuse": status})).as_bytes()).await.expect("the server reads");
        self.until(|lines| (orders(lines) > before).then_some(())).await;
    }

    /// The mails so far.
    pub fn mails(&self) -> Vec<Received> {
        self.told.borrow().iter().filter(|line| line.get("message_id").is_some()).cloned().map(Received).collect()
    }

    /// Waits until there are that many mails, and returns all there are.
    ///
    /// # Panics
    /// If they do not come.
    pub async fn until_mails(&mut self, count: usize) -> Vec<Received> {
        self.until(|lines| (lines.iter().filter(|line| line.get("message_id").is_some()).count() >= count).then_some(())).await;
        self.mails()
    }

    async fn until<T>(&mut self, found: impl Fn(&[Value]) -> Option<T>) -> T {
        let look = async {
            loop {
                if let Some(value) = found(&self.told.borrow_and_update()) {
                    return value;
                }
                self.told.changed().await.expect("the mail server runs");
            }
        };
        tokio::time::timeout(SOON, look).await.expect("the mail server comes to it in time")
    }
}
