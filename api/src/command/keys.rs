//! `hilt keys`: API keys at the command line, for the first key of a deployment and for a key that must go at once.

use super::{Refusal, open};
use api::{config::Config, services::keys};
use clap::{Args, Subcommand};
use events::{
    clock::Clock,
    vocab::{
        id::{ApiKeyId, OwnerId},
        stream::Actor,
        time::Timestamp,
        words::{ActorKind, Scope},
    },
};
use std::process::ExitCode;
use uuid::Uuid;

/// The options of `hilt keys`.
#[derive(Args)]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Issue a key and print it; it is shown once.
    Issue {
        /// The workspace.
        #[arg(long)]
        owner_id: Uuid,
        /// What to recognise it by.
        #[arg(long)]
        label: String,
        /// What it may do: access:read, access:write, access:webhooks. All of them when none is named.
        #[arg(long = "permission", value_name = "PERMISSION")]
        permissions: Vec<String>,
        /// A sandbox key: moves no money.
        #[arg(long)]
        sandbox: bool,
        /// A live key that may use the sandbox too.
        #[arg(long, conflicts_with = "sandbox")]
        sandbox_capable: bool,
        /// When it stops working by itself, as 2027-01-31T00:00:00Z.
        #[arg(long)]
        expires_at: Option<String>,
    },
    /// Revoke a key: it works no more, in any process, within a second.
    Revoke {
        /// The key's id.
        #[arg(long)]
        key_id: Uuid,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

impl Keys {
    /// Issues or revokes.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        let log = open::log(&config).await?;
        let operator = Actor { kind: ActorKind::Operator, id: Some("command line".into()) };
        match self.action {
            Action::Issue { owner_id, label, permissions, sandbox, sandbox_capable, expires_at } => {
                let scopes: Result<Vec<Scope>, _> = permissions.iter().map(|scope| scope.parse()).collect();
                let scopes = Some(scopes?).filter(|scopes| !scopes.is_empty()).unwrap_or_else(|| Scope::ALL.to_vec());
                let expires_at = expires_at.as_deref().map(Timestamp::parse).transpose()?;
                let issue = keys::Issue { label, scopes, sandbox_capable, expires_at };
                let issued = keys::issue(&log, &Clock::machine(), OwnerId(owner_id), !sandbox, issue, operator).await?;
                println!("{}\n{}", issued.key_id, issued.key);
            }
            Action::Revoke { key_id, reason } => {
                keys::revoke(&log, ApiKeyId(key_id), &reason, operator).await?;
                println!("revoked");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
