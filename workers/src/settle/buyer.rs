//! Who buys, as far as the buyer or the merchant has said.

use super::SettleError;
use events::{
    log::Log,
    vault::Vault,
    vocab::{
        event::PaymentCreated,
        personal::Personal,
        stream::{Category, StreamId},
    },
};

/// What is sealed beside the session of a payment, or beside the payment itself at the hosted checkout. Nothing, if the person has
/// been erased since: a payment settles all the same.
pub async fn of(log: &Log, vault: &Vault, payment: &PaymentCreated) -> Result<Personal, SettleError> {
    let stream = match payment.session_id {
        Some(id) => StreamId::new(Category::PaymentSession, id),
        None => StreamId::new(Category::Payment, payment.payment_id),
    };
    let events = log.read_stream(stream, 0).await?;
    let Some(first) = events.first() else { return Ok(Personal::default()) };
    let said = vault.open(first).await?.unwrap_or_default();
    // What the merchant noted for the one session is not the member's.
    Ok(Personal { metadata: None, ..said })
}
