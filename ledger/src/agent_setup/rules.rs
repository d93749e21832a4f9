//! What an intent checks, and the events it yields.

use super::{Bootstrap, Command, DEFAULT_HOURS, HOURS, Rejection, Standing};
use crate::check::{filled, line};
use events::vocab::{
    bytes::Hash32,
    event::{AgentSetupApproved, AgentSetupBootstrapped, AgentSetupExpired, AgentSetupManifestAttached, AgentSetupRejected},
    personal::Personal,
    stream::Fact,
    words::Scope,
};
use serde_json::json;

/// Characters of a name, of a platform, and of longer words at most.
const LONGEST_NAME: usize = 120;
const LONGEST_PLATFORM: usize = 60;
const LONGEST_TEXT: usize = 1_000;

pub(super) fn decide(
    intent: &AgentSetupBootstrapped,
    manifest: Option<Hash32>,
    standing: &Standing,
    command: Command,
) -> Result<Vec<Fact>, Rejection> {
    let setup_intent_id = intent.setup_intent_id;
    match command {
        Command::AttachManifest { manifest: text, now } => {
            match standing {
                Standing::Rejected(_) => return Err(Rejection::NotPending),
                Standing::Expired => return Err(Rejection::Expired),
                Standing::Pending | Standing::Approved(_) if now >= intent.expires_at => return Err(Rejection::Expired),
                Standing::Pending | Standing::Approved(_) => {}
            }
            let manifest_hash = Hash32::of(&text);
            if manifest == Some(manifest_hash) {
                return Ok(vec![]);
            }
            let subject_id = intent.subject_id;
            let attached = AgentSetupManifestAttached { setup_intent_id, manifest_hash, subject_id };
            Ok(vec![Fact::sealed(attached, subject_id, Personal { metadata: Some(text), ..Personal::default() })])
        }
        Command::Approve { owner_id, permissions, live_key_id, now } => {
            open(intent, standing, now)?;
            let granted = permissions.unwrap_or_else(|| intent.requested_permissions.clone());
            if granted.is_empty() || granted.iter().any(|scope| !intent.requested_permissions.contains(scope)) {
                return Err(Rejection::PermissionNotRequested);
            }
            Ok(vec![
                AgentSetupApproved { setup_intent_id, owner_id, granted_permissions: once(&granted), live_key_id, approved_at: now }.into(),
            ])
        }
        Command::Reject { owner_id, reason, now } => {
            open(intent, standing, now)?;
            let subject_id = intent.subject_id;
            let rejected = AgentSetupRejected { setup_intent_id, owner_id, subject_id, rejected_at: now };
            let reason = text("reason", reason.as_deref(), LONGEST_TEXT)?;
            Ok(vec![match reason {
                None => rejected.into(),
                reason => Fact::sealed(rejected, subject_id, Personal { text: reason, ..Personal::default() }),
            }])
        }
        Command::Expire { now } => match standing {
            Standing::Pending if now >= intent.expires_at => Ok(vec![AgentSetupExpired { setup_intent_id }.into()]),
            Standing::Pending | Standing::Approved(_) | Standing::Rejected(_) | Standing::Expired => Ok(vec![]),
        },
        Command::Bootstrap(_) => Err(Rejection::AlreadyExists),
    }
}

/// Whether an owner may still decide.
fn open(intent: &AgentSetupBootstrapped, standing: &Standing, now: events::vocab::time::Timestamp) -> Result<(), Rejection> {
    match standing {
        Standing::Approved(_) | Standing::Rejected(_) => Err(Rejection::NotPending),
        Standing::Expired => Err(Rejection::Expired),
        Standing::Pending if now >= intent.expires_at => Err(Rejection::Expired),
        Standing::Pending => Ok(()),
    }
}

impl Bootstrap {
    pub(super) fn fact(self) -> Result<Fact, Rejection> {
        let named = "is 1 to 120 characters on one line";
        let name = line(Some(&self.agent_name), LONGEST_NAME).ok().flatten();
        let name = name.ok_or(Rejection::InvalidField { field: "agent_name", rule: named })?;
        let platform = line(self.agent_platform.as_deref(), LONGEST_PLATFORM)
            .map_err(|_| Rejection::InvalidField { field: "agent_platform", rule: "is at most 60 characters on one line" })?;
        let use_case = text("requested_use_case", self.requested_use_case.as_deref(), LONGEST_TEXT)?;
        if self.requested_permissions.is_empty() {
            return Err(Rejection::PermissionsRequired);
        }
        let hours = self.ttl_hours.unwrap_or(DEFAULT_HOURS);
        if !HOURS.contains(&hours) {
            return Err(Rejection::InvalidField { field: "ttl_hours", rule: "is from 1 to 168" });
        }
        let said = json!({"agent_name": name, "agent_platform": platform, "requested_use_case": use_case});
        let intent = AgentSetupBootstrapped {
            setup_intent_id: self.setup_intent_id,
            token_hash: self.token_hash,
            sandbox_key_id: self.sandbox_key_id,
            requested_permissions: once(&self.requested_permissions),
            expires_at: self.now.plus_seconds(hours * 3_600),
            subject_id: self.subject_id,
        };
        Ok(Fact::sealed(intent, self.subject_id, Personal { metadata: Some(said.to_string()), ..Personal::default() }))
    }
}

/// Each permission once, in the contract's order.
fn once(scopes: &[Scope]) -> Vec<Scope> {
    Scope::ALL.iter().copied().filter(|scope| scopes.contains(scope)).collect()
}

/// Some lines of text, if anything is left of them.
fn text(field: &'static str, said: Option<&str>, longest: usize) -> Result<Option<String>, Rejection> {
    match said.and_then(filled) {
        Some(text) if text.chars().count() > longest => Err(Rejection::InvalidField { field, rule: "is at most 1000 characters" }),
        Some(text) if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) => {
            Err(Rejection::InvalidField { field, rule: "has a control character in it" })
        }
        text => Ok(text),
    }
}
