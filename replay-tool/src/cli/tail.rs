//! `hilt-replay tail`.

use super::Common;
use crate::{Failure, Followed, TailOptions, tail};
use clap::Args;
use std::{io::Write as _, time::Duration};

#[derive(Args)]
pub(super) struct Tail {
    /// Position of the first event to follow; by default the next one that is appended.
    #[arg(long)]
    from: Option<u64>,
    /// End when this many events of the log are followed; by default never.
    #[arg(long)]
    until: Option<u64>,
    /// The log's verifier key (C2SP signed-note); by default dev.json's, else the keys the database publishes.
    #[arg(long, env = "HILT_LOG_VKEY")]
    vkey: Option<String>,
    /// Milliseconds between two looks at a log that has not moved.
    #[arg(long, default_value_t = 200)]
    interval: u64,
}

impl Tail {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let settings = common.settings(self.vkey)?;
        let (from, until, interval) = (self.from, self.until, Duration::from_millis(self.interval));
        let options = TailOptions { vkey: settings.vkey.clone(), receipt_keys: None, from, until, interval };
        let pool = settings.connect().await?;
        let json = common.json;
        let tell = |followed: &Followed| {
            let line = match json {
                true => serde_json::to_string(followed).unwrap_or_default(),
                false => followed.to_string(),
            };
            let mut out = std::io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
        };
        tokio::select! {
            ended = tail(&pool, &options, &tell) => ended?,
            // Whoever watches ends it so.
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(String::new())
    }
}
