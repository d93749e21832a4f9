//! How a workspace shows itself to buyers: on checkout pages, receipts and invoices.

use crate::check::{accent_hex, line, rejections, web_url};
use events::{
    decider::Decider,
    vocab::{
        event::{Event, WorkspaceProfileSaved},
        id::SubjectId,
        personal::Personal,
        stream::Fact,
    },
};
use serde::{Deserialize, Serialize};

/// A workspace's profile. A merchant may be a person, so it is sealed whole with his key.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The name that buyers see.
    pub merchant_name: Option<String>,
    /// The name on invoices.
    pub legal_name: Option<String>,
    /// The address on invoices, line by line.
    pub address_lines: Vec<String>,
    /// VAT number or the like.
    pub tax_id: Option<String>,
    /// Where buyers ask for help.
    pub support_email: Option<String>,
    /// The merchant's own site.
    pub website: Option<String>,
    /// Shown beside the name.
    pub logo_url: Option<String>,
    /// `#rrggbb`.
    pub accent_hex: Option<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(..)")
    }
}

/// A workspace. What its profile says is sealed, so the state knows only that there is one.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Workspace {
    /// Nothing was saved.
    #[default]
    Unsaved,
    /// It has a profile.
    Saved,
}

/// What is asked of a workspace.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Save the profile, whole. The one that is saved already is no change.
    SaveProfile {
        /// The merchant, whose key seals it.
        merchant: SubjectId,
        /// What it says from now on.
        profile: Profile,
        /// What it says now, as far as it can be read.
        stored: Option<Profile>,
    },
}

rejections! {
    /// Why a workspace command is refused.
    pub enum Rejection {
        /// A field breaks a rule.
        InvalidField {
            /// Which.
            field: &'static str,
            /// What it must be.
            rule: &'static str,
        } = "validation_failed", "{field}: {rule}";
    }
}

impl Decider for Workspace {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(_: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::SaveProfile { merchant, profile, stored } = command;
        let profile = profile.checked()?;
        if stored.unwrap_or_default() == profile {
            return Ok(vec![]);
        }
        let personal = Personal { metadata: Some(profile.to_json()), ..Personal::default() };
        Ok(vec![Fact::sealed(WorkspaceProfileSaved { subject_id: merchant }, merchant, personal)])
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match event {
            Event::WorkspaceProfileSaved(_) => Workspace::Saved,
            _ => state,
        }
    }
}

impl Profile {
    /// The profile that `WorkspaceProfileSaved` seals; `None` if the text is not one.
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and a list of texts have a JSON form")
    }

    /// Itself without blanks around its texts, every rule checked.
    pub fn checked(self) -> Result<Self, Rejection> {
        let text = |field, text: Option<String>, longest| line(text.as_deref(), longest).map_err(|rule| invalid(field, rule));
        let url = |field, text: Option<String>| web_url(text.as_deref()).map_err(|rule| invalid(field, rule));
        let lines = self.address_lines.into_iter().map(|line| text("address_lines", Some(line), 120)).collect::<Result<Vec<_>, _>>()?;
        if lines.len() > 8 {
            return Err(invalid("address_lines", "are 8 at most"));
        }
        let support_email = text("support_email", self.support_email, 254)?;
        if support_email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(invalid("support_email", "is an e-mail address"));
        }
        Ok(Profile {
            merchant_name: text("merchant_name", self.merchant_name, 120)?,
            legal_name: text("legal_name", self.legal_name, 200)?,
            address_lines: lines.into_iter().flatten().collect(),
            tax_id: text("tax_id", self.tax_id, 60)?,
            support_email,
            website: url("website", self.website)?,
            logo_url: url("logo_url", self.logo_url)?,
            accent_hex: accent_hex(self.accent_hex.as_deref()).map_err(|rule| invalid("accent_hex", rule))?,
        })
    }
}

fn invalid(field: &'static str, rule: &'static str) -> Rejection {
    Rejection::InvalidField { field, rule }
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(char::is_whitespace))
}
