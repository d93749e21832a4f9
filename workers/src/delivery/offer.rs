//! What a product hands over, and to whom, from streams and the vault.

use super::DeliverError;
use events::{
    log::Log,
    vault::Vault,
    vocab::{
        event::{Event, ProductChange},
        id::{MembershipId, PaymentId, ProductId},
        stream::{Category, Recorded, StreamId},
        words::IdentityType,
    },
};
use ledger::delivery::Settings;

/// What a product hands over now.
#[derive(Clone, PartialEq, Default)]
pub struct Offer {
    /// Its settings.
    pub settings: Settings,
    /// Its own URL or invite; for buyers only.
    pub value: Option<String>,
}

/// Who is to get in, as the checkout learned it.
#[derive(Clone, PartialEq, Default)]
pub struct Person {
    /// `TELEGRAM_USER_ID`, `DISCORD_USER_ID` …
    pub identity_type: Option<String>,
    /// The identity.
    pub identity_value: Option<String>,
}

impl Person {
    /// His Telegram user id, if that is what is known of him.
    pub fn telegram(&self) -> Option<i64> {
        self.of(IdentityType::TelegramUserId)?.parse().ok().filter(|id| *id > 0)
    }

    /// His Discord user id, if that is what is known of him.
    pub fn discord(&self) -> Option<&str> {
        let id = self.of(IdentityType::DiscordUserId)?;
        ((15..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
    }

    /// Whether anything is known of him.
    pub fn is_known(&self) -> bool {
        self.identity_value.is_some()
    }

    fn of(&self, kind: IdentityType) -> Option<&str> {
        self.identity_value.as_deref().filter(|_| self.identity_type.as_deref() == Some(kind.as_str())).map(str::trim)
    }
}

/// What the product hands over now.
pub async fn offer(log: &Log, vault: &Vault, product: ProductId) -> Result<Offer, DeliverError> {
    let recorded = log.read_stream(StreamId::new(Category::Product, product), 0).await?;
    let (mut settings, mut holder) = (Settings::default(), None);
    for event in &recorded {
        let decoded = event.decode()?;
        match sets_value(&decoded) {
            Some(true) => holder = Some(event),
            Some(false) => holder = None,
            None => {}
        }
        settings = settings.after(&decoded);
    }
    let value = match holder.filter(|_| settings.delivery_type.is_some()) {
        Some(holder) => vault.open(holder).await?.and_then(|personal| personal.text),
        None => None,
    };
    Ok(Offer { settings, value })
}

/// Whether an event of a product seals a value beside it or takes it away; `None` where it says nothing of it.
fn sets_value(event: &Event) -> Option<bool> {
    match event {
        Event::ProductCreated(_) => Some(true),
        Event::ProductUpdated(updated) => updated.changes.iter().find_map(|change| match change {
            ProductChange::DeliveryValue(there) => Some(*there),
            _ => None,
        }),
        _ => None,
    }
}

/// Whom a delivery is for: as the membership knows him, or else as the payment does.
pub async fn person(log: &Log, vault: &Vault, membership: Option<MembershipId>, payment: PaymentId) -> Result<Person, DeliverError> {
    if let Some(membership) = membership {
        let person = newest(log, vault, StreamId::new(Category::Membership, membership)).await?;
        if person.is_known() {
            return Ok(person);
        }
    }
    newest(log, vault, StreamId::new(Category::Payment, payment)).await
}

/// The last identity that was sealed beside an event of the stream.
async fn newest(log: &Log, vault: &Vault, stream: StreamId) -> Result<Person, DeliverError> {
    let recorded: Vec<Recorded> = log.read_stream(stream, 0).await?.into_iter().filter(|event| event.sealed.is_some()).collect();
    let opened = vault.open_all(&recorded).await?;
    let known = opened.into_iter().rev().flatten().find(|personal| personal.identity_value.is_some());
    Ok(known
        .map_or_else(Person::default, |personal| Person { identity_type: personal.identity_type, identity_value: personal.identity_value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_used_only_where_it_is_one() {
        let person = |kind: &str, value: &str| Person { identity_type: Some(kind.into()), identity_value: Some(value.into()) };
        assert_eq!(person("TELEGRAM_USER_ID", "77").telegram(), Some(77));
        assert_eq!(person("TELEGRAM_USER_ID", "@buyer").telegram(), None);
        assert_eq!(person("DISCORD_USER_ID", "77").telegram(), None);
        assert_eq!(person("DISCORD_USER_ID", "80351110224678912").discord(), Some("80351110224678912"));
        assert_eq!(person("DISCORD_USER_ID", "80351110224678912/roles").discord(), None);
        assert_eq!(person("MERCHANT_REFERENCE", "80351110224678912").discord(), None);
    }
}
