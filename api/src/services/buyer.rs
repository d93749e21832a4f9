//! Who a buyer says he is: an identity of one of the known kinds, under either of its two names (DIS-16).

use crate::http::{
    problem::{Code, Problem},
    rejection,
};
use events::{
    vault::Vault,
    vocab::{
        id::{OwnerId, SubjectId},
        personal::Personal,
        words::IdentityType,
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

/// Characters of a value or a handle at most.
const LONGEST: usize = 128;

/// The identity fields of a request.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct IdentityFields {
    /// The kind of identity.
    #[schema(example = "TELEGRAM_USER_ID")]
    pub customer_reference_type: Option<String>,
    /// The identity.
    #[schema(example = "728255790")]
    pub customer_reference_value: Option<String>,
    /// Its handle.
    #[schema(example = "@crzypeas")]
    pub customer_reference_display: Option<String>,
    /// Other name of `customer_reference_type`.
    pub identity_type: Option<String>,
    /// Other name of `customer_reference_value`.
    pub identity_value: Option<String>,
    /// Other name of `customer_reference_display`.
    pub identity_display: Option<String>,
}

/// A buyer's identity. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The kind.
    pub identity_type: IdentityType,
    /// The identity.
    pub value: String,
    /// Its handle.
    pub display: Option<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({}, ..)", self.identity_type)
    }
}

impl IdentityFields {
    /// The identity, if the request names one. Both names of a field may be sent when they agree.
    pub fn parse(&self) -> Result<Option<Identity>, Problem> {
        let kind = one("customer_reference_type", &self.customer_reference_type, "identity_type", &self.identity_type)?;
        let value = one("customer_reference_value", &self.customer_reference_value, "identity_value", &self.identity_value)?;
        let display = one("customer_reference_display", &self.customer_reference_display, "identity_display", &self.identity_display)?;
        match (kind, value) {
            (None, None) if display.is_none() => Ok(None),
            (None, _) => Err(Problem::field(Code::ValidationFailed, self.name("type"), "is required with an identity")),
            (_, None) => Err(Problem::field(Code::ValidationFailed, self.name("value"), "is required with an identity")),
            (Some(kind), Some(value)) => Identity::parse(&kind, &value, display.as_deref(), |part| self.name(part)).map(Some),
        }
    }

    /// The identity, which the route needs.
    pub fn required(&self) -> Result<Identity, Problem> {
        self.parse()?.ok_or_else(|| Problem::field(Code::ValidationFailed, self.name("type"), "is required"))
    }

    /// The name that this request uses.
    fn name(&self, part: &str) -> String {
        match self.identity_type.is_some() || self.identity_value.is_some() || self.identity_display.is_some() {
            true => format!("identity_{part}"),
            false => format!("customer_reference_{part}"),
        }
    }
}

impl Identity {
    /// An identity from text; `name` gives the field's name for errors.
    pub fn parse(kind: &str, value: &str, display: Option<&str>, name: impl Fn(&str) -> String) -> Result<Self, Problem> {
        let refused = |part: &str, rule: String| Problem::field(Code::ValidationFailed, name(part), rule);
        let identity_type: IdentityType =
            kind.parse().map_err(|rule: events::vocab::bytes::Malformed| refused("type", rule.to_string()))?;
        let value = line(value).ok_or_else(|| refused("value", format!("is one line of 1 to {LONGEST} characters")))?;
        let is_number = (1..=20).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
        match identity_type {
            IdentityType::TelegramUserId if !is_number => return Err(refused("value", "is a Telegram user id: digits only".into())),
            IdentityType::DiscordUserId if !is_number => return Err(refused("value", "is a Discord user id: digits only".into())),
            _ => {}
        }
        let display = match display.map(str::trim).filter(|display| !display.is_empty()) {
            None => None,
            Some(display) => Some(line(display).ok_or_else(|| refused("display", format!("is one line of at most {LONGEST} characters")))?),
        };
        Ok(Identity { identity_type, value, display })
    }

