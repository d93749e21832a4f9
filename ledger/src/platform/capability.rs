//! What staff may say of a rail (RT-102), and when it may take real payments (INV-21, INV-33, INV-35).

use super::{Platform, Rejection, Said};
use crate::{
    check::line,
    rails::{Gates, Rail},
};
use events::vocab::{event::RailCapabilityUpdated, rail::CapabilityStatus, stream::Fact};

/// The longest text of a policy, in characters.
const LONGEST_POLICY: usize = 500;
/// Most chains, and most references.
const MOST: usize = 32;

/// See [`super::Command::UpdateCapability`]. What is `None` stays as it is.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateCapability {
    /// The rail as it now stands.
    pub rail: Rail,
    /// How far it has come; by itself `production_available` when it becomes production-enabled.
    pub status: Option<CapabilityStatus>,
    /// The gate of live sessions.
    pub production_enabled: Option<bool>,
    /// The gate of sandbox sessions.
    pub sandbox_enabled: Option<bool>,
    /// Who provides the chain's word; an empty text takes it away, here and below.
    pub provider_policy: Option<String>,
    /// What a provider's webhook is good for.
    pub webhook_policy: Option<String>,
    /// Which tokens count.
    pub token_policy: Option<String>,
    /// When a payment is final.
    pub finality_policy: Option<String>,
    /// CAIP-2.
    pub allowlisted_chains: Option<Vec<String>>,
    /// Where secrets are kept.
    pub secret_references: Option<Vec<String>>,
    /// Who and why.
    pub said: Said,
}

impl UpdateCapability {
    pub(super) fn decide(self, state: &Platform) -> Result<Vec<Fact>, Rejection> {
        let Said { by, reason } = self.said.clone().checked()?;
        let known = state.rail(self.rail.rail_id).and_then(|policy| policy.capability.as_ref());
        let text = |field, asked: &Option<String>, before: Option<&String>| match asked {
            None => Ok(before.cloned()),
            Some(text) => line(Some(text), LONGEST_POLICY).map_err(|rule| Rejection::InvalidText { field, rule }),
        };
        let provider_policy = text("provider_policy", &self.provider_policy, known.and_then(|it| it.provider_policy.as_ref()))?;
        let webhook_policy = text("webhook_policy", &self.webhook_policy, known.and_then(|it| it.webhook_policy.as_ref()))?;
        let token_policy = text("token_policy", &self.token_policy, known.and_then(|it| it.token_policy.as_ref()))?;
        let finality_policy = text("finality_policy", &self.finality_policy, known.and_then(|it| it.finality_policy.as_ref()))?;
        let allowlisted_chains = self.chains()?;
        let secret_references = self.references(known)?;
        let (production_enabled, sandbox_enabled) = self.gates(&allowlisted_chains)?;
        let updated = RailCapabilityUpdated {
            rail_id: self.rail.rail_id,
            status: self.status(production_enabled)?,
            production_enabled,
            sandbox_enabled,
            provider_policy,
            webhook_policy,
            token_policy,
            finality_policy,
            allowlisted_chains,
            secret_references,
            by,
            reason,
        };
        let same = self.is(&updated, known);
        Ok(if same { vec![] } else { vec![updated.into()] })
    }

    /// Whether it is what the rail was already, whoever says so and why.
    fn is(&self, updated: &RailCapabilityUpdated, known: Option<&RailCapabilityUpdated>) -> bool {
        match known {
            Some(known) => *known == RailCapabilityUpdated { by: known.by.clone(), reason: known.reason.clone(), ..updated.clone() },
            None => {
                let texts = [&updated.provider_policy, &updated.webhook_policy, &updated.token_policy, &updated.finality_policy];
                (updated.status, updated.production_enabled, updated.sandbox_enabled)
                    == (self.rail.status, self.rail.production_enabled, self.rail.sandbox_enabled)
                    && updated.allowlisted_chains == self.rail.allowlisted_chains
                    && updated.secret_references.is_empty()
                    && texts.into_iter().all(Option::is_none)
            }
        }
    }

    fn chains(&self) -> Result<Vec<String>, Rejection> {
        let Some(chains) = &self.allowlisted_chains else { return Ok(self.rail.allowlisted_chains.clone()) };
        for chain in chains {
            self.rail.knows_chain(chain).map_err(|rule| Rejection::InvalidChain { chain: chain.clone(), rule })?;
        }
        in_order(chains, "allowlisted_chains")
    }

    fn references(&self, known: Option<&RailCapabilityUpdated>) -> Result<Vec<String>, Rejection> {
        match &self.secret_references {
            None => Ok(known.map(|known| known.secret_references.clone()).unwrap_or_default()),
            Some(references) if references.iter().all(|text| is_reference(text)) => in_order(references, "secret_references"),
            Some(_) => Err(Rejection::InvalidSecretReference),
        }
    }

    /// Only opening a gate asks for anything: closing one must always be possible.
    fn gates(&self, allowlisted_chains: &[String]) -> Result<(bool, bool), Rejection> {
        let sandbox_enabled = self.sandbox_enabled.unwrap_or(self.rail.sandbox_enabled);
        if sandbox_enabled && !self.rail.sandbox_enabled && !self.rail.supports_sandbox {
            return Err(Rejection::SandboxNotSupported);
        }
        let production_enabled = self.production_enabled.unwrap_or(self.rail.production_enabled);
        let gates: Gates = Rail { allowlisted_chains: allowlisted_chains.to_vec(), ..self.rail.clone() }.closed_gates();
        if self.production_enabled == Some(true) && !gates.is_empty() {
            return Err(Rejection::ProductionGatesClosed { gates });
        }
        Ok((production_enabled, sandbox_enabled))
    }

    fn status(&self, production_enabled: bool) -> Result<CapabilityStatus, Rejection> {
        use CapabilityStatus::ProductionAvailable;
        match (self.status, production_enabled) {
            (None, true) => Ok(ProductionAvailable),
            (None, false) => Ok(self.rail.status),
            (Some(ProductionAvailable), true) => Ok(ProductionAvailable),
            (Some(ProductionAvailable), false) if self.rail.status == ProductionAvailable => Ok(ProductionAvailable),
            (Some(ProductionAvailable), false) | (Some(_), true) => Err(Rejection::StatusConflict),
            (Some(status), false) => Ok(status),
        }
    }
}

fn in_order(texts: &[String], field: &'static str) -> Result<Vec<String>, Rejection> {
    let mut texts = texts.to_vec();
    texts.sort_unstable();
    texts.dedup();
    match texts.len() > MOST {
        true => Err(Rejection::InvalidText { field, rule: "has at most 32 entries" }),
        false => Ok(texts),
    }
}

/// A name of a variable, or a path of lower-case words: a form that keys and tokens do not have.
fn is_reference(text: &str) -> bool {
    let word = |word: &str, letter: fn(&u8) -> bool| {
        (1..=64).contains(&word.len())
            && word.bytes().all(|b| letter(&b) || b.is_ascii_digit() || b == b'_' || b == b'-')
            // Hexadecimal secrets are long runs without a break.
            && word.split(['_', '-']).all(|part| part.len() <= 24)
    };
    match text.split_once(':') {
        Some(("env", name)) => word(name, u8::is_ascii_uppercase),
        Some(("secret", path)) => path.split('/').all(|part| word(part, u8::is_ascii_lowercase)),
        _ => false,
    }
}
