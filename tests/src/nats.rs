//! A nats-server of one test's own, to stop, start and rob of its files.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A server with JetStream on a port of its own. It ends with the value.
pub struct Nats {
    port: u16,
    folder: PathBuf,
    child: Option<Child>,
}

impl Nats {
    /// Starts one with nothing in it.
    ///
    /// # Panics
    /// If there is no nats-server on this machine.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("the port is known").port();
        drop(listener);
        let folder = std::env::temp_dir().join(format!("hilt-nats-{}", events::clock::new_id::<uuid::Uuid>()));
        let mut nats = Nats { port, folder, child: None };
        nats.resume();
        nats
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A client that connects again by itself.
    ///
    /// # Panics
    /// If the address is not one.
    pub async fn connect(&self) -> async_nats::Client {
        async_nats::ConnectOptions::new()
            .retry_on_initial_connect()
            .reconnect_delay_callback(|_| Duration::from_millis(100))
            .connect(self.url())
            .await
            .expect("the address is well formed")
    }

    /// Kills the server.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Deletes everything that JetStream has stored; the server must be stopped.
    pub fn wipe(&self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// Starts the server again on the same port and files.
    ///
    /// # Panics
    /// As [`Nats::start`].
    pub fn resume(&mut self) {
        let child = Command::new("nats-server")
            .args(["-js", "-a", "127.0.0.1", "-p", &self.port.to_string(), "-sd"])
            .arg(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is installed");
        self.child = Some(child);
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.stop();
        self.wipe();
    }
}
