//! What an attempt sends beside its body, and how it is shown afterwards.

use events::vocab::{id::EventId, time::Timestamp};
use std::collections::BTreeMap;

/// `Content-Type` of every message.
pub const CONTENT_TYPE: &str = "application/json";
/// `User-Agent` of every message.
pub const USER_AGENT: &str = "Hilt-Webhooks/1";

/// The headers that the attempt made at `at` sent. A signature is not kept: who has one may send its message again.
pub fn headers(id: EventId, at: Timestamp, signatures: Option<u8>) -> BTreeMap<&'static str, String> {
    let signature = match signatures {
        Some(1) => "v1,… (1 signature)".to_owned(),
        Some(many) => format!("v1,… ({many} signatures)"),
        None => "v1,…".to_owned(),
    };
    BTreeMap::from([
        ("content-type", CONTENT_TYPE.to_owned()),
        ("user-agent", USER_AGENT.to_owned()),
        ("webhook-id", id.to_string()),
        ("webhook-timestamp", at.seconds().to_string()),
        ("webhook-signature", signature),
    ])
}
