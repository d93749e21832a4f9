//! `hilt token`: mints a token with the service's own key. Production configures an issuer instead.

use super::{Refusal, open};
use api::{
    config::Config,
    http::jwt::{self, Claims, Role},
};
use clap::{Args, ValueEnum};
use events::vault::KeyPurpose;
use std::process::ExitCode;
use uuid::Uuid;

/// The options of `hilt token`.
#[derive(Args)]
pub struct Token {
    /// Whom it is for.
    #[arg(long)]
    role: TokenRole,
    /// The person, as an opaque id.
    #[arg(long)]
    sub: String,
    /// The workspace; needed for owners.
    #[arg(long)]
    owner_id: Option<Uuid>,
    /// How long it is valid.
    #[arg(long, default_value_t = 3600)]
    ttl_seconds: i64,
}

#[derive(Clone, Copy, ValueEnum)]
enum TokenRole {
    Owner,
    Staff,
    Auditor,
}

impl Token {
    /// Prints the token.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        let role = match self.role {
            TokenRole::Owner => Role::Owner,
            TokenRole::Staff => Role::Staff,
            TokenRole::Auditor => Role::Auditor,
        };
        if role == Role::Owner && self.owner_id.is_none() {
            return Err("--owner-id is needed for an owner's token".into());
        }
        let (vault, clock) = open::vault(&config).await?;
        let signer = vault.signer(KeyPurpose::Jwt).await?;
        let exp = clock.now().plus_seconds(self.ttl_seconds).seconds();
        let claims = Claims { sub: self.sub, owner_id: self.owner_id, role, exp, aud: config.jwt_audience.clone(), iss: None };
        println!("{}", jwt::sign(&signer, &claims)?);
        Ok(ExitCode::SUCCESS)
    }
}