    /// What was sealed, read back; `None` where there was no identity or the person is erased.
    pub fn sealed(personal: Option<&Personal>) -> Option<Self> {
        let personal = personal?;
        let identity_type = personal.identity_type.as_deref()?.parse().ok()?;
        Some(Identity { identity_type, value: personal.identity_value.clone()?, display: personal.identity_display.clone() })
    }

    /// The part to seal.
    pub fn personal(&self) -> Personal {
        Personal {
            identity_type: Some(self.identity_type.to_string()),
            identity_value: Some(self.value.clone()),
            identity_display: self.display.clone(),
            ..Personal::default()
        }
    }

    /// The person whom `owner` knows by this identity, and by nothing else: a buyer may name anyone's wallet or mail address beside
    /// it, and must not become that person by doing so.
    pub async fn subject(&self, vault: &Vault, owner: OwnerId) -> Result<SubjectId, Problem> {
        let resolved = vault.resolve_subject(owner, &[(self.identity_type.as_str(), &self.value)]).await;
        resolved.map_err(|error| rejection::read(&error))
    }

    /// Whether both name the same person; handles may differ.
    pub fn same(&self, other: &Identity) -> bool {
        (self.identity_type, &self.value) == (other.identity_type, &other.value)
    }
}

fn one(name: &str, value: &Option<String>, other_name: &str, other: &Option<String>) -> Result<Option<String>, Problem> {
    let filled = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    match (filled(value), filled(other)) {
        (Some(one), Some(two)) if one != two => Err(Problem::field(Code::ValidationFailed, other_name, format!("contradicts {name}"))),
        (one, two) => Ok(one.or(two)),
    }
}

/// One line that shows as it is: no control characters, and none that reorder or hide text. The line stands in the message that a
/// wallet shows and signs.
fn line(text: &str) -> Option<String> {
    let text = text.trim();
    let shows =
        |c: char| !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    ((1..=LONGEST).contains(&text.chars().count()) && text.chars().all(shows)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
    fn reference(kind: &str, value: &str) -> IdentityFields {
        IdentityFields { customer_reference_type: text(kind), customer_reference_value: text(value), ..IdentityFields::default() }
    }

    #[test]
    fn both_names_are_understood_and_may_not_contradict_each_other() {
        let by_reference = reference("TELEGRAM_USER_ID", " 728255790 ").required().unwrap();
        let by_identity =
            IdentityFields { identity_type: text("TELEGRAM_USER_ID"), identity_value: text("728255790"), ..IdentityFields::default() };
        assert_eq!(by_reference, by_identity.required().unwrap());
        let contradiction = IdentityFields { identity_value: text("1"), ..reference("TELEGRAM_USER_ID", "2") };
        assert_eq!(contradiction.parse().unwrap_err().errors[0].field, "identity_value");
        assert_eq!(IdentityFields::default().parse().unwrap(), None);
    }

    #[test]
    fn half_an_identity_and_one_of_an_unknown_kind_are_refused_by_the_name_in_use() {
        let half = IdentityFields { identity_value: text("1"), ..IdentityFields::default() };
        assert_eq!(half.parse().unwrap_err().errors[0].field, "identity_type");
        let half = IdentityFields { customer_reference_type: text("TELEGRAM_USER_ID"), ..IdentityFields::default() };
        assert_eq!(half.parse().unwrap_err().errors[0].field, "customer_reference_value");
        for (kind, value) in [("PASSPORT", "1"), ("TELEGRAM_USER_ID", "@crzypeas"), ("DISCORD_USER_ID", "123456789012345678901")] {
            assert_eq!(reference(kind, value).parse().unwrap_err().code, "validation_failed", "{kind} {value}");
        }
    }

    #[test]
    fn a_value_cannot_pass_for_another_line_of_the_message() {
        for value in ["a\nWallet: b", "a\rb", "a\u{202e}b", "a\u{2028}b", &"x".repeat(129), "  "] {
            assert!(reference("MERCHANT_REFERENCE", value).parse().is_err(), "{value:?}");
        }
        assert_eq!(reference("MERCHANT_REFERENCE", "Zoë 1").required().unwrap().value, "Zoë 1");
    }
}
