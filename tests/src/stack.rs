//! What a test gets from the throw-away stack of `bin/test`: a database and a subject prefix of its own.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::env;
use url::Url;

/// An empty database for one test, dropped with the value.
pub struct TestDatabase {
    /// As `hilt_admin`, who owns it and runs the migrations.
    pub admin_url: String,
    /// As `hilt`, the service's login.
    pub service_url: String,
    /// Its name.
    pub name: String,
    server: String,
}

/// Makes a database for the calling test.
///
/// # Panics
/// If the stack is not there; `bin/test` starts it.
pub async fn fresh_database() -> TestDatabase {
    let server = variable("HILT_TEST_ADMIN_URL");
    let name = format!("test_{}", random_hex());
    run(&server, include_str!("sql/create_database.sql"), &name).await.expect("a test's database is created");
    TestDatabase {
        admin_url: with_database(&server, &name),
        service_url: with_database(&variable("HILT_TEST_SERVICE_URL"), &name),
        name,
        server,
    }
}

/// The stack's nats-server, for `events::nats::connect`.
///
/// # Panics
/// As [`fresh_database`].
pub fn nats_url() -> String {
    variable("HILT_TEST_NATS_URL")
}

/// A prefix for subjects, streams and consumers that no other test has; valid as `HILT_NATS_PREFIX`.
pub fn nats_prefix() -> String {
    format!("t{}", random_hex())
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // Drop is synchronous and usually within a runtime, where another cannot block; hence the thread. Nobody waits for it:
        // the server drops a database only when every connection that is logging in has done so, and one of this runtime's,
        // held up by the wait, would keep both for the minute that the server allows it. A database that is not dropped, for
        // this or any other reason, stays until the stack is thrown away, and the test's own outcome counts.
        let drop_it = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run(&server, include_str!("sql/drop_database.sql"), &name)).map_err(std::io::Error::other)
        };
        std::thread::spawn(drop_it);
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this test with bin/test, which starts the stack it needs"))
}

/// The name of a database cannot be a parameter; ours is of letters and digits alone.
async fn run(server: &str, statement: &'static str, name: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::query(AssertSqlSafe(statement.replace("{name}", name))).execute(&mut connection).await?;
    connection.close().await
}

fn with_database(server: &str, name: &str) -> String {
    let mut url = Url::parse(server).expect("the stack's URL is a URL");
    url.set_path(name);
    url.into()
}

fn random_hex() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    hex::encode(bytes)
}
