//! What happened to a membership, for those who look at it later.

use super::Told;
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    event::Event,
    id::{EventId, PaymentId},
    membership::Term,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Something that happened to a membership.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Happened {
    /// The event.
    pub event_id: EventId,
    /// Its type: `membership.renewed`, `membership.gifted` …
    pub event: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// The payment that made it happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// Its transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_signature: Option<TxSignature>,
    /// Who paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<SolanaAddress>,
    /// Start of the time that was paid or given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Timestamp>,
    /// The end of the paid time, as it was after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Timestamp>,
    /// Days of a gift, or days before the end of a reminder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Why, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The merchant's words, which only he sees. Personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Happened {
    /// What `event` adds to the history. Notes and labels are shown as they are now, not as they were.
    pub(super) fn of(event: &Event, told: &Told<'_>) -> Option<Self> {
        let blank = Happened {
            event_id: told.event_id,
            event: event.event_type().as_str().to_owned(),
            at: told.at,
            payment_id: None,
            tx_signature: None,
            wallet: None,
            start_at: None,
            end_at: None,
            days: None,
            reason: None,
            note: None,
        };
        let note = || told.personal.and_then(|personal| personal.text.clone());
        Some(match event {
            Event::MembershipActivated(e) => Happened {
                payment_id: Some(e.payment_id),
                tx_signature: Some(e.tx_signature),
                wallet: Some(e.wallet),
                start_at: Some(e.period_start),
                end_at: Some(e.period_end),
                ..blank
            },
            Event::MembershipRenewed(e) => Happened {
                payment_id: Some(e.payment_id),
                tx_signature: Some(e.tx_signature),
                wallet: Some(e.wallet),
                start_at: Some(e.period_start),
                end_at: Some(e.period_end),
                ..blank
            },
            Event::MembershipGifted(e) => {
                Happened { start_at: Some(Term::gift_start(e)), end_at: Some(e.period_end), days: Some(e.days), note: note(), ..blank }
            }
            Event::MembershipEntitlementLinked(e) => Happened { end_at: Some(e.period_end), ..blank },
            Event::MembershipEnteredGrace(e) => Happened { end_at: Some(e.period_end), ..blank },
            Event::MembershipExpired(e) => Happened { end_at: Some(e.period_end), ..blank },
            Event::MembershipRevoked(e) => Happened { reason: Some(e.reason.clone()), note: note(), ..blank },
            Event::MembershipRenewalReminderSent(e) => Happened { end_at: Some(e.period_end), days: Some(e.offset_days), ..blank },
            Event::SubscriptionCancelRequested(e) => Happened { end_at: Some(e.period_end), ..blank },
            Event::SubscriptionResumed(_) => blank,
            _ => return None,
        })
    }
}
