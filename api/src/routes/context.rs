//! Who writes, for the events.

use crate::http::auth::Merchant;
use events::{clock::new_id, log::Context};

/// The context of a merchant's command: a business transaction of its own.
pub fn context(merchant: &Merchant, livemode: bool, request_id: &str) -> Context {
    Context {
        owner_id: Some(merchant.owner),
        livemode,
        actor: merchant.actor.clone(),
        request_id: Some(request_id.to_owned()),
        correlation_id: new_id(),
    }
}
